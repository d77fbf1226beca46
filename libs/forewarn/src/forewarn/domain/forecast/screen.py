"""Screen columns cheaply for a trend towards their limit: most have none and need no forecast.

Straight lines are fitted to the means of the last 5, 10 and 20 days. One of them must approach the limit significantly,
and reach it within the horizon in the worst case.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

#: Days of each window, and the one-sided 1 % point of Student's t for its days less two.
WINDOWS: Final = ((5, 4.54), (10, 2.90), (20, 2.55))

#: Worst case: this many standard errors faster than its line, and this many daily spreads above it.
_FASTER: Final = 2.0
_ABOVE: Final = 3.0


def may_reach(means: FloatArray, limit: float, *, rising: bool, per_day: int, horizon_days: float) -> bool:
    """Return whether a significant trend may carry a column to its limit within the horizon.

    ``means`` are those of equal steps, oldest first, NaN without readings, ``per_day`` steps a day; the limit is
    reached from below if ``rising``.
    """
    distances = (limit - means) if rising else (means - limit)
    for days, critical in WINDOWS:
        recent = distances[-days * per_day :]
        if recent.size < days * per_day:
            return False
        table = recent.reshape(days, per_day)
        known = np.isfinite(table).any(axis=1)
        if known.sum() < max(4, days // 2):
            continue
        if _falls_to_zero(np.flatnonzero(known), _row_means(table[known]), critical, horizon_days, _spread(recent)):
            return True
    return False


def _row_means(table: FloatArray) -> FloatArray:
    known = np.isfinite(table)
    means: FloatArray = np.where(known, table, 0.0).sum(axis=1) / known.sum(axis=1)
    return means


def _falls_to_zero(
    places: NDArray[np.intp], daily: FloatArray, critical: float, horizon_days: float, spread: float
) -> bool:
    """Return whether a falling line through daily distances may reach 0 within the horizon."""
    x = places - places.mean()
    s_xx = float((x * x).sum())
    slope = float((x * daily).sum()) / s_xx
    rest = daily - daily.mean() - slope * x
    error = math.sqrt(float((rest * rest).sum()) / (daily.size - 2) / s_xx)
    if slope >= 0.0 or -slope < critical * error:
        return False
    now = float(daily.mean()) + slope * float(x[-1])
    return now + (slope - _FASTER * error) * horizon_days - _ABOVE * spread <= 0.0


def _spread(recent: FloatArray) -> float:
    """Return the standard deviation about the neighbours: noise and daily pattern, without the trend."""
    steps = np.diff(recent[np.isfinite(recent)])
    return float(steps.std()) if steps.size > 1 else 0.0
