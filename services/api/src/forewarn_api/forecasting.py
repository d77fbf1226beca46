"""From an asset's history to forecasts of its columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.contracts.answers.forecast import ColumnForecast, TestedMethod
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.forecasts import LimitForecast
from forewarn.domain.forecast.crossing import crossing
from forewarn.domain.forecast.early import limit_forecast
from forewarn.domain.forecast.horizons import Grid
from forewarn.domain.forecast.outlook import Outlook, look_ahead
from forewarn.domain.forecast.series import NotForecastable, resample
from forewarn.domain.frame import FloatArray
from forewarn.domain.rows import US_PER_S, to_datetime
from forewarn.ports.forecasting import Forecaster
from forewarn.ports.history import History, RollUp, Series

#: Columns of one answer: each costs a fraction of a second.
MAX_COLUMNS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for: how far ahead [s], in which steps, and with how wide an interval."""

    horizon_s: float
    grid: Grid
    level: float

    @property
    def roll_up(self) -> RollUp:
        """The widest buckets that fit into a step."""
        if self.grid.step_s >= 86_400:
            return RollUp.DAY
        return RollUp.HOUR if self.grid.step_s >= 3_600 else RollUp.MINUTE

    @property
    def steps(self) -> int:
        """Steps ahead."""
        return max(1, round(self.horizon_s / self.grid.step_s))


def columns_to_forecast(asset_class: AssetClass) -> tuple[str, ...]:
    """Columns people ask for first: those with limits, or else what the twin predicts."""
    limited = [rule.column for rule in asset_class.alarms if rule.source == "threshold" and rule.column is not None]
    return tuple(dict.fromkeys(limited or asset_class.twin.responses))[:MAX_COLUMNS]


def forecasts(history: History, asset_class: AssetClass, wish: Wish, forecaster: Forecaster) -> list[ColumnForecast]:
    """Forecast every column of a history, in its order."""
    times_s = np.array([moment.timestamp() for moment in history.ts], dtype=np.float64)
    counts = np.array(history.count, dtype=np.float64)
    return [_forecast(series, times_s, counts, asset_class, wish, forecaster) for series in history.series]


def _forecast(
    series: Series,
    times_s: FloatArray,
    counts: FloatArray,
    asset_class: AssetClass,
    wish: Wish,
    forecaster: Forecaster,
) -> ColumnForecast:
    values = np.array([np.nan if value is None else value for value in series.values], dtype=np.float64)
    try:
        even = resample(times_s, values, counts, step_s=wish.grid.step_s, steps=wish.grid.steps)
        outlook = look_ahead(even, wish.steps, forecaster.tune)
    except NotForecastable as exc:
        return ColumnForecast(column=series.column, unit=series.unit, reason=f"No forecast: {exc}.")
    lower, upper = outlook.interval(wish.level)
    starts = outlook.start_s + outlook.step_s * np.arange(outlook.horizon)
    return ColumnForecast(
        column=series.column,
        unit=series.unit,
        method=outlook.method,
        ts=[to_datetime(round(start * US_PER_S)) for start in starts.tolist()],
        expected=outlook.expected.tolist(),
        lower=lower.tolist(),
        upper=upper.tolist(),
        limits=_limits(outlook, series, asset_class),
        tested=[TestedMethod(method=item.method, crps=item.crps, mae=item.mae) for item in outlook.tested],
    )


def _limits(outlook: Outlook, series: Series, asset_class: AssetClass) -> list[LimitForecast]:
    found = []
    for rule in asset_class.alarms:
        if rule.source != "threshold" or rule.column != series.column:
            continue
        for limit, rising in ((rule.high, True), (rule.low, False)):
            if limit is not None:
                crossed = crossing(outlook, limit, rising=rising)
                found.append(
                    limit_forecast(outlook, crossed, rule=rule.id, column=series.column, unit=series.unit, limit=limit)
                )
    return found
