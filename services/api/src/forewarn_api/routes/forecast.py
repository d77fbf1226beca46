"""Forecasts of one asset."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from forewarn.contracts.answers.forecast import ForecastAnswer
from forewarn.contracts.answers.problems import Fault
from forewarn.domain.forecast.horizons import LONGEST_S
from forewarn.usecases.errors import InvalidRequestError
from forewarn.usecases.forecasting import MAX_COLUMNS, ForecastRequest, forecast_asset
from forewarn_api.dependencies import BackendDep
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["state"])

_LONGEST_H: Final = LONGEST_S / 3_600


@router.get("/forecast", responses=problems(404, 503))
async def forecast(
    asset_id: AssetId,
    backend: BackendDep,
    columns: Annotated[
        list[str] | None,
        Query(
            max_length=64,
            description=f"Tags or derived quantities, comma-separated, {MAX_COLUMNS} at most; "
            "by default those with alarm limits.",
        ),
    ] = None,
    horizon_h: Annotated[float, Query(gt=0, le=_LONGEST_H, description="How far ahead, in hours.")] = 48.0,
    level: Annotated[float, Query(ge=0.5, le=0.99, description="Probability of the interval.")] = 0.8,
) -> ForecastAnswer:
    """Forecast columns with intervals, and when they reach alarm limits.

    The method is chosen for each column by a back-test on its stored history, whose errors give the intervals.
    Operation is assumed to continue as before.
    """
    request = ForecastRequest(columns=_chosen(columns), horizon_s=horizon_h * 3_600, level=level)
    return await forecast_asset(backend, asset_id, request)


def _chosen(columns: list[str] | None) -> tuple[str, ...]:
    chosen = tuple(name for part in columns or () for name in part.split(",") if name)
    asked = len(set(chosen))
    if asked > MAX_COLUMNS:
        detail = f"{asked} columns are too many: {MAX_COLUMNS} at most"
        raise InvalidRequestError("invalid-request", f"{detail}.", [Fault(detail=detail, parameter="query.columns")])
    return chosen
