"""Series with a known course."""

import numpy as np

from forewarn.domain.forecast.baselines import moving_average, theil_sen
from forewarn.domain.forecast.series import BucketSeries

STEP_S = 10_800.0
PER_DAY = 8


def course(steps, *, slope_per_day=0.0, daily=0.0, noise=0.1, level=50.0, seed=0, start=0):
    """A level with a trend, a course of the day and noise."""
    days = (start + np.arange(steps)) / PER_DAY
    rng = np.random.default_rng(seed)
    return level + slope_per_day * days + daily * np.sin(2 * np.pi * days) + noise * rng.standard_normal(steps)


def series(values):
    values = np.asarray(values, dtype=np.float64)
    return BucketSeries(start_s=0.0, step_s=STEP_S, values=values, observed=np.isfinite(values))


def simple_tune(training, seasons, horizon):
    """Two methods that need no library, fast enough for property tests."""

    def forecast(history, horizon):
        return {
            "moving_average": moving_average(history, PER_DAY, horizon),
            "line": theil_sen(history, 2 * horizon, horizon),
        }

    return forecast
