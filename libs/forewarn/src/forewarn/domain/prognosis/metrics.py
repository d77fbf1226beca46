"""Metrics of remaining-life predictions.

References
----------
A. Saxena et al., "Damage propagation modeling for aircraft engine run-to-failure simulation", PHM 2008 (score).
A. Saxena et al., "Metrics for offline evaluation of prognostic performance", IJPHM 1 (2010)
(prognostic horizon, alpha-lambda accuracy, relative accuracy).
"""

import numpy as np

from forewarn.domain.frames.frame import FloatArray


def rmse(predicted: FloatArray, actual: FloatArray) -> float:
    """Return the root mean square error."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def phm08_score(predicted: FloatArray, actual: FloatArray) -> float:
    """Return the PHM08 challenge score, zero at best: Σ exp(−d/13) − 1 where early, exp(d/10) − 1 where late.

    d is predicted minus actual; being late costs more.
    """
    late = predicted - actual
    return float(np.sum(np.where(late < 0.0, np.expm1(-late / 13.0), np.expm1(late / 10.0))))


def coverage(low: FloatArray, high: FloatArray, actual: FloatArray) -> float:
    """Return the share of intervals that hold the actual value, ends included."""
    return float(np.mean((low <= actual) & (actual <= high)))


def relative_accuracy(predicted: FloatArray, actual: FloatArray) -> FloatArray:
    """Return 1 − |actual − predicted| / actual; NaN where nothing was left."""
    error = np.abs(actual - predicted)
    accuracy: FloatArray = 1.0 - np.divide(error, actual, out=np.full(error.shape, np.nan), where=actual > 0.0)
    return accuracy


def alpha_lambda(time: FloatArray, predicted: FloatArray, actual: FloatArray, *, alpha: float, lambda_: float) -> bool:
    """Return whether a unit's prediction was within ±alpha of the actual life left, at a share lambda of its run.

    Rows rise in time; the first one at or after that moment (0 first, 1 last) is judged.
    """
    moment = time[0] + lambda_ * (time[-1] - time[0])
    row = min(int(np.searchsorted(time, moment)), time.size - 1)
    return bool(abs(predicted[row] - actual[row]) <= alpha * actual[row])


def prognostic_horizon(
    time: FloatArray, predicted: FloatArray, actual: FloatArray, *, tolerance: float
) -> float | None:
    """Return the life left from which predictions stay within ``tolerance``; None if the last does not."""
    outside = np.flatnonzero(np.abs(predicted - actual) > tolerance)
    first = int(outside[-1]) + 1 if outside.size else 0
    return float(actual[first]) if first < time.size else None
