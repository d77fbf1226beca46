"""Resample irregular readings to a series of equal steps: means of buckets, with short gaps filled."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.time import S_PER_DAY

#: Fewest steps for a forecast.
MIN_STEPS: Final = 36

#: Least share of steps with readings; the filled steps between are guesses.
MIN_OBSERVED: Final = 0.4

_WEEK_S: Final = 604_800.0


class NotForecastable(Exception):  # noqa: N818  # a fact about the history, not a failure
    """The history does not allow a forecast; the message says why."""


@dataclass(frozen=True, slots=True)
class Season:
    """A repeating pattern: its name and its length in steps."""

    name: str
    steps: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BucketSeries:
    """One column in equal steps, complete."""

    start_s: float  #: Start of the first step, seconds since 1970 UTC, a multiple of ``step_s``.
    step_s: float  #: Length of a step [s].
    values: FloatArray  #: Mean of each step, shape (n,); filled where there are no readings.
    observed: NDArray[np.bool_]  #: Whether the step has its own readings, shape (n,).

    @property
    def end_s(self) -> float:
        """Return the end of the last step, where forecasts begin."""
        return self.start_s + self.step_s * self.values.size

    @property
    def seasons(self) -> tuple[Season, ...]:
        """Return day and week, if the series holds three days or two weeks of them, shortest first."""
        found = (
            (Season("daily", round(S_PER_DAY / self.step_s)), 3),
            (Season("weekly", round(_WEEK_S / self.step_s)), 2),
        )
        return tuple(item for item, times in found if item.steps >= 2 and times * item.steps < self.values.size)


def resample(times_s: FloatArray, values: FloatArray, counts: FloatArray, *, step_s: float, steps: int) -> BucketSeries:
    """Average readings, or means of finer buckets, over the last ``steps`` steps up to the newest reading.

    Times are seconds since 1970 UTC in any order; NaN values are skipped; ``counts`` are the readings behind each
    value; all of shape (n,). Raises NotForecastable if there are too few readings, or gaps are too large.
    """
    known = np.isfinite(values) & (counts > 0)
    if not known.any():
        raise NotForecastable(f"there are no readings of good quality before the present step of {step_s / 3600:g} h")
    places = np.floor_divide(times_s[known], step_s).astype(np.int64)
    last = int(places.max())
    first = max(int(places.min()), last - steps + 1)
    inside = places >= first
    places, kept, weights = places[inside] - first, values[known][inside], counts[known][inside]
    length = last - first + 1
    weight = np.bincount(places, weights=weights, minlength=length)
    total = np.bincount(places, weights=weights * kept, minlength=length)
    means = np.divide(total, weight, out=np.full(length, np.nan), where=weight > 0)
    return complete(means, start_s=first * step_s, step_s=step_s)


def complete(means: FloatArray, *, start_s: float, step_s: float) -> BucketSeries:
    """Fill the gaps of a series of bucket means with the daily pattern plus a line between the neighbours.

    Raises NotForecastable if the series is too short, or too much of it is missing.
    """
    observed = np.isfinite(means)
    if means.size < MIN_STEPS:
        raise NotForecastable(
            f"the history covers {means.size} steps of {_duration(step_s)}, a forecast needs {MIN_STEPS}"
        )
    share = float(observed.mean())
    if share < MIN_OBSERVED:
        raise NotForecastable(
            f"only {share:.0%} of the steps of {_duration(step_s)} have readings, a forecast needs {MIN_OBSERVED:.0%}"
        )
    course = _daily_course(means, observed, start_s, step_s)
    places = np.arange(means.size, dtype=np.float64)
    rest = np.interp(places, places[observed], (means - course)[observed])
    values = np.where(observed, means, rest + course)
    return BucketSeries(start_s=start_s, step_s=step_s, values=values, observed=observed)


def _daily_course(means: FloatArray, observed: NDArray[np.bool_], start_s: float, step_s: float) -> FloatArray:
    """Return the median at each time of day, relative to the overall median; 0 where that time has no readings."""
    period = round(S_PER_DAY / step_s)
    course = np.zeros(means.shape)
    if observed.all() or period < 2 or means.size < 2 * period:
        return course
    times = (np.arange(means.size) + round(start_s / step_s)) % period
    middle = float(np.median(means[observed]))
    for time in range(period):
        same = means[(times == time) & observed]
        if same.size:
            course[times == time] = float(np.median(same)) - middle
    return course


def _duration(seconds: float) -> str:
    if seconds >= S_PER_DAY:
        return f"{seconds / S_PER_DAY:g} d"
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"
