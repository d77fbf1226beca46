"""Models, and the state of the platform."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from forewarn.adapters.disk import DiskSpace, DiskState
from forewarn.contracts.answers.alarms import ModelList
from forewarn.contracts.answers.platform import ComponentState, ProcessingState, ServiceHealth, StageAge, StageState
from forewarn.contracts.base import Identifier
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.limits import MAX_ANSWER_BYTES
from forewarn.ports.delivery import BrokerSilent
from forewarn.ports.history import Card, Cards, HistoryUnavailable
from forewarn.ports.live import LiveView, Stage
from forewarn.ports.progress import StageProgress
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import not_found
from forewarn.usecases.whatif import without_parameters
from forewarn_api.dependencies import BackendDep, StateDep
from forewarn_api.http.parameters import known_parameters
from forewarn_api.paging import Cursor, card_of, cursor_to_card
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems

router = APIRouter()

_STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
_OK: Final = ComponentState(status="ok")


@router.get("/api/v1/models", tags=["models"], responses=problems(503), dependencies=[Depends(known_parameters)])
async def list_models(
    backend: BackendDep,
    asset: Annotated[Identifier | None, Query(description="Only models of this asset.")] = None,
    *,
    all_versions: Annotated[bool, Query(description="Also replaced models.")] = False,
    cursor: Cursor = None,
) -> ModelList:
    """List the cards of fitted models: method, training span, cross-validated quality per tag."""
    after = card_of(cursor)
    if all_versions:
        found = await backend.history.models(asset, after=after)
    else:
        found = _newest_cards(backend.complete_live(), asset, after)
    return ModelList(items=[without_parameters(model) for model in found.items], next_cursor=cursor_to_card(found.last))


@router.get("/api/v1/models/{asset_id}/{kind}/{version}", tags=["models"], responses=problems(404, 503))
async def get_model(
    asset_id: AssetId,
    kind: AssetId,
    version: Annotated[int, Path(ge=1, le=2**31 - 1)],
    backend: BackendDep,
) -> ModelArtefact:
    """Return a version of a model, current or replaced, with its parameters in base64."""
    model = await backend.history.model(asset_id, kind, version)
    if model is None:
        raise not_found(f"There is no version {version} of the {kind} model of {asset_id!r}.")
    return model


@router.get(
    "/healthz",
    tags=["service"],
    responses=problems(also={503: {"model": ServiceHealth, "description": "A dependency of the API is down."}}),
)
async def healthz(response: Response, backend: BackendDep, state: StateDep) -> ServiceHealth:
    """Return the state of Kafka, database and live feed, the age of each stage's newest data, and stalled services.

    503 only if a dependency of the API is down. Another service that has stalled makes it `degraded`, with 200, so
    that a load balancer does not take the API out for it.
    """
    kafka, database = await asyncio.gather(_kafka(backend), _database(backend))
    components = {
        "kafka": kafka,
        "database": database,
        "live": _component(backend.live.problem()),
        "registry": _component(backend.registry.problem()),
    }
    if backend.disk is not None:
        components["disk"] = _disk(backend.disk)
    newest, now = backend.live.newest(), backend.clock.now()
    progress = backend.progress.latest()
    processing = None if progress is None else [_processing(stage) for stage in progress.stages]
    status = _status(components, processing)
    response.status_code = 503 if status == "failed" else 200
    return ServiceHealth(
        status=status,
        components=components,
        stages=[_age(stage, newest.get(stage), now) for stage in _STAGES],
        processing=processing,
        newest_input=None if progress is None else progress.newest_input,
        assets=len(backend.registry.all()),
        open_alarms=len(backend.live.alarms()),
        subscribers=state.push.subscribers,
    )


@router.get("/livez", tags=["service"], response_class=PlainTextResponse)
async def livez() -> str:
    """Answer that the process is alive."""
    return "ok"


@router.get("/readyz", tags=["service"], response_class=PlainTextResponse)
async def readyz(response: Response, backend: BackendDep) -> str:
    """Answer 200 once registry and live state are complete; 503 with the reason until then."""
    problem = backend.not_ready()
    response.status_code = 200 if problem is None else 503
    return problem or "ok"


@router.get("/metrics", tags=["service"], response_class=PlainTextResponse, responses=problems())
async def metrics() -> Response:
    """Return metrics for Prometheus."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _newest_cards(live: LiveView, asset_id: str | None, after: Card | None) -> Cards:
    """Return cards of the newest models behind ``after``, as many as fit into an answer."""
    place = ("", "") if after is None else (after.asset_id, after.kind)
    chosen = [card for card in live.models() if asset_id is None or card.asset_id == asset_id]
    chosen = sorted((c for c in chosen if (c.asset_id, c.kind) > place), key=lambda c: (c.asset_id, c.kind))
    size_bytes = 0
    for number, card in enumerate(chosen):
        size_bytes += len(without_parameters(card).model_dump_json())
        if number and size_bytes > MAX_ANSWER_BYTES:
            last = chosen[number - 1]
            return Cards(tuple(chosen[:number]), Card(asset_id=last.asset_id, kind=last.kind, version=last.version))
    return Cards(tuple(chosen))


async def _kafka(backend: Backend) -> ComponentState:
    try:
        await backend.delivery.ping()
    except BrokerSilent as exc:
        return ComponentState(status="failed", detail=str(exc))
    return _OK


async def _database(backend: Backend) -> ComponentState:
    try:
        await backend.history.ping()
    except HistoryUnavailable:
        return ComponentState(status="failed", detail="the database is down or too slow")
    return _OK


def _status(
    components: Mapping[str, ComponentState], processing: Sequence[ProcessingState] | None
) -> Literal["ok", "degraded", "failed"]:
    if any(component.status == "failed" for component in components.values()):
        return "failed"
    if any(component.status == "degraded" for component in components.values()):
        return "degraded"
    keeps_up = all(one.state is StageState.OK for one in processing or ())
    return "ok" if keeps_up else "degraded"


def _disk(disk: DiskSpace) -> ComponentState:
    state = disk.state()
    if state is DiskState.AMPLE:
        return _OK
    refused = "are refused" if state is DiskState.FULL else "will be refused soon"
    return ComponentState(
        status="degraded",
        detail=f"the disk of broker and database is {state.value}; new readings {refused} (DISK_RESERVE_GB)",
    )


def _processing(stage: StageProgress) -> ProcessingState:
    detail = None
    if stage.state is StageState.STANDS:
        detail = (
            f"{stage.service} reads nothing from {stage.topic}: look at its log (forewarn logs {stage.service}, or "
            f"docker compose logs {stage.service}) and start it again"
        )
    elif stage.state is StageState.BEHIND:
        detail = f"{stage.service} is catching up on {stage.topic}"
    return ProcessingState(
        service=stage.service,
        state=stage.state,
        behind_messages=stage.behind_messages,
        since=stage.since,
        detail=detail,
    )


def _component(problem: str | None) -> ComponentState:
    return _OK if problem is None else ComponentState(status="failed", detail=problem)


def _age(stage: str, newest: datetime | None, now: datetime) -> StageAge:
    return StageAge(stage=stage, newest=newest, age_s=None if newest is None else (now - newest).total_seconds())
