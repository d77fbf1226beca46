"""Movement of simulated quantities in time, for any step."""

from functools import reduce

import numpy as np

from forewarn.domain.frames.frame import FloatArray


def wander(
    before: FloatArray | float,
    *,
    spread: float,
    memory_s: float,
    dt_s: float,
    rng: np.random.Generator,
    like: FloatArray,
) -> FloatArray:
    """Return the next value of an Ornstein-Uhlenbeck process around 0, with the shape of ``like``.

    ``spread`` is its standard deviation, ``memory_s`` the time until 1/e of a deviation is left.
    """
    keep = np.exp(-dt_s / memory_s)
    pushed = spread * np.sqrt(1.0 - keep**2) * rng.standard_normal(np.shape(like))
    wandered: FloatArray = keep * np.asarray(before, dtype=np.float64) + pushed
    return wandered


def lagged(
    before: FloatArray | None, target: FloatArray, *, time_constant_s: FloatArray | float, dt_s: float
) -> FloatArray:
    """Return the first-order response to a target that is constant over the step; None before: it starts settled."""
    if before is None:
        return target
    approached: FloatArray = before + (1.0 - np.exp(-dt_s / time_constant_s)) * (target - before)
    return approached


def joined_rms(*parts: FloatArray) -> FloatArray:
    """Return the r.m.s. of independent vibrations together: their squares add."""
    together: FloatArray = reduce(np.hypot, parts)
    return together
