"""Removal of an asset: a tombstone in the registry, then an order behind its last readings on every partition."""

import asyncio
from typing import Final, Literal

import structlog

from forewarn.adapters.removals import REMOVAL_KEY, raw_removal
from forewarn.contracts.answers.assets import Removed
from forewarn.contracts.assets import Asset
from forewarn.contracts.removal import REMOVAL_HEADER, AssetRemoval
from forewarn.contracts.topics import TopicName
from forewarn.ports.delivery import OutgoingMessage
from forewarn.usecases.backend import Backend, require_delivered

#: The validators' registries catch up within this time; a validator waits up to a second for a removal.
_SETTLE_S: Final = 0.3

_log = structlog.get_logger(__name__)


async def remove(asset: Asset, history: Literal["keep", "purge"], by: str, backend: Backend) -> Removed:
    """Remove an asset, and wait until the broker has stored tombstone and orders.

    The tombstone goes first and carries the id of the removal; validators ignore orders without it. Repeating a
    removal completes one that was interrupted between the two; everything downstream is idempotent.

    Raises ``UnavailableError`` if the broker does not confirm it.
    """
    removal = AssetRemoval(
        removal_id=backend.new_id(),
        asset_id=asset.asset_id,
        asset_class=asset.asset_class,
        removed_at=backend.clock.now(),
        removed_by=by,
        history=history,
    )
    mark = {REMOVAL_HEADER: removal.mark}
    require_delivered(await backend.delivery.retract(TopicName.ASSETS, asset.asset_id, headers=mark), "The removal")
    await backend.until_registered({asset.asset_id: None})
    await asyncio.sleep(_SETTLE_S)
    message = OutgoingMessage(topic=TopicName.READINGS_RAW, key=REMOVAL_KEY, value=raw_removal(removal))
    await backend.broadcast(message, what="The removal")
    _log.info("asset_removed", asset_id=asset.asset_id, by=by, history=history)
    return Removed(
        removal_id=removal.removal_id,
        asset_id=asset.asset_id,
        removed_at=removal.removed_at,
        history=history,
    )
