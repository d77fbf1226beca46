"""A reading on its way to the broker, and the protocol of its sources."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from forewarn.domain.time import to_datetime

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReading:
    """An asset's tags at one instant [µs since 1970 UTC]. Historical readings never raise alarms."""

    asset_id: str
    ts_us: int
    metrics: dict[str, float]
    historical: bool = False


class ReadingSource(Protocol):
    """One asset's readings over time. All times are seconds since 1970 UTC."""

    def history(self, now_s: float) -> Iterator[SourceReading]:
        """Return readings before ``now_s``, in order; called at most once, before ``due``."""
        ...

    def due(self, now_s: float) -> Iterable[SourceReading]:
        """Return readings due since the last call, in order."""
        ...

    @property
    def next_due_s(self) -> float:
        """When the next reading is due; infinite without one."""
        ...


def iso_utc(ts_us: int) -> str:
    """Return a time as written in readings."""
    return to_datetime(ts_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode_reading(reading: SourceReading, seq: int) -> bytes:
    """Encode a reading as JSON of ``contracts.readings.Reading``."""
    document: dict[str, object] = {
        "asset_id": reading.asset_id,
        "ts": iso_utc(reading.ts_us),
        "metrics": reading.metrics,
        "seq": seq,
        "source": "simulator",
    }
    if reading.historical:
        document["historical"] = True
    return _encode(document)
