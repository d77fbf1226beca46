"""The asset registry and the catalogue of classes."""

import heapq
from itertools import accumulate
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Path, Query, Response

from forewarn.contracts.answers.assets import (
    AssetDetail,
    AssetList,
    ClassList,
    ClassSummary,
    CommandAccepted,
    FaultRequest,
    RegisteredList,
    Removed,
    RemovedAsset,
    RemovedList,
)
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset, AssetRegistration, InjectFault
from forewarn.contracts.base import IDENTIFIER, Identifier, Line
from forewarn.contracts.limits import MAX_ANSWER_BYTES, MAX_ASSETS_PER_REQUEST
from forewarn.domain.simulation.kinds import KINDS
from forewarn.usecases.errors import InvalidRequestError
from forewarn.usecases.faults import pointer
from forewarn.usecases.registration import Entry, register, register_all, require_room, require_sound
from forewarn.usecases.removal import remove
from forewarn.usecases.whatif import without_parameters
from forewarn_api.dependencies import BackendDep
from forewarn_api.routes.common import problems
from forewarn_api.strict_json import FromJson

router = APIRouter(prefix="/api/v1", tags=["assets"])

#: Entries are usually a few hundred bytes; a page of long ones ends early.
_MOST_ASSETS: Final = 10_000

AssetId = Annotated[str, Path(pattern=f"^{IDENTIFIER}$", examples=["P-101"])]


@router.get("/assets", responses=problems(503))
async def list_assets(
    backend: BackendDep,
    asset_class: Annotated[Identifier | None, Query(description="Only assets of this class.")] = None,
    q: Annotated[str, Query(max_length=200, description="Text in id, name, class or location; case is ignored.")] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST_ASSETS)] = 1_000,
    cursor: Annotated[Identifier | None, Query(description="next_cursor of the previous answer.")] = None,
) -> AssetList:
    """List registered assets by id. For conditions, health, alarms and other sort orders see /api/v1/overview."""
    assets = backend.complete_registry().all()
    needle = q.strip().casefold()
    chosen = [
        asset
        for asset_id, asset in assets.items()
        if (asset_class is None or asset.asset_class == asset_class)
        and (cursor is None or asset_id > cursor)
        and (not needle or needle in " ".join((asset_id, asset.name, asset.asset_class, *asset.path)).casefold())
    ]
    page = heapq.nsmallest(limit, chosen, key=lambda asset: asset.asset_id)
    size = accumulate(map(_size_bytes, page))
    items = [asset for asset, total in zip(page, size, strict=True) if total <= MAX_ANSWER_BYTES]
    return AssetList(items=items, next_cursor=items[-1].asset_id if len(items) < len(chosen) else None)


def _size_bytes(asset: Asset) -> int:
    """Return the approximate length of an entry in JSON."""
    weights = asset.health_weights
    fields = len(asset.nameplate) + (0 if weights is None else len(weights.metrics))
    return 600 + 4 * len(asset.name) + sum(map(len, asset.path)) + 80 * fields


@router.get("/removed-assets", responses=problems(503))
async def list_removed_assets(
    backend: BackendDep,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str, Query(max_length=128, description="next_cursor of the previous answer.")] = "",
) -> RemovedList:
    """List assets that were removed with their history kept; it can be queried under the same addresses."""
    found = await backend.history.removed_assets(after=cursor, limit=limit)
    items = [
        RemovedAsset(
            asset_id=item.asset.asset_id,
            name=item.asset.name,
            asset_class=item.asset.asset_class,
            path=item.asset.path,
            removed_at=item.removed_at,
        )
        for item in found
    ]
    return RemovedList(items=items, next_cursor=items[-1].asset_id if len(items) == limit else None)


@router.get("/assets/{asset_id}", responses=problems(404, 503))
async def get_asset(asset_id: AssetId, backend: BackendDep) -> AssetDetail:
    """Return an asset with its class and the cards of its newest models."""
    asset = backend.known_asset(asset_id)
    return AssetDetail(
        asset=asset,
        asset_class=backend.known_class(asset.asset_class),
        models=[without_parameters(model) for model in backend.live.models() if model.asset_id == asset_id],
    )


