"""Weights of an asset's health metrics and components."""

from fastapi import APIRouter

from forewarn.contracts.answers.assets import WeightsAnswer
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset, HealthWeights
from forewarn.domain.health.profile import profile_of
from forewarn.usecases.registration import register, require_weights
from forewarn_api.dependencies import BackendDep
from forewarn_api.routes.assets import AssetId
from forewarn_api.routes.common import problems
from forewarn_api.strict_json import FromJson

router = APIRouter(prefix="/api/v1/assets/{asset_id}/health/weights", tags=["state"])


@router.get("", responses=problems(404, 503))
async def get_weights(asset_id: AssetId, backend: BackendDep) -> WeightsAnswer:
    """Return the weights of health metrics and components: in effect, of the class, and the asset's own."""
    asset = backend.known_asset(asset_id)
    return _answer(asset, backend.known_class(asset.asset_class))


@router.put("", responses=problems(404, 413, 503))
async def put_weights(asset_id: AssetId, weights: FromJson[HealthWeights], backend: BackendDep) -> WeightsAnswer:
    """Set an asset's own weights; others keep those of the class, and ``{}`` resets all.

    They are part of the asset's registry entry and apply from its next reading on.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    none_own = not (weights.metrics or weights.components)
    changed = asset.model_copy(update={"health_weights": None if none_own else weights})
    require_weights(changed, asset_class)
    await register(changed, backend)
    return _answer(changed, asset_class)


def _answer(asset: Asset, asset_class: AssetClass) -> WeightsAnswer:
    return WeightsAnswer(
        asset_id=asset.asset_id,
        effective=_weights(asset_class, asset),
        of_class=_weights(asset_class, None),
        own=asset.health_weights or HealthWeights(),
    )


def _weights(asset_class: AssetClass, asset: Asset | None) -> HealthWeights:
    profile = profile_of(asset_class, asset)
    return HealthWeights(
        metrics={metric.item.column: metric.weight for metric in profile.metrics}, components=dict(profile.components)
    )
