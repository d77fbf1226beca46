"""Which scores are normal for an asset, learned from held-out residuals of its baseline.

Below the 90th percentile healthy scores are used as they are (conformal p-value, Vovk et al. 2005: the share of healthy
scores at least as high, the new one included). Above it follows a generalised Pareto tail (Pickands 1975): a baseline
of a few hundred overlapping windows holds only some dozens of independent ones, too few to read far quantiles from. For
the same reason its shape is fixed, a little heavier than exponential, and only its width is estimated, by the median
excess: a few stretches of fault in a baseline hardly move it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

#: Order statistics kept per asset.
KNOTS: Final = 64

_TAIL_SHARE: Final = 0.1
_SHAPE: Final = 0.15
_MIN_SCORES: Final = 60

#: Scores of an asset without a usable baseline: means of 15 residuals of spread 1, between independent (0.26) and all
#: the same (1).
_PRIOR_TAIL_START: Final = 0.8
_PRIOR_WIDTH: Final = 0.25


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Calibration:
    """Healthy scores of assets side by side; the first axis of every array is the asset."""

    knots: FloatArray  #: Healthy scores, evenly spaced order statistics, rising; shape (assets, KNOTS).
    #: Where the Pareto tail begins and its scale.
    tail_start: FloatArray
    tail_width: FloatArray
    gap_us: FloatArray  #: A longer pause restarts the smoothing [µs].

    def threshold(self, far: float) -> FloatArray:
        """Score that the share ``far`` of healthy readings exceeds."""
        reach: FloatArray = self.tail_width / _SHAPE * ((_TAIL_SHARE / min(far, _TAIL_SHARE)) ** _SHAPE - 1.0)
        return self.tail_start + reach

    def p_values(self, asset: NDArray[np.intp], scores: FloatArray) -> FloatArray:
        """Return the share of healthy scores at least as high, never 0; NaN for NaN."""
        beyond = np.maximum(scores - self.tail_start[asset], 0.0) / self.tail_width[asset]
        tail = _TAIL_SHARE * (1.0 + _SHAPE * beyond) ** (-1.0 / _SHAPE)
        higher = (self.knots[asset] >= scores[:, None]).sum(axis=1)
        body = np.maximum((1.0 + higher) / (KNOTS + 1.0), _TAIL_SHARE)
        p = np.where(scores > self.tail_start[asset], tail, body)
        p[np.isnan(scores)] = np.nan
        return p

    def scores(self, asset: NDArray[np.intp], p_values: FloatArray) -> FloatArray:
        """Return this asset's score for a p-value, the inverse of ``p_values``."""
        tail = (_TAIL_SHARE / np.minimum(p_values, _TAIL_SHARE)) ** _SHAPE - 1.0
        above = self.tail_start[asset] + self.tail_width[asset] / _SHAPE * tail
        higher = np.clip(np.nan_to_num(p_values * (KNOTS + 1.0), nan=1.0), 1.0, KNOTS)
        below = np.minimum(self.knots[asset, KNOTS - higher.astype(np.intp)], self.tail_start[asset])
        return np.where(p_values < _TAIL_SHARE, above, np.where(np.isnan(p_values), np.nan, below))


def calibrate(scores: FloatArray, period_us: float, gap_periods: float) -> Calibration:
    """Learn from the healthy scores of one asset; too few of them give a cautious general calibration.

    ``period_us`` is the usual time between its readings, NaN if unknown.
    """
    gap_us = np.array([period_us * gap_periods if np.isfinite(period_us) else np.inf])
    if scores.size < _MIN_SCORES:
        levels = (np.arange(KNOTS) + 0.5) / KNOTS
        knots = _PRIOR_TAIL_START * np.minimum(levels / (1.0 - _TAIL_SHARE), 1.0)
        start, width = _PRIOR_TAIL_START, _PRIOR_WIDTH
    else:
        knots = np.quantile(scores, (np.arange(KNOTS) + 0.5) / KNOTS, method="inverted_cdf")
        start, width = _tail(scores)
    return Calibration(knots=knots[None, :], tail_start=np.array([start]), tail_width=np.array([width]), gap_us=gap_us)


def _tail(scores: FloatArray) -> tuple[float, float]:
    """Return where the tail of healthy scores begins, and its width."""
    start = float(np.quantile(scores, 1.0 - _TAIL_SHARE))
    excess = scores[scores > start] - start
    half = float(np.median(excess)) if excess.size else 0.0
    # A plateau of equal scores must not give a tail of no width.
    return start, max(half * _SHAPE / (2.0**_SHAPE - 1.0), 0.05 * start, 1e-3)


def tail_level(scores: FloatArray, share: float) -> float:
    """Return the level that this share of healthy scores exceeds."""
    start, width = _tail(scores)
    return float(start + width / _SHAPE * ((_TAIL_SHARE / min(share, _TAIL_SHARE)) ** _SHAPE - 1.0))


def usual_period_us(ts: NDArray[np.int64]) -> float:
    """Return the median time between readings [µs]; NaN for fewer than two."""
    return float(np.median(np.diff(ts))) if ts.size > 1 else float("nan")
