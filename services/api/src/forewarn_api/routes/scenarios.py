"""Scenarios and example plants."""

from typing import Any, Final

from fastapi import APIRouter, Response

from forewarn.adapters.plant_file import example_names, load_plant
from forewarn.adapters.scenario_request import ScenarioRequest, require_sound
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.answers.scenarios import (
    MOST_RETURNED,
    MOST_STREAMED,
    PlantBody,
    PlantStarted,
    ScenarioBody,
    ScenarioData,
    ScenarioItem,
    ScenarioList,
    ScenarioStarted,
)
from forewarn.contracts.assets import Asset, RunScenario, SetUpPlant
from forewarn.domain.simulation.indicator import stated_nameplate
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.scenarios import SCENARIOS
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import ConflictError, InvalidRequestError
from forewarn.usecases.faults import pointer
from forewarn.usecases.registration import register
from forewarn.usecases.workers import Work
from forewarn_api.dependencies import BackendDep
from forewarn_api.jobs import recording_content
from forewarn_api.routes.common import problems
from forewarn_api.strict_json import FromJson

router = APIRouter(prefix="/api/v1/scenarios", tags=["scenarios"])

_DATA: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": ScenarioData,
        "description": "The readings (output json, csv), or the truth about them (labels_csv).",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


@router.get("", responses=problems())
async def list_scenarios() -> ScenarioList:
    """List scenarios, with their usual length and classes, and example plants."""
    items = [
        ScenarioItem(name=item.name, title=item.title, days=item.days, classes=item.classes)
        for item in SCENARIOS.values()
    ]
    return ScenarioList(items=items, plants=example_names())


@router.post(
    "/generate",
    status_code=202,
    response_model=ScenarioStarted,
    responses=problems(409, 413, 503, also=_DATA),
)
async def generate(body: FromJson[ScenarioBody], backend: BackendDep) -> ScenarioStarted | Response:
    """Run a scenario on a machine, into the platform or returned as data.

    A stream needs a running simulator. An unknown asset is registered first.
    """
    request = _request(body, backend)
    _require_possible(body, request, backend)
    if body.output == "stream":
        return await _streamed(body, request, backend)
    return await _returned(body, request, backend)


@router.post("/demo/setup", status_code=202, responses=problems(413, 503))
async def set_up(body: FromJson[PlantBody], backend: BackendDep) -> PlantStarted:
    """Start an example plant: the simulator registers its machines and sends their history and live readings.

    Repeating it changes nothing.
    """
    if body.plant not in example_names():
        fault = Fault(detail=f"there are {', '.join(example_names())}", pointer=pointer("plant"))
        raise InvalidRequestError("unknown-plant", f"There is no example plant {body.plant!r}.", [fault])
    registered = backend.complete_registry().all()
    assets = [entry.asset.asset_id for entry in load_plant(body.plant).assets]
    # keyed by the plant to keep its commands in order
    command_id = await backend.send_command(body.plant, SetUpPlant(plant=body.plant), by=body.by)
    known = [asset_id for asset_id in assets if asset_id in registered]
    return PlantStarted(command_id=command_id, plant=body.plant, assets=assets, known=known)


def _request(body: ScenarioBody, backend: Backend) -> ScenarioRequest:
    return ScenarioRequest(
        scenario=body.scenario,
        asset=_asset(body, backend),
        days=body.duration_days,
        severity=body.severity,
        seed=body.seed,
        step_s=body.interval_s,
        end_s=backend.clock.now().timestamp(),
        start_s=None if body.start is None else body.start.timestamp(),
        tag=body.tag,
    )


def _asset(body: ScenarioBody, backend: Backend) -> Asset:
    """Return the asset, registered or new."""
    known = None if body.asset_id is None else backend.complete_registry().get(body.asset_id)
    if known is not None:
        if body.asset_class not in (None, known.asset_class):
            detail = f"{known.asset_id} is registered as {known.asset_class}, not as {body.asset_class}."
            raise ConflictError("other-class", detail)
        return known
    if body.asset_class is None:
        fault = Fault(detail="it is not registered: name its asset_class too", pointer=pointer("asset_id"))
        raise InvalidRequestError("unknown-asset", f"There is no asset {body.asset_id!r}.", [fault])
    if body.scenario not in SCENARIOS:
        detail = f"there are {', '.join(SCENARIOS)}"
        fault = Fault(detail=detail, pointer=pointer("scenario"))
        raise InvalidRequestError("unknown-scenario", f"There is no scenario {body.scenario!r}.", [fault])
    asset_class = backend.catalogue.get(body.asset_class)
    plate = stated_nameplate(asset_class, {}) if asset_class is not None and asset_class.name in KINDS else {}
    name = body.asset_id or f"SIM-{body.asset_class}-{body.scenario}-{body.seed}"[:128]
    return Asset(
        asset_id=name,
        asset_class=body.asset_class,
        name=f"Simulated: {SCENARIOS[body.scenario].title}",
        path=("simulated",),
        nameplate=plate,
        criticality=1,
    )


def _require_possible(body: ScenarioBody, request: ScenarioRequest, backend: Backend) -> None:
    try:
        require_sound(request, backend.catalogue)
    except ValueError as exc:
        raise InvalidRequestError(
            "unknown-scenario", f"{str(exc)[:1].upper()}{str(exc)[1:]}.", [_fault(body, exc)]
        ) from exc
    most = MOST_STREAMED if body.output == "stream" else MOST_RETURNED
    if request.rows > most:
        fault = Fault(detail=f"at most {most:,} readings at a time", pointer=pointer("interval_s"))
        detail = f"{request.length_days:g} days at {body.interval_s:g} s are {request.rows:,} readings."
        raise InvalidRequestError("too-many-readings", detail, [fault])


def _fault(body: ScenarioBody, exc: ValueError) -> Fault:
    """Return a fault of a field."""
    text = str(exc)
    field = "tag" if body.tag is not None and "tag" in text else "asset_class" if "class" in text else "scenario"
    return Fault(detail=text, pointer=pointer(field))


async def _streamed(body: ScenarioBody, request: ScenarioRequest, backend: Backend) -> ScenarioStarted:
    asset = request.asset
    if backend.complete_registry().get(asset.asset_id) is None:
        await register(asset, backend)
    command = RunScenario(
        scenario=body.scenario,
        asset_class=asset.asset_class,
        days=body.duration_days,
        severity=body.severity,
        seed=body.seed,
        interval_s=body.interval_s,
        acceleration=body.acceleration,
        tag=body.tag,
    )
    return ScenarioStarted(
        command_id=await backend.send_command(asset.asset_id, command, by=body.by),
        asset_id=asset.asset_id,
        asset_class=asset.asset_class,
        scenario=body.scenario,
        readings=request.rows,
    )


async def _returned(body: ScenarioBody, request: ScenarioRequest, backend: Backend) -> Response:
    """Return a scenario's data as an answer."""
    asset = request.asset
    asset_class = backend.catalogue[asset.asset_class]
    content = await backend.workers.run(Work.PLAYING, recording_content, request, body.output, asset_class)
    if body.output == "json":
        return Response(content, media_type="application/json")
    kind = "" if body.output == "csv" else ".labels"
    disposition = f'attachment; filename="{asset.asset_id}.{body.scenario}{kind}.csv"'
    return Response(content, media_type="text/csv", headers={"Content-Disposition": disposition})
