"""Forecasts of one asset."""

import asyncio
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from forewarn.domain.forecast.horizons import LONGEST_S, grid_for
from forewarn.domain.rows import to_datetime
from forewarn.ports.forecasting import ForecasterUnavailable
from forewarn.ports.history import HistoryQuery
from forewarn_api.backend import Uses
from forewarn_api.forecasting import MAX_COLUMNS, Wish, columns_to_forecast, forecasts
from forewarn_api.models.forecast import ForecastAnswer
from forewarn_api.problems import Fault, ProblemError, unprocessable
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems
from forewarn_api.services import Pushes

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["state"])

_LONGEST_H: Final = LONGEST_S / 3_600
_MOST_BUCKETS: Final = 10_000


@router.get("/forecast", responses=problems(404, 503))
async def forecast(
    asset_id: AssetId,
    backend: Uses,
    running: Pushes,
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
    chosen = tuple(name for part in columns or () for name in part.split(",") if name)
    if len(set(chosen)) > MAX_COLUMNS:
        detail = f"{len(set(chosen))} columns are too many: {MAX_COLUMNS} at most"
        raise unprocessable("invalid-request", f"{detail}.", [Fault(detail=detail, parameter="query.columns")])
    step_s = wish.grid.step_s
    end_s = backend.clock.now().timestamp() // step_s * step_s  # a step that still fills says little
    end = to_datetime(round(end_s * 1e6))
    query = HistoryQuery(
        asset_id=asset_id,
        start=end - timedelta(seconds=step_s * wish.grid.steps),
        end=end,
        columns=chosen or columns_to_forecast(asset_class),
        roll_up=wish.roll_up,
        max_points=_MOST_BUCKETS,
    )
    history = await backend.history.history(query)
    answer = ForecastAnswer(
        asset_id=asset_id,
        asset_class=asset.asset_class,
        level=level,
        step_s=step_s,
        horizon_s=wish.horizon_s,
        forecasts=[],
    )
    if history is None:
        return answer
    async with running.forecasting:  # one at a time: forecasts must not starve other requests of CPU
        try:
            made = await asyncio.to_thread(forecasts, history, asset_class, wish, backend.forecaster)
        except ForecasterUnavailable as exc:
            raise ProblemError(503, "forecasts-unavailable", f"There are no forecasts here: {exc}.") from exc
    return answer.model_copy(update={"forecasts": made})
