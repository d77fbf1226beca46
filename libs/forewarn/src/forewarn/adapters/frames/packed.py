"""One row of a frame, copied into a few hundred bytes and decoded on request."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import numpy as np

from forewarn.adapters.decode_boundary import decoder
from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    JUDGEMENT,
    FrameKind,
    contribution_column,
    expected_column,
    quality_column,
    residual_column,
)
from forewarn.domain.time import to_datetime
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.live import JudgementInShort, NewestReading

_NUMBERS: Final = tuple(column.name for column in JUDGEMENT if column.dtype != "string")
_TEXTS: Final = tuple(column.name for column in JUDGEMENT if column.dtype == "string")


@dataclass(frozen=True, slots=True)
class RowShape:
    """Columns of a packed row of one kind and class, in the order of its numbers and texts."""

    kind: FrameKind
    asset_class: AssetClass
    numbers: tuple[str, ...]
    texts: tuple[str, ...]


@lru_cache(maxsize=512)
def row_shape(kind: FrameKind, asset_class: AssetClass) -> RowShape:
    """Return the shape of rows of kind VALID or ANOMALY."""
    columns = asset_class.column_names
    if kind is FrameKind.VALID:
        qualities = map(quality_column, asset_class.tag_names)
        return RowShape(kind, asset_class, ("ts", "received_at", *columns, *qualities), ("findings",))
    per_response = (expected_column, residual_column, contribution_column)
    of_responses = (name(response) for name in per_response for response in asset_class.twin.responses)
    return RowShape(kind, asset_class, ("ts", *columns, *of_responses, *_NUMBERS), _TEXTS)


@dataclass(frozen=True, slots=True)
class PackedRow:
    """Numbers as float64, which holds every type of a frame exactly, times [µs] until the year 2255 included."""

    shape: RowShape
    numbers: bytes
    texts: tuple[str | None, ...]

    def read(self) -> NewestReading | LiveJudgement:
        """Decode the row."""
        return self.reading() if self.shape.kind is FrameKind.VALID else self.judgement()

    @decoder(InvalidFrame)
    def reading(self) -> NewestReading:
        """Decode a row of kind VALID; raises ``InvalidFrame`` for an impossible value."""
        asset_class = self.shape.asset_class
        numbers = self._numbers()
        ts, received_at = _time(next(numbers)), _time(next(numbers))
        values = _named(asset_class.column_names, numbers)
        quality = {tag: _code(value) for tag, value in zip(asset_class.tag_names, numbers, strict=True)}
        (findings,) = self.texts
        return NewestReading(ts=ts, received_at=received_at, findings=findings, values=values, quality=quality)

    @decoder(InvalidFrame)
    def judgement(self) -> LiveJudgement:
        """Decode a row of kind ANOMALY; raises ``InvalidFrame`` for an impossible value."""
        asset_class = self.shape.asset_class
        numbers = self._numbers()
        ts = _time(next(numbers))
        values = _named(asset_class.column_names, numbers)
        expected, residual, contribution = (_named(asset_class.twin.responses, numbers) for _ in range(3))
        summary: dict[str, Any] = {**_named(_NUMBERS, numbers), **dict(zip(_TEXTS, self.texts, strict=True))}
        return LiveJudgement(
            ts=ts, values=values, expected=expected, residual=residual, contribution=contribution, **summary
        )

    def in_short(self) -> JudgementInShort:
        """Return a row of kind ANOMALY without the tags."""
        last = self.numbers[-len(_NUMBERS) * np.dtype(np.float64).itemsize :]
        of = dict(zip(_NUMBERS, np.frombuffer(last, dtype=np.float64).tolist(), strict=True))
        score = of["score"] if math.isfinite(of["score"]) else None
        return JudgementInShort(score=score, flag=bool(of["flag"]), phase=_code(of["phase"]))

    def _numbers(self) -> Iterator[float | None]:
        """Return the numbers in the order of the shape, None for unknown ones."""
        return (n if math.isfinite(n) else None for n in np.frombuffer(self.numbers, dtype=np.float64).tolist())


def _named(names: Sequence[str], numbers: Iterator[float | None]) -> dict[str, float | None]:
    return dict(zip(names, islice(numbers, len(names)), strict=True))


def _time(microseconds: float | None) -> datetime:
    return to_datetime(_code(microseconds))


def _code(number: float | None) -> int:
    if number is None:
        raise InvalidFrame("a status code or time is null")
    return int(number)
