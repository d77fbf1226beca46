"""Forecasts that need no library: moving average, and a line through the middle of all pairs."""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray

#: More pairs than this add nothing, but their cost is quadratic.
_MOST_POINTS: Final = 160


def moving_average(history: FloatArray, window: int, horizon: int) -> FloatArray:
    """Continue the mean of the last ``window`` steps, shape (horizon,)."""
    return np.full(horizon, float(history[-window:].mean()))


def theil_sen(history: FloatArray, window: int, horizon: int) -> FloatArray:
    """Continue the line of median slope through the last ``window`` steps, shape (horizon,) (Sen 1968).

    Up to 29 % of wild steps do not move it.
    """
    recent = history[-window:]
    stride = max(1, -(-recent.size // _MOST_POINTS))
    places = np.arange(recent.size - 1, -1, -stride)[::-1]
    values = recent[places]
    first, second = np.triu_indices(places.size, k=1)
    slope = float(np.median((values[second] - values[first]) / (places[second] - places[first])))
    level = float(np.median(values - slope * (places - (recent.size - 1))))
    return level + slope * np.arange(1.0, horizon + 1.0)
