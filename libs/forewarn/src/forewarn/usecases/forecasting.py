"""Forecasts of an asset's columns from its stored history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from forewarn.contracts.answers.forecast import ColumnForecast, ForecastAnswer, TestedMethod
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.forecasts import LimitForecast
from forewarn.domain.forecast.crossing import crossing
from forewarn.domain.forecast.early import limit_forecast
from forewarn.domain.forecast.horizons import Grid, grid_for
from forewarn.domain.forecast.outlook import Outlook, look_ahead
from forewarn.domain.forecast.series import NotForecastable, resample
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.time import US_PER_S, to_datetime
from forewarn.ports.forecasting import Forecaster, ForecasterUnavailable
from forewarn.ports.history import History, HistoryQuery, RollUp, Series
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import UnavailableError
from forewarn.usecases.workers import Work

#: Columns of one answer; each takes a fraction of a second.
MAX_COLUMNS: Final = 8


_MOST_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """Columns (empty: those with alarm limits), horizon [s], and probability of the interval."""

    columns: tuple[str, ...]
    horizon_s: float
    level: float

    @property
    def grid(self) -> Grid:
        """Time grid of the forecast."""
        return grid_for(self.horizon_s)

    @property
    def roll_up(self) -> RollUp:
        """Widest buckets that fit into a step."""
        if self.grid.step_s >= 86_400:
            return RollUp.DAY
        return RollUp.HOUR if self.grid.step_s >= 3_600 else RollUp.MINUTE

    @property
    def steps(self) -> int:
        """Number of steps ahead."""
        return max(1, round(self.horizon_s / self.grid.step_s))


async def forecast_asset(backend: Backend, asset_id: str, request: ForecastRequest) -> ForecastAnswer:
    """Forecast columns of an asset.

    Raises ``NotFoundError`` if there is no such asset. Raises ``UnavailableError`` if this installation cannot
    forecast, or too many forecasts are under way.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    columns = request.columns or default_columns(asset_class)
    history = await backend.history.history(_past(asset_id, columns, request, backend.clock.now()))
    try:
        made = (
            []
            if history is None
            else await backend.workers.run(Work.LOOKING, forecasts, history, asset_class, request, backend.forecaster)
        )
    except ForecasterUnavailable as exc:
        raise UnavailableError("forecasts-unavailable", f"There are no forecasts here: {exc}.") from exc
    return ForecastAnswer(
        asset_id=asset_id,
        asset_class=asset.asset_class,
        level=request.level,
        step_s=request.grid.step_s,
        horizon_s=request.horizon_s,
        forecasts=made,
    )


def _past(asset_id: str, columns: tuple[str, ...], request: ForecastRequest, now: datetime) -> HistoryQuery:
    """Return the history that a forecast is based on, up to the last complete step."""
    step_s = request.grid.step_s
    end = to_datetime(round(now.timestamp() // step_s * step_s * 1e6))
    return HistoryQuery(
        asset_id=asset_id,
        start=end - timedelta(seconds=step_s * request.grid.steps),
        end=end,
        columns=columns,
        roll_up=request.roll_up,
        max_points=_MOST_BUCKETS,
    )


def default_columns(asset_class: AssetClass) -> tuple[str, ...]:
    """Return the columns with alarm limits; those that the twin predicts if there are none."""
    limited = [rule.column for rule in asset_class.alarms if rule.source == "threshold" and rule.column is not None]
    return tuple(dict.fromkeys(limited or asset_class.twin.responses))[:MAX_COLUMNS]


def forecasts(
    history: History, asset_class: AssetClass, request: ForecastRequest, forecaster: Forecaster
) -> list[ColumnForecast]:
    """Forecast the columns of a history, in order."""
    times_s = np.array([moment.timestamp() for moment in history.ts], dtype=np.float64)
    counts = np.array(history.count, dtype=np.float64)
    return [_forecast(series, times_s, counts, asset_class, request, forecaster) for series in history.series]


def _forecast(
    series: Series,
    times_s: FloatArray,
    counts: FloatArray,
    asset_class: AssetClass,
    request: ForecastRequest,
    forecaster: Forecaster,
) -> ColumnForecast:
    values = np.array([np.nan if value is None else value for value in series.values], dtype=np.float64)
    try:
        even = resample(times_s, values, counts, step_s=request.grid.step_s, steps=request.grid.steps)
        outlook = look_ahead(even, request.steps, forecaster.tune)
    except NotForecastable as exc:
        return ColumnForecast(column=series.column, unit=series.unit, reason=f"No forecast: {exc}.")
    lower, upper = outlook.interval(request.level)
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
