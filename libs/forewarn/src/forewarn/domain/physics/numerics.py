"""Arithmetic that returns NaN where a formula is undefined, without warnings, and its rounding error."""

import numpy as np

from forewarn.domain.frames.frame import FloatArray


def positive(values: FloatArray) -> FloatArray:
    """Keep values above zero; the others become NaN."""
    return np.where(np.asarray(values) > 0.0, values, np.nan)


def not_negative(values: FloatArray) -> FloatArray:
    """Keep values of at least zero; the others become NaN."""
    return np.where(np.asarray(values) >= 0.0, values, np.nan)


def within(values: FloatArray, low: float, high: float) -> FloatArray:
    """Keep values within [low, high]; the others become NaN."""
    values = np.asarray(values, dtype=np.float64)
    return np.where((values >= low) & (values <= high), values, np.nan)


def log(values: FloatArray) -> FloatArray:
    """Return the natural logarithm; NaN where a value is not above zero."""
    return np.log(positive(values))


def log_mean(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the logarithmic mean ``(a − b)/ln(a/b)``; ``a`` where both are equal; NaN where one is not above zero.

    Near equality the quotient loses its digits, so there it is a series: with ``x = ln(a/b)`` the mean is
    ``√(a·b)·sinh(x/2)/(x/2)``.
    """
    half = 0.5 * (log(one) - log(other))
    near = np.abs(half) < 1e-4
    quotient = np.where(near, 1.0 + np.square(half) / 6.0, np.sinh(half) / np.where(near, 1.0, half))
    return np.sqrt(positive(one)) * np.sqrt(positive(other)) * quotient


def power(base: FloatArray, exponent: FloatArray) -> FloatArray:
    """Return ``base**exponent`` of a positive base; NaN where either is NaN, even for ``1**NaN`` and ``NaN**0``."""
    return np.exp(exponent * log(base))


def ratio(above: FloatArray, below: FloatArray, least: float = np.nextafter(0.0, 1.0)) -> FloatArray:
    """Return ``above/below``; NaN where ``below`` is less than ``least``."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    out = np.full(below.shape, np.nan)
    np.divide(above, below, out=out, where=below >= least)
    return out


def rounding(value: float) -> float:
    """Return how far rounding may carry the result of decimal arithmetic; no sensor resolves it.

    32.3 − 30.3 is 1.9999999999999964 in binary: a limit of 2 must be compared with that in mind.
    """
    return 1e-9 * max(abs(value), 1.0)
