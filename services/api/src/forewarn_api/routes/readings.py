"""Ingest and dry-run validation of readings."""

from fastapi import APIRouter, Request, Response

from forewarn.contracts.answers.problems import MAX_ERRORS, Fault
from forewarn.contracts.answers.readings import DryRun, Ingested, Undeliverable
from forewarn.contracts.topics import TopicName
from forewarn.domain.time import to_microseconds
from forewarn.ports.delivery import OutgoingMessage
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import InvalidRequestError, UnavailableError
from forewarn.usecases.workers import Work
from forewarn_api.bodies import READINGS_BODY, ReadingsBody, readings_in
from forewarn_api.dependencies import BackendDep, StateDep
from forewarn_api.dry_run import Judge
from forewarn_api.jobs import verdicts_json
from forewarn_api.metrics import READINGS
from forewarn_api.routes.common import problems

router = APIRouter(prefix="/api/v1/readings", tags=["readings"])


@router.post(
    "",
    status_code=202,
    response_model=Ingested,
    openapi_extra=READINGS_BODY,
    responses=problems(
        413, 415, 503, 507, also={207: {"model": Ingested, "description": "Some readings are stored, some are not."}}
    ),
)
async def ingest(request: Request, response: Response, backend: BackendDep, state: StateDep) -> Ingested:
    """Send up to 5000 readings to the platform.

    Answers once the broker has stored all of them on all replicas. Readings of an asset keep their order. If one is
    invalid or names an unknown asset, none is sent. Sending a reading twice does no harm: the validator drops the
    duplicate.
    """
    backend.require_disk()
    body = await readings_in(request, state.reading)
    _require_known(body, backend)
    messages = [_message(*reading) for reading in zip(body.asset_ids, body.values, strict=True)]
    failed = await backend.delivery.send(messages)
    READINGS.labels(outcome="stored").inc(len(messages) - len(failed))
    READINGS.labels(outcome="failed").inc(len(failed))
    if len(failed) == len(messages):
        detail = f"The broker confirmed none of the readings ({failed[0].reason}). It is safe to send them again."
        raise UnavailableError("broker-unavailable", detail, retry_after_s=5)
    if failed:
        response.status_code = 207
    return Ingested(
        accepted=len(messages) - len(failed),
        failed=len(failed),
        failures=[Undeliverable(index=f.index, asset_id=body.asset_ids[f.index], reason=f.reason) for f in failed],
    )


@router.post("/validate", response_model=DryRun, openapi_extra=READINGS_BODY, responses=problems(413, 415, 503))
async def validate(request: Request, backend: BackendDep, state: StateDep) -> Response:
    """Judge readings like the validator, without sending them.

    Rules that need an asset's past (spikes, frozen sensors) see only the readings of the request.
    """
    backend.workers.require_room(Work.JUDGING)  # before a long body is parsed
    body = await readings_in(request, state.reading)
    registry = backend.complete_registry()
    assets = {asset_id: asset for asset_id in set(body.asset_ids) if (asset := registry.get(asset_id)) is not None}
    classes = {asset.asset_class for asset in assets.values()}
    judge = Judge(
        assets=assets,
        catalogue={name: backend.catalogue[name] for name in classes & backend.catalogue.keys()},
        guard=backend.guard,
        now_us=to_microseconds(backend.clock.now()),
    )
    verdicts = await backend.workers.run(Work.JUDGING, verdicts_json, body, judge)
    return Response(verdicts, media_type="application/json")


def _message(asset_id: str, value: bytes) -> OutgoingMessage:
    return OutgoingMessage(topic=TopicName.READINGS_RAW, key=asset_id.encode(), value=value)


def _require_known(body: ReadingsBody, backend: Backend) -> None:
    registry = backend.complete_registry()
    unknown = {asset_id for asset_id in set(body.asset_ids) if registry.get(asset_id) is None}
    if not unknown:
        return
    faults = [
        Fault(detail=f"the asset {asset_id!r} is not registered", pointer=body.pointer(index, "asset_id"))
        for index, asset_id in enumerate(body.asset_ids)
        if asset_id in unknown
    ]
    READINGS.labels(outcome="unknown_asset").inc(len(faults))
    names = sorted(unknown)[:MAX_ERRORS]
    detail = f"Unknown assets: {', '.join(names)}. Nothing was sent: register them with POST /api/v1/assets first."
    raise InvalidRequestError("unknown-asset", detail, faults, extras={"assets": names})
