"""The twin of an asset: model, what-if, retraining."""

from fastapi import APIRouter

from forewarn.contracts.answers.twin import BaselineRequest, TwinAnswer
from forewarn.contracts.questions import BaselineAccepted, WhatIfAnswer, WhatIfRequest
from forewarn.usecases.retraining import order_baseline
from forewarn.usecases.whatif import answer_what_if, describe_twin
from forewarn_api.dependencies import BackendDep
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems
from forewarn_api.strict_json import FromJson

router = APIRouter(prefix="/api/v1/assets/{asset_id}", tags=["twin"])


@router.get("/twin", responses=problems(404, 503))
async def get_twin(asset_id: AssetId, backend: BackendDep) -> TwinAnswer:
    """Return the card of the asset's model, drivers with their learned ranges, and presets.

    Without a model of its own, also its newest reading as judged by the models of two or more other assets of its
    class: with low confidence, not stored, and never a cause of alarms.
    """
    return await describe_twin(backend, asset_id)


@router.post("/what-if", responses=problems(404, 409, 413, 503))
async def what_if(asset_id: AssetId, body: FromJson[WhatIfRequest], backend: BackendDep) -> WhatIfAnswer:
    """Predict values, derived quantities, health and remaining life if the machine were operated differently.

    Starts from the newest reading. Nothing is changed or stored.
    """
    return await answer_what_if(backend, asset_id, body)


@router.post("/baseline", status_code=202, responses=problems(404, 413, 503))
async def retrain(asset_id: AssetId, body: FromJson[BaselineRequest], backend: BackendDep) -> BaselineAccepted:
    """Retrain the twin on a new baseline, for example after maintenance.

    Without ``history`` it learns from the next readings and judges none until it has enough; with it, it learns from
    those stored readings at once.
    """
    return await order_baseline(backend, asset_id, body, by=body.by, order_id=backend.new_id())
