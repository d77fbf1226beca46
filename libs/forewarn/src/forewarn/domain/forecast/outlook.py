"""Forecast with intervals by the method that did best on the column's own past."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.forecast.backtest import Tune, back_test
from forewarn.domain.forecast.choice import Scored, choose, score_methods
from forewarn.domain.forecast.series import BucketSeries, NotForecastable
from forewarn.domain.forecast.spread import Spread, learn_spread
from forewarn.domain.frames.frame import FloatArray

#: Least scale of errors as a share of the range of the history.
_RESOLUTION: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outlook:
    """Forecast of a column."""

    #: Start of the first forecast step (seconds since 1970 UTC) and length of a step [s].
    start_s: float
    step_s: float
    expected: FloatArray  #: Mean of each step, shape (horizon,).
    spread: Spread  #: Distribution of the errors about it.
    method: str  #: Name of the chosen method.
    tested: tuple[Scored, ...]  #: Scores of all methods, the simplest first.

    @property
    def horizon(self) -> int:
        """Return the number of steps."""
        return self.expected.size

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the bounds that hold each step with probability ``level`` (0–1), shape (horizon,)."""
        tail = (1.0 - level) / 2.0
        lower = self.expected + self.spread.quantile(tail)
        upper = self.expected + self.spread.quantile(1.0 - tail)
        return np.minimum(lower, self.expected), np.maximum(upper, self.expected)


def look_ahead(series: BucketSeries, horizon: int, tune: Tune) -> Outlook:
    """Back-test all methods, choose one and forecast with it; the horizon is at most a third of the history.

    Raises NotForecastable if the history is too short, or no method can handle it.
    """
    test = back_test(series, horizon, tune)
    now = test.forecast(series.values, test.plan.horizon)
    errors = {name: rows for name, rows in test.errors.items() if name in now and np.isfinite(rows).any()}
    if not errors:
        raise NotForecastable("no method could be tested on this history")
    method = choose(errors)
    return Outlook(
        start_s=series.end_s,
        step_s=series.step_s,
        expected=now[method],
        spread=learn_spread(errors[method], _resolution(series.values)),
        method=method,
        tested=score_methods(errors),
    )


def _resolution(values: FloatArray) -> float:
    span = float(values.max() - values.min())
    return max(_RESOLUTION * span, float(np.finfo(np.float64).eps) * max(1.0, float(np.abs(values).max())))
