"""Target leakage: columns that reveal the end of a run, unknown while it lasts."""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.runs import BoolArray, Runs

#: Largest difference, as a share of the longest life, that counts as equal.
_EQUAL: Final = 1e-6


def target_leakage(column: FloatArray, runs: Runs, failed: BoolArray) -> str | None:
    """Return why a column, one value per row, must be left out of training; None if it may stay."""
    rows = failed[runs.unit_of_row] & np.isfinite(column)
    if np.count_nonzero(failed) < 2 or not rows.any():
        return None
    if _counts_down(column[rows], runs.to_the_end[rows]):
        return "it counts down to the failure"
    if _marks_the_end(column, runs, failed):
        return "it differs only in the last rows of the runs"
    return None


def _counts_down(column: FloatArray, left: FloatArray) -> bool:
    """Return whether it is the life left, perhaps clipped and shifted."""
    shift = float(column[np.argmin(left)] - left.min())
    expected = np.minimum(left + shift, column.max())
    below = expected < column.max()
    if np.unique(left[below]).size < 3:
        return False
    return bool(np.max(np.abs(column - expected)) <= _EQUAL * max(1.0, float(left.max())))


def _marks_the_end(column: FloatArray, runs: Runs, failed: BoolArray) -> bool:
    """Return whether it is constant except in the last row of failed units."""
    last = np.zeros(column.size, dtype=np.bool_)
    last[runs.last_rows[failed]] = True
    elsewhere = column[~last & np.isfinite(column)]
    ends = column[last]
    return bool(elsewhere.size and np.all(elsewhere == elsewhere[0]) and not np.any(ends == elsewhere[0]))
