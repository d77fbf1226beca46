"""Event times of rows as moments, and back."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(microseconds: int) -> datetime:
    """Event time of a row, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime) -> int:
    """Inverse of ``to_datetime``."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
