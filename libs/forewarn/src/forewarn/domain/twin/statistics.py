"""Robust figures of healthy readings: how much a tag varies, how it wanders, what its sensor resolves."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frame import FloatArray

#: Turns a median absolute deviation into the standard deviation of a normal distribution.
MAD_TO_SD: Final = 1.4826

_WANDER_BLOCK: Final = 40
_MIN_BLOCKS: Final = 3
_FLAT_SHARE: Final = 1e-6  # of the engineering range, or of the value where there is no range
_MEANINGFUL_SHARE: Final = 2.0**-16  # of the engineering range: the step of a 16-bit converter


def resolution(values: FloatArray) -> float:
    """Smallest step of a quantised tag; 0 for one that hardly ever repeats a value or never changes."""
    levels = np.unique(values)
    if levels.size < 2 or levels.size > values.size / 4:
        return 0.0
    return float(np.diff(levels).min())


def floor_of_scale(values: FloatArray, span: float) -> float:
    """Least standard deviation that means something for a tag with these healthy values and this range.

    Rounding to steps of size q alone spreads values by q/√12.
    """
    quantisation = resolution(values) / np.sqrt(12.0)
    by_range = _MEANINGFUL_SHARE * span if np.isfinite(span) else 0.0
    by_value = _FLAT_SHARE * float(np.abs(values).max(initial=0.0))
    return float(max(quantisation, by_range, by_value, np.finfo(np.float64).tiny))


def robust_scale(residuals: FloatArray, floor: float) -> float:
    """Standard deviation of healthy residuals, little moved by a few wild ones.

    Half the plain standard deviation is a lower bound: a tag that rests most of the time and moves
    now and then has a MAD near zero.
    """
    mad = float(np.median(np.abs(residuals - np.median(residuals)))) * MAD_TO_SD
    return max(mad, 0.5 * float(residuals.std()), floor)


def is_flat(values: FloatArray, span: float) -> bool:
    """Whether a tag does not move at all."""
    spread = float(values.max() - values.min())
    size = span if np.isfinite(span) else float(np.abs(values).max())
    return spread <= _FLAT_SHARE * size


def wander_ratio(values: FloatArray) -> float:
    """Variance of the means of blocks of 40 readings against what white noise of this spread would give.

    1 for white noise, large for a tag that drifts slowly through any short window, whose healthy
    spread a short baseline cannot know. NaN with fewer than three blocks.
    """
    count = values.size // _WANDER_BLOCK
    if count < _MIN_BLOCKS:
        return float("nan")
    blocks = values[: count * _WANDER_BLOCK].reshape(count, _WANDER_BLOCK)
    within = float(blocks.var(axis=1, ddof=1).mean())
    between = float(blocks.mean(axis=1).var(ddof=1))
    if within == 0.0:
        return float("inf") if between > 0.0 else 1.0
    return between / (within / _WANDER_BLOCK)


def caution(residuals: FloatArray) -> float:
    """Factor by which a spread that was seen may understate the spread to come.

    n residuals that wander hold about n / wander ratio independent ones. The factor is that of
    Student's t to the normal distribution at 99.5 % for so few (a series fitted to the tables, 6 % off at
    most from three degrees of freedom on): 1.0 for white noise, 3 for residuals that drifted once
    through the baseline.
    """
    ratio = wander_ratio(residuals)
    independent = residuals.size / max(ratio, 1.0) if np.isfinite(ratio) else residuals.size / _WANDER_BLOCK
    freedom = max(independent - 1.0, 2.0)
    return 1.0 + 1.9 / freedom + 4.6 / freedom**2


def fold_of(rows: int, folds: int) -> NDArray[np.intp]:
    """Number of the contiguous block each row belongs to, shape (rows,)."""
    return np.arange(rows, dtype=np.intp) * folds // max(rows, 1)