@router.post(
    "/assets",
    status_code=201,
    responses=problems(
        409, 413, 503, also={200: {"model": Asset, "description": "The asset existed and was replaced."}}
    ),
)
async def register_asset(body: FromJson[AssetRegistration], response: Response, backend: BackendDep) -> Asset:
    """Register or replace an asset.

    Answers once the broker has stored it and this API knows it.
    """
    asset = body.entry()
    known = backend.complete_registry().get(asset.asset_id)
    require_sound(asset, backend)
    require_room(asset, backend)
    await register(asset, backend)
    response.status_code = 201 if known is None else 200
    return asset


@router.post("/assets/bulk", responses=problems(413, 503))
async def register_assets(
    entries: Annotated[FromJson[list[Entry]], Body(min_length=1, max_length=MAX_ASSETS_PER_REQUEST)],
    backend: BackendDep,
) -> RegisteredList:
    """Register or replace many assets; the answer names the invalid entries, the others are registered.

    Answers once the broker has stored them and this API knows them.
    """
    backend.complete_registry()
    items = await register_all(entries, backend)
    return RegisteredList(registered=sum(item.outcome in ("created", "replaced") for item in items), items=items)


@router.delete("/assets/{asset_id}", status_code=202, responses=problems(404, 503))
async def remove_asset(
    asset_id: AssetId,
    backend: BackendDep,
    history: Annotated[
        Literal["keep", "purge"], Query(description="purge: also delete everything stored about it, permanently.")
    ] = "keep",
    by: Annotated[Line, Query(min_length=1, max_length=200, description="Who is asking, for the log.")] = "api",
) -> Removed:
    """Remove an asset: its readings are rejected from now on, all services forget it, its open alarms close.

    Registered again under the same id, it is a new asset whose twin learns from scratch. Safe to repeat; an asset
    removed with its history kept can be purged later.
    """
    return await remove(await backend.known_or_removed(asset_id), history, by, backend)


@router.post("/assets/{asset_id}/faults", status_code=202, responses=problems(404, 413, 503))
async def inject_fault(asset_id: AssetId, body: FromJson[FaultRequest], backend: BackendDep) -> CommandAccepted:
    """Inject a fault into a simulated machine; real machines ignore it."""
    asset = backend.known_asset(asset_id)
    _require_fault(body.fault, asset.asset_class)
    fault = InjectFault(fault=body.fault, duration_s=body.duration_s, severity=body.severity)
    command_id = await backend.send_command(asset_id, fault, by=body.by)
    return CommandAccepted(command_id=command_id, asset_id=asset_id)


def _require_fault(name: str, asset_class: str) -> None:
    known = KINDS[asset_class].faults if asset_class in KINDS else ()
    if name not in known:
        there_are = f"there are {', '.join(known)}" if known else "machines of this class cannot be simulated"
        fault = Fault(detail=there_are, pointer=pointer("fault"))
        raise InvalidRequestError("unknown-fault", f"{asset_class} has no fault {name!r}.", [fault])


@router.get("/classes", responses=problems())
async def list_classes(backend: BackendDep) -> ClassList:
    """List the classes of the catalogue."""
    return ClassList(
        items=[
            ClassSummary(
                name=item.name,
                title=item.title,
                version=item.version,
                tags=len(item.tags),
                derived=len(item.derived),
                alarms=len(item.alarms),
            )
            for _, item in sorted(backend.catalogue.items())
        ]
    )


@router.get("/classes/{name}", responses=problems(404))
async def get_class(
    name: Annotated[Identifier, Path(examples=["centrifugal_pump"])], backend: BackendDep
) -> AssetClass:
    """Return a class: tags, limits, physics rules, twin, health, failure modes, alarms."""
    return backend.known_class(name)
