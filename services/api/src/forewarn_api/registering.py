"""What an entry of the asset registry must fulfil, and how it gets onto the topic."""

from collections.abc import Iterator

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.topics import TopicName
from forewarn.domain.health.profile import profile_of
from forewarn_api.backend import Backend
from forewarn_api.problems import Fault, pointer, unprocessable
from forewarn_api.routes.common import require_delivered


async def register(asset: Asset, backend: Backend) -> None:
    """Put an entry onto the topic; returns once the broker has stored it and this API knows it."""
    at = backend.clock.now()
    failed = await backend.delivery.publish(TopicName.ASSETS, asset.asset_id, asset, event_id=backend.new_id(), at=at)
    require_delivered(failed, "The asset")
    await backend.until_registered(asset)


def require_sound(asset: Asset, backend: Backend) -> None:
    """The class must exist; nameplate and weights may name only what the class knows.

    Raises
    ------
    ProblemError
        422, with a JSON Pointer to each fault.
    """
    asset_class = backend.catalogue.get(asset.asset_class)
    if asset_class is None:
        known = ", ".join(sorted(backend.catalogue))
        fault = Fault(detail=f"there is no such class: there are {known}", pointer=pointer("asset_class"))
        raise unprocessable("unknown-class", f"There is no asset class {asset.asset_class!r}.", [fault])
    fields = {field.name for field in asset_class.nameplate}
    faults = [
        Fault(detail=f"{asset_class.name} has no such rated value", pointer=pointer("nameplate", name))
        for name in asset.nameplate
        if name not in fields
    ]
    if faults:
        detail = f"{asset_class.name} has these rated values: {', '.join(sorted(fields)) or 'none'}."
        raise unprocessable("unknown-nameplate-field", detail, faults)
    require_weights(asset, asset_class, "health_weights")


def require_weights(asset: Asset, asset_class: AssetClass, *place: str) -> None:
    """Own weights may name only metrics of the class, and must leave something that counts.

    Raises
    ------
    ProblemError
        422, with a JSON Pointer to each fault.
    """
    faults = list(_weight_faults(asset, asset_class, place))
    if faults:
        known = ", ".join(item.column for item in asset_class.health) or "none"
        raise unprocessable("unusable-weights", f"{asset_class.name} has these health metrics: {known}.", faults)


def _weight_faults(asset: Asset, asset_class: AssetClass, place: tuple[str, ...]) -> Iterator[Fault]:
    own = asset.health_weights
    if own is None:
        return
    metrics = {item.column for item in asset_class.health}
    for name in own.metrics:
        if name not in metrics:
            yield Fault(
                detail=f"{asset_class.name} has no such health metric", pointer=pointer(*place, "metrics", name)
            )
    profile = profile_of(asset_class, asset)
    if metrics and sum(metric.weight for metric in profile.metrics) <= 0.0:
        yield Fault(detail="at least one metric must count", pointer=pointer(*place, "metrics"))
    if sum(profile.components.values()) <= 0.0:
        yield Fault(detail="at least one component must count", pointer=pointer(*place, "components"))
