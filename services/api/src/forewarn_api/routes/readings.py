"""Ingest of readings, and their dry-run validation."""

from fastapi import APIRouter, Request, Response

from forewarn.contracts.readings import Reading
from forewarn.contracts.topics import TopicName
from forewarn.ports.delivery import Message
from forewarn_api.backend import Backend, Uses
from forewarn_api.bodies import READINGS_BODY, ReadingsBody, readings_in, wire_form
from forewarn_api.dry_run import dry_run
from forewarn_api.metrics import READINGS
from forewarn_api.models.readings import DryRun, Ingested, Undeliverable
from forewarn_api.problems import MAX_ERRORS, Fault, ProblemError, unprocessable
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
async def ingest(request: Request, response: Response, backend: Uses) -> Ingested:
    """Send one reading or up to 5000 to the platform.

    Answers after the broker has stored every one of them on all replicas. Readings of one asset keep
    their order. If a reading breaks the contract or names an unknown asset, none is sent. Sending the
    same reading twice does no harm: the validator drops the second one.
    """
    backend.require_disk()
    body = await readings_in(request)
    _require_known(body, backend)
    readings = body.readings
    messages = [_message(reading) for reading in readings]
    failed = await backend.delivery.send(messages)
    READINGS.labels(outcome="stored").inc(len(readings) - len(failed))
    READINGS.labels(outcome="failed").inc(len(failed))
    if len(failed) == len(readings):
        detail = f"The broker confirmed none of the readings ({failed[0].reason}). It is safe to send them again."
        raise ProblemError(503, "broker-unavailable", detail, retry_after_s=5)
    if failed:
        response.status_code = 207
    return Ingested(
        accepted=len(readings) - len(failed),
        failed=len(failed),
        failures=[Undeliverable(index=f.index, asset_id=readings[f.index].asset_id, reason=f.reason) for f in failed],
    )


@router.post("/validate", openapi_extra=READINGS_BODY, responses=problems(413, 415, 503))
async def validate(request: Request, backend: Uses) -> DryRun:
    """Say what the validator would make of readings, without sending them.

    Rules that need an asset's past (spikes, frozen sensors) see only what the request holds.
    """
    return dry_run((await readings_in(request)).readings, backend)


def _message(reading: Reading) -> Message:
    return Message(topic=TopicName.READINGS_RAW, key=reading.asset_id.encode(), value=wire_form(reading))


def _require_known(body: ReadingsBody, backend: Backend) -> None:
    registry = backend.complete_registry()
    unknown = {r.asset_id for r in body.readings if registry.get(r.asset_id) is None}
    if not unknown:
        return
    faults = [
        Fault(detail=f"nobody has registered the asset {r.asset_id!r}", pointer=body.pointer(index, "asset_id"))
        for index, r in enumerate(body.readings)
        if r.asset_id in unknown
    ]
    READINGS.labels(outcome="unknown_asset").inc(len(faults))
    names = sorted(unknown)[:MAX_ERRORS]
    detail = f"Unknown assets: {', '.join(names)}. Nothing was sent: register them with POST /api/v1/assets first."
    raise unprocessable("unknown-asset", detail, faults, extras={"assets": names})
