"""Newest values, history and health of one asset."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from forewarn.contracts.answers.assets import HealthAnswer, HistoryAnswer, LatestState, StateOfAsset
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import UtcDatetime
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.limits import MAX_ANSWER_BYTES
from forewarn.ports.history import History, HistoryQuery, Interval, RollUp
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import InvalidRequestError
from forewarn.usecases.intervals import TWIN_KIND
from forewarn.usecases.workers import Work
from forewarn_api.csv_export import history_csv
from forewarn_api.dependencies import BackendDep
from forewarn_api.jobs import history_json, history_text
from forewarn_api.present import latest_state, nothing_stored
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["state"])

LONGEST_RANGE: Final = timedelta(days=3_660)
DEFAULT_RANGE: Final = timedelta(hours=1)
#: Encoding so many blocks the event loop for a few milliseconds.
_FEW_VALUES: Final = 2_000
_CSV: Final = "text/csv; charset=utf-8"
_MOST_NUMBERS: Final = MAX_ANSWER_BYTES // 8  # the usual length of a number with its comma

From = Annotated[UtcDatetime | None, Query(alias="from", description="Inclusive; by default an hour before 'to'.")]
To = Annotated[UtcDatetime | None, Query(description="Exclusive; by default now.")]


class Resolution(StrEnum):
    """Width of buckets; ``auto`` is the finest that fits into ``max_points``."""

    AUTO = "auto"
    RAW = "raw"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


@router.get("/latest", response_model=LatestState, responses=problems(404, 503))
async def latest(asset_id: AssetId, backend: BackendDep) -> StateOfAsset:
    """Return every column's newest value, unit, quality, expected value and residual; score, health, open alarms."""
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    live = backend.live.asset(asset_id)
    if live is None or live.reading is None:  # no reading since this API started
        backend.live.seed(await backend.history.latest([asset_id]), await backend.history.latest_health([asset_id]))
        live = backend.live.asset(asset_id)
    return latest_state(asset, asset_class, live, backend.live.model(asset_id, TWIN_KIND), backend.clock.now())


@router.get(
    "/history",
    response_model=HistoryAnswer,
    responses=problems(404, 503, also={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}),
)
async def history(
    asset_id: AssetId,
    backend: BackendDep,
    since: From = None,
    to: To = None,
    columns: Annotated[
        list[str] | None,
        Query(max_length=64, description="Tags or derived quantities, comma-separated; by default all."),
    ] = None,
    resolution: Resolution = Resolution.AUTO,
    max_points: Annotated[int, Query(ge=1, le=10_000)] = 2_000,
    format: Literal["json", "csv"] = "json",  # noqa: A002  # the parameter's public name
) -> Response:
    """Return measured and expected values, anomaly score and deviation over time.

    Raw readings come in pages of ``max_points``: continue at ``next_from``. Buckets hold mean, minimum, maximum and
    the share of readings of good quality. A page of very many columns is shorter than requested.
    """
    asset = await backend.known_or_removed(asset_id)
    start, end = _range(since, to, backend.clock.now())
    chosen = tuple(name for part in columns or () for name in part.split(",") if name)
    query = HistoryQuery(
        asset_id=asset_id,
        start=start,
        end=end,
        columns=chosen,
        roll_up=None if resolution is Resolution.AUTO else RollUp(resolution.value),
        max_points=_affordable(max_points, backend.known_class(asset.asset_class), chosen),
    )
    found = await backend.history.history(query)
    cards = () if found is None else (await backend.history.models(asset_id)).items
    if format == "json":
        body = nothing_stored(asset).model_dump_json().encode()
        if found is not None:
            body = await _made(history_json, found, cards, backend)
        return Response(body, media_type="application/json")
    name = f"{asset_id}-{'raw' if found is None else found.roll_up.value}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    if found is None:
        return Response(history_csv(nothing_stored(asset)), media_type=_CSV, headers=disposition)
    first = await _made(history_text, found, cards, backend)
    parts = _csv_parts(backend, query, found, first, cards, max_points)
    return StreamingResponse(parts, media_type=_CSV, headers=disposition)


async def _made(
    make: Callable[[History, Sequence[ModelArtefact]], bytes],
    found: History,
    cards: Sequence[ModelArtefact],
    backend: Backend,
) -> bytes:
    """Return the body of an answer, encoded by a worker if it is long."""
    if len(found.ts) * len(found.series) <= _FEW_VALUES:
        return make(found, cards)
    return await backend.workers.run(Work.LOOKING, make, found, cards)


async def _csv_parts(
    backend: Backend,
    query: HistoryQuery,
    found: History,
    first: bytes,
    cards: Sequence[ModelArtefact],
    max_points: int,
) -> AsyncIterator[bytes]:
    """Yield a file of up to ``max_points`` lines, page by page."""
    yield first
    page: History | None = found
    left = max_points - len(found.ts)
    while page is not None and page.next_start is not None and left > 0:
        size = min(query.max_points, left)
        page = await backend.history.history(
            replace(query, start=page.next_start, roll_up=page.roll_up, max_points=size)
        )
        if page is None or not page.ts:
            return
        left -= len(page.ts)
        # In a thread: a worker may be busy, and it is too late for a 503.
        yield await asyncio.to_thread(history_text, page, cards, headings=False)


def _affordable(max_points: int, asset_class: AssetClass, columns: Collection[str]) -> int:
    """Return how many of ``max_points`` fit into an answer, with up to five numbers a column and seven more each."""
    width = 7 + 5 * (len(columns) or len(asset_class.column_names))
    return max(1, min(max_points, _MOST_NUMBERS // width))


@router.get("/health", responses=problems(404, 503))
async def health(
    asset_id: AssetId,
    backend: BackendDep,
    since: From = None,
    to: To = None,
    max_points: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> HealthAnswer:
    """Return health with breakdown, trend and remaining useful life; with ``from``, also its history."""
    await backend.known_or_removed(asset_id)
    current = await backend.current_health(asset_id)
    if since is None:
        return HealthAnswer(asset_id=asset_id, current=current)
    start, end = _range(since, to, backend.clock.now())
    past = await backend.history.health(asset_id, Interval(start=start, end=end, limit=max_points))
    return HealthAnswer(asset_id=asset_id, current=current, history=list(past))


def _range(since: datetime | None, to: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    end = now if to is None else to
    start = end - DEFAULT_RANGE if since is None else since
    if not timedelta(0) < end - start <= LONGEST_RANGE:
        detail = f"the range must have a length of at most {LONGEST_RANGE.days} days"
        raise InvalidRequestError(
            "invalid-request",
            f"The time range is not usable: {detail}.",
            [Fault(detail=detail, parameter="query.from")],
        )
    return start, end
