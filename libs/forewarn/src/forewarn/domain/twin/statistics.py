"""Robust statistics of healthy readings: spread, wandering, sensor resolution."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

#: Converts a median absolute deviation into the standard deviation of a normal distribution.
MAD_TO_SD: Final = 1.4826

#: A quantity worth fewer independent readings wanders: its next values are unknown.
WANDERS_BELOW: Final = 20.0

_WANDER_BLOCK: Final = 40
_MIN_BLOCKS: Final = 3
_FLAT_SHARE: Final = 1e-6  # of the engineering range, or of the value where there is no range
_MEANINGFUL_SHARE: Final = 2.0**-16  # of the engineering range: the step of a 16-bit converter


def resolution(values: FloatArray) -> float:
    """Return the smallest step of a quantised tag; 0 for one that hardly repeats a value or never changes."""
    levels = np.unique(values)
    if levels.size < 2 or levels.size > values.size / 4:
        return 0.0
    return float(np.diff(levels).min())


def floor_of_scale(values: FloatArray, span: float) -> float:
    """Return the least meaningful standard deviation for a tag with these healthy values and this range.

    Rounding to steps of size q alone spreads values by q/√12.
    """
    quantisation = resolution(values) / np.sqrt(12.0)
    by_range = _MEANINGFUL_SHARE * span if np.isfinite(span) else 0.0
    by_value = _FLAT_SHARE * float(np.abs(values).max(initial=0.0))
    return float(max(quantisation, by_range, by_value, np.finfo(np.float64).tiny))


def robust_scale(residuals: FloatArray, floor: float) -> float:
    """Return the standard deviation of healthy residuals, robust against a few wild ones.

    Half the plain standard deviation is a lower bound: a tag that mostly rests has a MAD near zero.
    """
    mad = float(np.median(np.abs(residuals - np.median(residuals)))) * MAD_TO_SD
    return max(mad, 0.5 * float(residuals.std()), floor)


def is_flat(values: FloatArray, span: float) -> bool:
    """Return whether a tag does not move at all."""
    spread = float(values.max() - values.min())
    size = span if np.isfinite(span) else float(np.abs(values).max())
    return spread <= _FLAT_SHARE * size


def wander_ratio(values: FloatArray) -> float:
    """Return the variance of means of 40 readings over that of white noise of the same spread.

    1 for white noise, large for a tag that drifts slowly through any short window, whose healthy spread a short
    baseline cannot show. NaN with fewer than three blocks.
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


def caution(independent: float) -> float:
    """Return the factor by which a spread from this many independent readings may understate the future one.

    It is the ratio of Student's t to the normal distribution at 99.5 % (a series fitted to the tables, at most 6 % off
    from three degrees of freedom): 1.0 for many, 3 for a quantity that drifted once through the baseline.
    """
    freedom = max(independent - 1.0, 2.0)
    return 1.0 + 1.9 / freedom + 4.6 / freedom**2


def independent_readings(residuals: FloatArray) -> float:
    """Return the number of independent readings of a short series: its length over its wander ratio."""
    ratio = wander_ratio(residuals)
    return residuals.size / max(ratio, 1.0) if np.isfinite(ratio) else residuals.size / _WANDER_BLOCK


def effective_readings(values: FloatArray, breaks: NDArray[np.intp]) -> float:
    """Return the number of independent readings of a series of any length, from its autocorrelation.

    n / (1 + 2 Σ r_k), summed to the first r_k that is not positive (as in Geyer 1992). ``breaks`` are rows that follow
    a gap: values across a gap count as unrelated. NaN counts as the mean. About 4 for a straight drift.
    """
    known = ~np.isnan(values)
    if np.count_nonzero(known) < 2:
        return 1.0
    centred = np.where(known, values - values[known].mean(), 0.0)
    longest = max(np.diff(np.concatenate([[0], breaks, [values.size]])))
    size = 1 << int(2 * values.size - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    covariance = np.fft.irfft(spectrum * np.conj(spectrum), size)[: int(longest)]
    if covariance[0] <= 0.0:
        return float(np.count_nonzero(known))
    correlation = covariance / covariance[0]
    negative = np.flatnonzero(correlation <= 0.0)
    end = int(negative[0]) if negative.size else correlation.size
    return float(np.count_nonzero(known) / (1.0 + 2.0 * correlation[1:end].sum()))


def fold_of(rows: int, folds: int) -> NDArray[np.intp]:
    """Return each row's contiguous block number, shape (rows,)."""
    return np.arange(rows, dtype=np.intp) * folds // max(rows, 1)


def blocks_in_turn(rows: int, folds: int) -> list[slice]:
    """Return the blocks of ``fold_of`` as slices of the rows."""
    edges = np.searchsorted(fold_of(rows, folds), np.arange(folds + 1)).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]


def blocks_of(rows: int, breaks: NDArray[np.intp], folds: int) -> NDArray[np.intp]:
    """Return block numbers like ``fold_of``, with borders moved to nearby gaps: shape (rows,).

    Rows of one session are alike; a block that begins with a session is more like an unseen day.
    """
    edges = np.arange(1, folds) * rows // folds
    if breaks.size:
        nearest = breaks[np.abs(breaks[None, :] - edges[:, None]).argmin(axis=1)]
        edges = np.where(np.abs(nearest - edges) <= rows // (3 * folds), nearest, edges)
    block: NDArray[np.intp] = np.searchsorted(edges, np.arange(rows), side="right")
    return block
