"""Registration of assets, one or many."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from forewarn.contracts.answers.assets import Registered
from forewarn.contracts.answers.problems import MAX_ERRORS, Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset, AssetRegistration
from forewarn.contracts.limits import MAX_ASSET_ID_CHARACTERS, MAX_LIVE_ASSETS
from forewarn.contracts.topics import TopicName
from forewarn.domain.health.profile import profile_of
from forewarn.ports.codec import one_line
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import ConflictError, InvalidRequestError, UseCaseError
from forewarn.usecases.faults import faults_in_body, invalid_request, pointer

#: Entries handled before other requests get their turn.
_AT_ONCE: Final = 500

#: An asset, or JSON that was meant to be one: each entry of a list is checked by itself.
Entry = Annotated[AssetRegistration | Any, Field(union_mode="left_to_right")]


async def register(asset: Asset, backend: Backend) -> None:
    """Publish an entry, and wait until the broker has stored it and the registry shows it."""
    await backend.publish(TopicName.ASSETS, asset.asset_id, asset, what="The asset")
    await backend.until_registered({asset.asset_id: asset})


async def register_all(entries: Sequence[Entry], backend: Backend) -> list[Registered]:
    """Register entries and return the outcome of each, in order; wait like ``register``."""
    outcome: list[Registered] = []
    for start in range(0, len(entries), _AT_ONCE):
        outcome += await _register_some(entries[start : start + _AT_ONCE], backend)
    return outcome


async def _register_some(entries: Sequence[Entry], backend: Backend) -> list[Registered]:
    room = backend.max_assets - backend.registry.count()
    outcome: list[Registered] = []
    sent: list[tuple[int, Asset]] = []  # with its index in the outcome
    new: set[str] = set()
    for entry in entries:
        try:
            asset = _asset_of(entry)
            is_new = asset.asset_id not in new and backend.registry.get(asset.asset_id) is None
            if is_new and len(new) >= room:
                raise _full(backend)
            require_sound(asset, backend)
        except UseCaseError as exc:
            name = entry.asset_id if isinstance(entry, AssetRegistration) else _name_in(entry)
            outcome.append(
                Registered(asset_id=name, outcome="refused", detail=exc.detail, errors=list(exc.faults[:MAX_ERRORS]))
            )
            continue
        new.update([asset.asset_id] if is_new else [])
        sent.append((len(outcome), asset))
        outcome.append(Registered(asset_id=asset.asset_id, outcome="created" if is_new else "replaced"))
    events = [(asset.asset_id, asset, backend.new_id()) for _, asset in sent]
    failures = await backend.delivery.publish_all(TopicName.ASSETS, events, at=backend.clock.now())
    for failure in failures:
        place, asset = sent[failure.index]
        detail = f"The broker has not confirmed it ({failure.reason}). It is safe to send it again."
        outcome[place] = Registered(asset_id=asset.asset_id, outcome="failed", detail=detail)
    lost = {failure.index for failure in failures}
    await backend.until_registered({asset.asset_id: asset for i, (_, asset) in enumerate(sent) if i not in lost})
    return outcome


def _name_in(entry: object) -> str:
    """Return the id of an invalid entry, as far as it can be shown."""
    name = entry.get("asset_id", "") if isinstance(entry, dict) else ""
    return one_line(str(name), MAX_ASSET_ID_CHARACTERS)


def _asset_of(entry: Entry) -> Asset:
    if isinstance(entry, AssetRegistration):
        return entry.entry()
    try:
        return AssetRegistration.model_validate_json(json.dumps(entry), strict=True).entry()
    except ValidationError as exc:
        raise invalid_request(faults_in_body(exc.errors(include_url=False, include_context=False))) from exc


def require_room(asset: Asset, backend: Backend) -> None:
    """Raise ``ConflictError`` if the asset is new and the registry is full."""
    if backend.registry.get(asset.asset_id) is None and backend.registry.count() >= backend.max_assets:
        raise _full(backend)


def _full(backend: Backend) -> ConflictError:
    detail = (
        f"There are {backend.registry.count()} assets, at most {backend.max_assets} may be registered: "
        f"remove some, or raise API_MAX_ASSETS ({MAX_LIVE_ASSETS:,} at most)."
    )
    return ConflictError("too-many-assets", detail)


def require_sound(asset: Asset, backend: Backend) -> None:
    """Raise ``InvalidRequestError`` unless the class exists and has every field of nameplate and weights."""
    asset_class = backend.catalogue.get(asset.asset_class)
    if asset_class is None:
        known = ", ".join(sorted(backend.catalogue))
        fault = Fault(detail=f"there is no such class: there are {known}", pointer=pointer("asset_class"))
        raise InvalidRequestError("unknown-class", f"There is no asset class {asset.asset_class!r}.", [fault])
    fields = {field.name for field in asset_class.nameplate}
    faults = [
        Fault(detail=f"{asset_class.name} has no such rated value", pointer=pointer("nameplate", name))
        for name in asset.nameplate
        if name not in fields
    ]
    if faults:
        detail = f"{asset_class.name} has these rated values: {', '.join(sorted(fields)) or 'none'}."
        raise InvalidRequestError("unknown-nameplate-field", detail, faults)
    require_weights(asset, asset_class, "health_weights")


def require_weights(asset: Asset, asset_class: AssetClass, *place: str) -> None:
    """Raise ``InvalidRequestError`` if the asset's weights name metrics its class lacks, or are all zero."""
    faults = list(_weight_faults(asset, asset_class, place))
    if faults:
        known = ", ".join(item.column for item in asset_class.health) or "none"
        raise InvalidRequestError("unusable-weights", f"{asset_class.name} has these health metrics: {known}.", faults)


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
