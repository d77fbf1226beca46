"""Conversion between event times of rows (µs since 1970 UTC) and datetimes."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
US_PER_S: Final = 1_000_000
S_PER_DAY: Final = 86_400.0
US_PER_DAY: Final = 86_400 * US_PER_S


def to_datetime(microseconds: int) -> datetime:
    """Return the event time of a row, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime) -> int:
    """Invert ``to_datetime``."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
