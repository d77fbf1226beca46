"""Forecasts of one asset."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from forewarn.contracts.answers.forecast import ColumnForecast, ForecastAnswer
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.forecast.horizons import LONGEST_S, grid_for
from forewarn.domain.rows import to_datetime
from forewarn.ports.forecasting import ForecasterUnavailable
from forewarn.ports.history import History, HistoryQuery
from forewarn_api.backend import Backend, Uses
from forewarn_api.forecasting import MAX_COLUMNS, Wish, columns_to_forecast
from forewarn_api.jobs import forecasts
from forewarn_api.problems import ProblemError, unprocessable
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems
from forewarn_api.workers import Work

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["state"])

_LONGEST_H: Final = LONGEST_S / 3_600
_MOST_BUCKETS: Final = 10_000


@router.get("/forecast", responses=problems(404, 503))
async def forecast(
    asset_id: AssetId,
    backend: Uses,
    columns: Annotated[
        list[str] | None,
        Query(
            max_length=64,
            description=f"Tags or derived quantities, comma-separated, {MAX_COLUMNS} at most; "
            "those with alarm limits if none.",
        ),
    ] = None,
    horizon_h: Annotated[float, Query(gt=0, le=_LONGEST_H, description="How far ahead, in hours.")] = 48.0,
    level: Annotated[float, Query(ge=0.5, le=0.99, description="Probability that the interval holds.")] = 0.8,
) -> ForecastAnswer:
    """Expected course of columns with intervals, and when they reach the limits of alarms.

    The method is chosen for each column by a back-test on its own stored history; the intervals
    are made of the errors in it. Present operation is assumed to go on as it did.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    wish = Wish(horizon_s=horizon_h * 3_600, grid=grid_for(horizon_h * 3_600), level=level)
    chosen = _chosen(columns) or columns_to_forecast(asset_class)
    history = await backend.history.history(_past(asset_id, chosen, wish, backend.clock.now()))
    made = [] if history is None else await _made(history, asset_class, wish, backend)
    return ForecastAnswer(
        asset_id=asset_id,
        asset_class=asset.asset_class,
        level=level,
        step_s=wish.grid.step_s,
        horizon_s=wish.horizon_s,
        forecasts=made,
    )


def _chosen(columns: list[str] | None) -> tuple[str, ...]:
    chosen = tuple(name for part in columns or () for name in part.split(",") if name)
    asked = len(set(chosen))
    if asked > MAX_COLUMNS:
        detail = f"{asked} columns are too many: {MAX_COLUMNS} at most"
        raise unprocessable("invalid-request", f"{detail}.", [Fault(detail=detail, parameter="query.columns")])
    return chosen


def _past(asset_id: str, columns: tuple[str, ...], wish: Wish, now: datetime) -> HistoryQuery:
    """The past that a forecast rests on, without the step that still fills: it says little."""
    step_s = wish.grid.step_s
    end = to_datetime(round(now.timestamp() // step_s * step_s * 1e6))
    return HistoryQuery(
        asset_id=asset_id,
        start=end - timedelta(seconds=step_s * wish.grid.steps),
        end=end,
        columns=columns,
        roll_up=wish.roll_up,
        max_points=_MOST_BUCKETS,
    )


async def _made(history: History, asset_class: AssetClass, wish: Wish, backend: Backend) -> list[ColumnForecast]:
    try:
        return await backend.workers.run(Work.LOOKING, forecasts, history, asset_class, wish, backend.forecaster)
    except ForecasterUnavailable as exc:
        raise ProblemError(503, "forecasts-unavailable", f"There are no forecasts here: {exc}.") from exc
