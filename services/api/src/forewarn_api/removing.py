"""Removal of an asset: out of the registry first, then a word behind its last readings on every partition."""

import asyncio
from typing import Final, Literal

import structlog

from forewarn.adapters.removals import REMOVAL_KEY, raw_removal
from forewarn.contracts.answers.assets import Removed
from forewarn.contracts.assets import Asset
from forewarn.contracts.removal import REMOVAL_HEADER, AssetRemoval
from forewarn.contracts.topics import TopicName
from forewarn.ports.delivery import BrokerSilent, Message
from forewarn_api.backend import Backend
from forewarn_api.problems import ProblemError
from forewarn_api.routes.common import require_delivered

#: By then the registries of the validators know what this one knows; they wait for a removal a second at most.
_SETTLE_S: Final = 0.3

_log = structlog.get_logger(__name__)


async def remove(asset: Asset, history: Literal["keep", "purge"], by: str, backend: Backend) -> Removed:
    """Remove an asset; answers once the broker has everything that is to be said about it.

    The tombstone goes first and bears the mark of the removal, without which no validator believes it. To repeat
    a removal completes one that was cut off between the two messages; everything behind them is idempotent.

    Raises
    ------
    ProblemError
        503 if the broker does not confirm it.
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
    await _announce(removal, backend)
    _log.info("asset_removed", asset_id=asset.asset_id, by=by, history=history)
    return Removed(
        removal_id=removal.removal_id,
        asset_id=asset.asset_id,
        removed_at=removal.removed_at,
        history=history,
    )


async def _announce(removal: AssetRemoval, backend: Backend) -> None:
    message = Message(topic=TopicName.READINGS_RAW, key=REMOVAL_KEY, value=raw_removal(removal))
    try:
        failed = await backend.delivery.broadcast(message)
    except BrokerSilent as exc:
        reason = str(exc)
    else:
        if not failed:
            return
        reason = failed[0].reason
    detail = f"The removal could not be confirmed by the broker ({reason}). It is safe to send it again."
    raise ProblemError(503, "broker-unavailable", detail, retry_after_s=5)
