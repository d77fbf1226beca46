"""The rows of a frame as one asset after another, each in event time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frame import MISSING, Frame

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def rows_by_asset(frame: Frame) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Row numbers of each asset, oldest first; rows without an asset are left out."""
    codes = frame.assets.codes
    order = np.lexsort((frame.arrays["ts"], codes))
    bounds = np.flatnonzero(np.diff(codes[order])) + 1
    for rows in np.split(order, bounds):
        if rows.size and codes[rows[0]] != MISSING:
            yield frame.assets.categories[int(codes[rows[0]])], rows


def to_datetime(microseconds: int) -> datetime:
    """Event time of a row, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime) -> int:
    """Inverse of ``to_datetime``."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def newer_rows(rows: NDArray[np.intp], times: NDArray[np.int64], watermark: datetime | None) -> NDArray[np.intp]:
    """Those of the time-ordered ``rows`` past the watermark; of rows with one time only the first.

    Without the second rule the result would depend on how readings are cut into frames.
    """
    if watermark is not None:
        rows = rows[times[rows] > to_microseconds(watermark)]
    first = np.diff(times[rows], prepend=np.iinfo(np.int64).min) != 0
    return np.asarray(rows[first])
