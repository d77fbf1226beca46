"""Dependencies of the use cases, built once by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from forewarn.adapters.disk import DiskSpace, DiskState
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset, Command, CommandBody
from forewarn.contracts.base import Contract
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.limits import MAX_LIVE_ASSETS
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings
from forewarn.ports.clock import Clock
from forewarn.ports.delivery import BrokerSilent, ConfirmedDelivery, OutgoingMessage, Undelivered
from forewarn.ports.forecasting import Forecaster
from forewarn.ports.history import HistoryReader
from forewarn.ports.live import LiveView
from forewarn.ports.progress import ProgressWatch
from forewarn.ports.registry import RegisteredAssets
from forewarn.usecases.changes import Changes
from forewarn.usecases.errors import DiskFullError, UnavailableError, not_found
from forewarn.usecases.workers import Workers

_REGISTERED_WITHIN_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Ports and settings of a process, with what several use cases need of them."""

    catalogue: Mapping[str, AssetClass]
    registry: RegisteredAssets
    live: LiveView
    history: HistoryReader
    delivery: ConfirmedDelivery
    forecaster: Forecaster
    guard: GuardSettings
    progress: ProgressWatch
    clock: Clock
    new_id: Callable[[], str]
    workers: Workers
    max_assets: int = MAX_LIVE_ASSETS
    disk: DiskSpace | None = None

    def not_ready(self) -> str | None:
        """Return what is still being loaded, or None."""
        return self.registry.problem() or self.live.problem()

    def require_disk(self) -> None:
        """Raise ``DiskFullError`` while only the disk's reserve is free."""
        if self.disk is not None and self.disk.state() is DiskState.FULL:
            detail = (
                f"Nothing was sent: the disk of broker and database has less than {self.disk.reserve_gb:g} GB free "
                "(DISK_RESERVE_GB). Once there is space, it is safe to send it again."
            )
            raise DiskFullError("disk-full", detail, retry_after_s=30)

    async def until_registered(self, entries: Mapping[str, Asset | None]) -> None:
        """Wait up to 3 s until the registry shows entries that were just published; None is a removed asset."""

        def shown() -> bool | None:
            return all(self.registry.get(asset_id) == asset for asset_id, asset in entries.items()) or None

        async with Changes(self.registry) as changes:
            await changes.wait_for(shown, _REGISTERED_WITHIN_S)  # even if it lags, the entries are stored

    def complete_registry(self) -> RegisteredAssets:
        """Return the registry; raise ``UnavailableError`` while it is loading, as assets may be missing until then."""
        problem = self.registry.problem()
        if problem is not None:
            raise UnavailableError("starting", f"The asset registry is not complete: {problem}.", retry_after_s=2)
        return self.registry

    def complete_live(self) -> LiveView:
        """Return the live view; raise ``UnavailableError`` while it is loading."""
        problem = self.live.problem()
        if problem is not None:
            raise UnavailableError("starting", f"The live state is not complete: {problem}.", retry_after_s=2)
        return self.live

    def known_asset(self, asset_id: str) -> Asset:
        """Return a registered asset; raise ``NotFoundError``, or ``UnavailableError`` while the registry is loading."""
        asset = self.complete_registry().get(asset_id)
        if asset is None:
            raise not_found(f"There is no asset {asset_id!r}.")
        return asset

    async def known_or_removed(self, asset_id: str) -> Asset:
        """Return an asset that is registered or was removed with its history kept; raise like ``known_asset``."""
        asset = self.complete_registry().get(asset_id)
        if asset is None:
            removed = await self.history.removed_asset(asset_id)
            if removed is None:
                raise not_found(f"There is no asset {asset_id!r}.")
            asset = removed.asset
        return asset

    def known_class(self, name: str) -> AssetClass:
        """Return a class of the catalogue, or raise ``NotFoundError``."""
        if name not in self.catalogue:
            raise not_found(f"There is no asset class {name!r}: there are {', '.join(sorted(self.catalogue))}.")
        return self.catalogue[name]

    async def current_health(self, asset_id: str) -> AssetHealth | None:
        """Return the newest health, from the live view or else from the database."""
        live = self.live.asset(asset_id)
        if live is not None and live.health is not None:
            return live.health
        return next(iter(await self.history.latest_health([asset_id])), None)

    async def publish(
        self, topic: TopicName, key: str, event: Contract, *, what: str, event_id: str | None = None
    ) -> None:
        """Send an event; raise ``UnavailableError`` if the broker does not confirm it."""
        failed = await self.delivery.publish(topic, key, event, event_id=event_id or self.new_id(), at=self.clock.now())
        require_delivered(failed, what)

    async def broadcast(self, message: OutgoingMessage, *, what: str) -> None:
        """Send a message to every partition of its topic; raise like ``publish``."""
        try:
            failed = await self.delivery.broadcast(message)
        except BrokerSilent as exc:
            failed = (Undelivered(index=0, reason=str(exc)),)
        require_delivered(failed[0] if failed else None, what)

    async def send_command(self, asset_id: str, body: CommandBody, *, by: str, command_id: str | None = None) -> str:
        """Send a command to the services and return its id; raise like ``publish``."""
        command = Command(
            command_id=command_id or self.new_id(),
            asset_id=asset_id,
            issued_at=self.clock.now(),
            issued_by=by,
            body=body,
        )
        await self.publish(TopicName.COMMANDS, asset_id, command, what="The command", event_id=command.command_id)
        return command.command_id


def require_delivered(failed: Undelivered | None, what: str) -> None:
    """Raise ``UnavailableError`` if a delivery failed."""
    if failed is not None:
        detail = f"{what} could not be confirmed by the broker ({failed.reason}). It is safe to send it again."
        raise UnavailableError("broker-unavailable", detail, retry_after_s=5)
