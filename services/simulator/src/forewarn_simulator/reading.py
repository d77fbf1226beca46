"""A reading on its way to the broker, and what gives readings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from forewarn.domain.time import to_datetime

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReading:
    """One asset's tags at one instant; time in µs since 1970 UTC. Historical ones never alarm."""

    asset_id: str
    ts_us: int
    metrics: dict[str, float]
    historical: bool = False


class ReadingSource(Protocol):
    """One asset's readings over time. All times are seconds since 1970 UTC."""

    def history(self, now_s: float) -> Iterator[SourceReading]:
        """Return readings of the time before ``now_s``, in order; asked for at most once, before ``due``."""
        ...

    def due(self, now_s: float) -> Iterable[SourceReading]:
        """Return readings that became due since the last call, in order."""
        ...

    @property
    def next_due_s(self) -> float:
        """Return when the next reading becomes due; infinite when there is none."""
        ...


def iso_utc(ts_us: int) -> str:
    """Return the time in the form that readings carry."""
    return to_datetime(ts_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def encode_reading(reading: SourceReading, seq: int) -> bytes:
    """JSON of ``contracts.readings.Reading``."""
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
