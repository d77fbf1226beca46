"""Rows of a table in scoring order, with a clock that always advances and jumps at gaps."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

#: One sample period on a detector's clock.
TICK: Final = 1_000_000

#: Clock distance between units and over gaps: more than any smoothing bridges.
_FAR_APART: Final = 1_000 * TICK


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowOrder:
    """Rows of a table, unit by unit."""

    #: Rows in scoring order: units in order of appearance, rows of a unit as they come.
    order: NDArray[np.intp]
    clock: NDArray[np.int64]  #: Clock of each row in that order; ``TICK`` is a sample period.


def sample_period(time: FloatArray, unit: NDArray[np.intp]) -> float | None:
    """Return the median time between rows of one unit; None without two rows."""
    order = np.argsort(unit, kind="stable")
    step = np.diff(time[order])[np.diff(unit[order]) == 0]
    step = step[step > 0]
    return float(np.median(step)) if step.size else None


def sequence_of(time: FloatArray | None, unit: NDArray[np.intp], period: float) -> RowOrder:
    """Order rows and set their clock; without time they follow each other evenly."""
    order = np.argsort(unit, kind="stable")
    if time is None:
        return RowOrder(order=order, clock=np.arange(order.size, dtype=np.int64) * TICK)
    own = unit[order]
    ticks = np.minimum(np.diff(time[order]) / period * TICK, _FAR_APART)
    ticks[np.diff(own) != 0] = _FAR_APART
    clock = np.concatenate([[0], np.cumsum(np.rint(ticks).astype(np.int64))]) if order.size else np.empty(0, np.int64)
    return RowOrder(order=order, clock=clock)


def stretches(rows: int, most: int, pieces: int) -> NDArray[np.intp]:
    """Select at most this many rows in whole, evenly spread stretches, because neighbours belong together."""
    if rows <= most:
        return np.arange(rows)
    length = most // pieces
    starts = np.arange(pieces) * (rows - length) // (pieces - 1)
    kept: NDArray[np.intp] = (starts[:, None] + np.arange(length)).ravel()
    return kept
