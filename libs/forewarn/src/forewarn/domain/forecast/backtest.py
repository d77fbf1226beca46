"""Back-test with a rolling origin: each method's forecasts from past moments, and their errors.

Every origin sees only earlier steps; parameters are tuned once, on the steps before the first origin, so no error rests
on values the method had seen (Tashman 2000).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.forecast.series import BucketSeries, NotForecastable, Season
from forewarn.domain.frames.frame import FloatArray

#: From the steps so far and a horizon: the forecast of each method, by name.
Forecast = Callable[[FloatArray, int], Mapping[str, FloatArray]]

#: From training steps, seasons and horizon: methods with tuned parameters, the simplest first.
Tune = Callable[[FloatArray, tuple[Season, ...], int], Forecast]

#: Origins of a back-test; fewer than the least give no spread.
MOST_ORIGINS: Final = 16
LEAST_ORIGINS: Final = 5

#: The horizon is at most this share of the history: longer forecasts could not be tested.
MAX_HORIZON_SHARE: Final = 1.0 / 3.0

#: Least share of the history before the first origin: of four weeks enough to learn a week.
_TRAINING_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPlan:
    """Where forecasts start, and their horizon in steps."""

    origins: tuple[int, ...]
    horizon: int

    @classmethod
    def of(cls, steps: int, horizon: int) -> "BacktestPlan":
        """Spread origins evenly over the later part of a history; the last horizon just ends with it.

        Raises NotForecastable if the history is too short for the fewest origins.
        """
        horizon = max(1, min(horizon, int(steps * MAX_HORIZON_SHARE)))
        last, training = steps - horizon, int(np.ceil(steps * _TRAINING_SHARE))
        count = min(MOST_ORIGINS, last - training + 1)
        if count < LEAST_ORIGINS:
            raise NotForecastable(f"a history of {steps} steps is too short to test a forecast of {horizon} steps")
        origins = np.unique(np.linspace(training, last, count).round().astype(int))
        return cls(origins=tuple(origins.tolist()), horizon=horizon)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BackTest:
    """Errors (measured minus forecast) of each method, shape (origins, horizon); NaN where nothing was measured."""

    plan: BacktestPlan
    forecast: Forecast
    errors: Mapping[str, FloatArray]


def back_test(series: BucketSeries, horizon: int, tune: Tune) -> BackTest:
    """Forecast with every method from every origin; a method that fails at one of them is left out.

    Raises NotForecastable if the history is too short.
    """
    plan = BacktestPlan.of(series.values.size, horizon)
    # a season counts only if the first origin has seen it twice
    seasons = tuple(season for season in series.seasons if 2 * season.steps < plan.origins[0])
    forecast = tune(series.values[: plan.origins[0]], seasons, plan.horizon)
    measured = np.where(series.observed, series.values, np.nan)
    errors: dict[str, list[FloatArray]] = {}
    for origin in plan.origins:
        said = forecast(series.values[:origin], plan.horizon)
        for name, values in said.items():
            errors.setdefault(name, []).append(measured[origin : origin + plan.horizon] - values)
    whole = {name: np.array(rows) for name, rows in errors.items() if len(rows) == len(plan.origins)}
    return BackTest(plan=plan, forecast=forecast, errors=whole)
