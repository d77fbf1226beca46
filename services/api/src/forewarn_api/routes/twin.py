"""The twin of an asset: what it knows, what if, learning anew."""

import asyncio
from typing import Final

from fastapi import APIRouter

from forewarn.domain.twin.presets import presets_of
from forewarn.domain.twin.whatif import Change
from forewarn_api.backend import Backend, Uses
from forewarn_api.models.twin import BaselineAccepted, BaselineRequest, TwinAnswer, WhatIfAnswer, WhatIfRequest
from forewarn_api.problems import Fault, ProblemError, pointer, unprocessable
from forewarn_api.relearning import order_baseline
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems
from forewarn_api.whatif import Subject, ask, describe, subject_of

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["twin"])

_NO_MODEL: Final = (
    "Nobody can be asked: the twin of {asset_id} still learns, and fewer than two other assets of its class have "
    "learned. Try again when it has learned."
)


@router.get("/twin", responses=problems(404, 503))
async def get_twin(asset_id: AssetId, backend: Uses) -> TwinAnswer:
    """Card of the asset's own model, drivers with their learned ranges, named questions.

    While it has no model of its own, the newest reading as two or more other assets of its class would
    judge it: with low confidence, stored nowhere, and never a reason for an alarm.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    return await asyncio.to_thread(describe, asset, asset_class, await _subject(backend, asset_id))


@router.post("/what-if", responses=problems(404, 409, 413, 503))
async def what_if(asset_id: AssetId, body: WhatIfRequest, backend: Uses) -> WhatIfAnswer:
    """Expected values, derived quantities, health and remaining life if the machine were operated differently.

    Nothing is changed or stored. Starts from the newest reading.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    changes = [Change(column=c.column, value=c.value, factor=c.factor, shift=c.shift) for c in body.changes]
    if body.preset is not None:
        known = presets_of(asset_class)
        if body.preset not in known:
            detail = f"{asset_class.name} can be asked: {', '.join(known) or 'nothing by name, give changes'}"
            fault = Fault(detail=detail, pointer=pointer("preset"))
            raise unprocessable("unknown-preset", f"There is no question {body.preset!r}.", [fault])
        changes = list(known[body.preset].changes(asset_class))
    subject = await _subject(backend, asset_id)
    if subject is None:
        raise ProblemError(409, "no-model", _NO_MODEL.format(asset_id=asset_id))
    live = backend.live.asset(asset_id)
    estimates = live.health.rul if live is not None and live.health is not None else ()
    try:
        return await asyncio.to_thread(ask, subject, changes, estimates)
    except ValueError as exc:
        fault = Fault(detail=str(exc), pointer=pointer("changes"))
        raise unprocessable("question-not-possible", f"This cannot be asked: {exc}.", [fault]) from exc


@router.post("/baseline", status_code=202, responses=problems(404, 413, 503))
async def learn_anew(asset_id: AssetId, body: BaselineRequest, backend: Uses) -> BaselineAccepted:
    """Let the twin forget what is normal and learn it anew, say after maintenance.

    Without ``history`` it learns from the readings that follow and judges nothing until it has enough;
    with it, from those stored readings at once.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    order, usable = await order_baseline(backend, asset, asset_class, body)
    return BaselineAccepted(
        order_id=order.order_id,
        asset_id=asset_id,
        learns_from="next_readings" if body.history is None else "history",
        readings=usable,
    )


async def _subject(backend: Backend, asset_id: str) -> Subject | None:
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    live = backend.complete_live()
    seen = live.asset(asset_id)
    if seen is None or seen.reading is None:  # nothing came since this API started
        live.seed(await backend.history.latest([asset_id]), await backend.history.latest_health([asset_id]))
    return await asyncio.to_thread(subject_of, asset, asset_class, live, backend.registry.all())
