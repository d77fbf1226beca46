"""Costs of an asset's condition, and savings."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, Query

from forewarn.contracts.economics import EconomicReport
from forewarn.domain.economics.report import Power, economic_report
from forewarn.domain.frames.frame import FloatArray
from forewarn.ports.history import MAX_ROWS, BadQuery, HistoryQuery, Interval, RollUp, Series
from forewarn.usecases.backend import Backend
from forewarn_api.dependencies import BackendDep
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["state"])

LONGEST_PERIOD_DAYS: Final = 366
#: Up to this period power is summed by minutes, beyond it by hours, whose means mix running and standstill.
BY_MINUTE_DAYS: Final = 31
#: Health events of a period, one in 43 minutes of a month.
_COURSE_POINTS: Final = 1_000


@router.get("/economics", responses=problems(404, 503))
async def economics(
    asset_id: AssetId,
    backend: BackendDep,
    days: Annotated[
        int, Query(ge=1, le=LONGEST_PERIOD_DAYS, description="Days to look back for wasted energy and savings.")
    ] = 30,
) -> EconomicReport:
    """Estimate the cost of failures, wasted energy, repair now or later, and savings, with the assumptions."""
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    now = backend.clock.now()
    start = now - timedelta(days=days)
    column = asset_class.economics.power
    return economic_report(
        asset,
        asset_class,
        now=now,
        period_days=float(days),
        health=await backend.current_health(asset_id),
        course=await backend.history.health(asset_id, Interval(start=start, end=now, limit=_COURSE_POINTS)),
        power=None if column is None else await _power(backend, asset_id, column, start, now),
    )


async def _power(backend: Backend, asset_id: str, column: str, start: datetime, end: datetime) -> Power | None:
    roll_up = RollUp.MINUTE if end - start <= timedelta(days=BY_MINUTE_DAYS) else RollUp.HOUR
    page = timedelta(minutes=1 if roll_up is RollUp.MINUTE else 60) * (MAX_ROWS - 1)
    parts: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    for low, high in _stretches(start, end, page):
        query = HistoryQuery(
            asset_id=asset_id, start=low, end=high, columns=(column,), roll_up=roll_up, max_points=MAX_ROWS
        )
        try:
            found = await backend.history.history(query)
        except BadQuery:  # the database has not been provisioned with the column yet
            return None
        if found is None:
            return None
        series = found.series[0]
        times = np.array([at.timestamp() for at in found.ts], dtype=np.float64)
        parts.append((times, _numbers(series, series.values), _numbers(series, series.expected)))
    times, measured, expected = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Power(times_s=times, measured_kw=measured, expected_kw=expected)


def _stretches(start: datetime, end: datetime, page: timedelta) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(end, start + page)
        start += page


def _numbers(series: Series, values: tuple[float | None, ...]) -> FloatArray:
    known = values or (None,) * len(series.values)
    return np.array([np.nan if value is None else value for value in known], dtype=np.float64)
