"""Combine normalised residuals into one deviation from normal, 0–100."""

from typing import Final

import numpy as np

from forewarn.contracts.health import DeviationBand
from forewarn.domain.frames.frame import FloatArray

#: The healthy 95th percentile maps to 8, below the end of the band "low" at 10.
_TYPICAL_DEVIATION: Final = 8.0
_C: Final = 100.0 / _TYPICAL_DEVIATION - 1.0

_MEDIUM_FROM: Final = 10.0
_HIGH_ABOVE: Final = 25.0

#: Lower bound for very calm baselines: a baseline's own noise must not count as deviation.
MIN_TYPICAL: Final = 1.0


def root_mean_square(residuals: FloatArray) -> FloatArray:
    """Return the root mean square over the known responses of residuals, shape (responses, rows); NaN without any.

    Summed response by response: the sum of a row must not depend on the number of rows.
    """
    total = np.zeros(residuals.shape[1])
    count = np.zeros(residuals.shape[1])
    for response in residuals:
        known = ~np.isnan(response)
        total += np.where(known, response * response, 0.0)
        count += known
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return np.sqrt(mean)


def deviation_of(rms: FloatArray, typical: FloatArray | float) -> FloatArray:
    """Map the root mean square residual to 0–100: x²/(x² + c) with x = rms / typical.

    ``typical`` is the healthy 95th percentile. Anchors: x = 1 gives 8; low (< 10) ends at x = 1.13, medium (10–25) at x
    = 1.96; x = 10 gives 90. Strictly rising, never 100.
    """
    squared = (rms / typical) ** 2
    return 100.0 * squared / (squared + _C)


def band_of(deviation: float) -> DeviationBand:
    """Return the band of a deviation: low below 10, medium to 25, high above."""
    if deviation < _MEDIUM_FROM:
        return "low"
    return "medium" if deviation <= _HIGH_ABOVE else "high"
