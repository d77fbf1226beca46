"""Means and slopes over trailing windows of time, for rows that may be unevenly spaced and incomplete."""

from collections.abc import Sequence

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.runs import IntArray

#: Fewest rows of a straight line.
MIN_SLOPE_ROWS = 3

#: Tolerance of a window's width, as a share of the width.
_EDGE = 1e-9

#: Most values held at once; tags are processed in blocks of this size.
_BLOCK_VALUES = 2_000_000


class RunHistory:
    """Running sums over the rows of one unit; any window then costs two look-ups.

    ``time`` rises, shape (n,), in units in which a life is of the order of one. ``values`` are of the order of one, NaN
    where unknown, shape (n, tags).
    """

    def __init__(self, time: FloatArray, values: FloatArray) -> None:
        self._time = time
        since = (time - time[0])[:, None]
        known = np.isfinite(values)
        filled = np.where(known, values, 0.0)
        self._sums = [_running(part) for part in (known.astype(np.float64), filled)]
        self._line_sums = [_running(part) for part in (known * since, known * since**2, filled * since)]

    def mean(self, rows: IntArray, width: float) -> FloatArray:
        """Average the known values no older than ``width``, NaN without any: shape (rows, tags)."""
        count, total = (part[rows + 1] - part[self._first(rows, width)] for part in self._sums)
        means: FloatArray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0.5)
        return means

    def slope(self, rows: IntArray, width: float) -> FloatArray:
        """Return the least-squares slope of the values no older than ``width``, per unit of time.

        NaN with fewer than ``MIN_SLOPE_ROWS`` known values. Shape (rows, tags).
        """
        first = self._first(rows, width)
        n, x, t, tt, xt = (part[rows + 1] - part[first] for part in (*self._sums, *self._line_sums))
        spread = n * tt - t * t
        enough = (n > MIN_SLOPE_ROWS - 0.5) & (spread > 1e-12 * n * tt)
        slopes: FloatArray = np.divide(n * xt - t * x, spread, out=np.full(spread.shape, np.nan), where=enough)
        return slopes

    def _first(self, rows: IntArray, width: float) -> IntArray:
        if np.isinf(width):
            return np.zeros(rows.shape, dtype=np.intp)
        return np.searchsorted(self._time, self._time[rows] - width * (1.0 - _EDGE), side="right")


def trailing(
    time: FloatArray, values: FloatArray, rows: IntArray, means: Sequence[float], slopes: Sequence[float]
) -> FloatArray:
    """Return means and slopes over windows of these widths (infinite: since the first row), for some rows of a unit.

    Shape (rows, tags * (means + slopes)): all tags for the first width, then for the next.
    """
    tags = values.shape[1]
    block = max(1, _BLOCK_VALUES // time.size)
    out = np.empty((rows.size, len(means) + len(slopes), tags))
    for start in range(0, tags, block):
        part = slice(start, min(start + block, tags))
        history = RunHistory(time, values[:, part])
        for place, width in enumerate(means):
            out[:, place, part] = history.mean(rows, width)
        for place, width in enumerate(slopes, start=len(means)):
            out[:, place, part] = history.slope(rows, width)
    return out.reshape(rows.size, -1)


def _running(values: FloatArray) -> FloatArray:
    sums = np.zeros((values.shape[0] + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums
