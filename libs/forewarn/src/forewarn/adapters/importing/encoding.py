"""Encodes readings of one asset as lists for ``readings.raw``: a million rows are a few thousand messages."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from forewarn.domain.importing.gaps import Rows

#: Readings in a message.
MESSAGE_READINGS: Final = 200

_WORDS: Final = ("good", "uncertain", "bad")
_encode = msgspec.json.Encoder().encode


class _Reading(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """``contracts.readings.Reading`` as an import sends it."""

    asset_id: str
    ts: str
    metrics: dict[str, float]
    quality: dict[str, str] = {}
    source: str | None = None
    historical: bool = False


def messages(asset_id: str, rows: Rows, tags: Sequence[str], source: str) -> Iterator[tuple[bytes, int]]:
    """Yield messages in order of time, with the number of readings in each."""
    times = np.datetime_as_string(rows.ts.astype("datetime64[us]"), unit="us").tolist()
    values = rows.values.tolist()
    complete = np.asarray(~np.isnan(rows.values).any(axis=1)).tolist()
    noted = np.asarray((rows.quality != 0).any(axis=1)).tolist()
    readings: list[_Reading] = []
    for row, time in enumerate(times):
        pairs = zip(tags, values[row], strict=True)
        metrics = dict(pairs) if complete[row] else {tag: value for tag, value in pairs if not math.isnan(value)}
        quality = _qualities(rows, row, metrics, tags) if noted[row] else {}
        readings.append(
            _Reading(asset_id=asset_id, ts=f"{time}Z", metrics=metrics, quality=quality, source=source, historical=True)
        )
        if len(readings) == MESSAGE_READINGS:
            yield _encode(readings), len(readings)
            readings = []
    if readings:
        yield _encode(readings), len(readings)


def _qualities(rows: Rows, row: int, metrics: dict[str, float], tags: Sequence[str]) -> dict[str, str]:
    codes = rows.quality[row].tolist()
    return {tag: _WORDS[code] for tag, code in zip(tags, codes, strict=True) if code and tag in metrics}
