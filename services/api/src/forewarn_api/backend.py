"""What the routes work with, put together once in ``__main__``."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection

from forewarn.adapters.disk import DiskSpace, DiskState
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.limits import MAX_LIVE_ASSETS
from forewarn.domain.guard.batch import GuardSettings
from forewarn.ports.clock import Clock
from forewarn.ports.delivery import ConfirmedDelivery
from forewarn.ports.forecasting import Forecaster
from forewarn.ports.history import HistoryReader
from forewarn.ports.live import LiveView
from forewarn.ports.progress import ProgressWatch
from forewarn_api.problems import ProblemError, not_found
from forewarn_api.workers import Workers

_REGISTERED_WITHIN_S: Final = 3.0


class Registry(Protocol):
    """Who is registered."""

    def get(self, asset_id: str) -> Asset | None:
        """The asset, or None if nobody registered it."""
        ...

    def all(self) -> Mapping[str, Asset]:
        """Every asset by id."""
        ...

    def count(self) -> int:
        """How many assets are registered."""
        ...

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from any thread; returns the function that ends it."""
        ...

    def problem(self) -> str | None:
        """Why the registry is not complete; None when it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Ports and settings of one API process."""

    catalogue: Mapping[str, AssetClass]
    registry: Registry
    live: LiveView
    history: HistoryReader
    delivery: ConfirmedDelivery
    forecaster: Forecaster
    guard: GuardSettings
    progress: ProgressWatch
    clock: Clock
    new_id: Callable[[], str]
    workers: Workers
    max_subscribers: int = 200
    max_assets: int = MAX_LIVE_ASSETS
    disk: DiskSpace | None = None

    def not_ready(self) -> str | None:
        """What is still being read; None when the API knows all there is."""
        return self.registry.problem() or self.live.problem()

    def require_disk(self) -> None:
        """Take new readings only while broker and database can store what follows from them.

        Raises
        ------
        ProblemError
            507 while the disk is full up to its reserve.
        """
        if self.disk is not None and self.disk.state() is DiskState.FULL:
            detail = (
                f"Nothing was sent: the disk of broker and database has less than {self.disk.reserve_gb:g} GB free "
                "(DISK_RESERVE_GB). It is safe to send the same again once there is space."
            )
            raise ProblemError(507, "disk-full", detail, retry_after_s=30)

    async def until_registered(self, entries: Mapping[str, Asset | None]) -> None:
        """Wait a moment until the registry shows entries that were just published; None for a removed asset."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def on_change() -> None:
            loop.call_soon_threadsafe(news.set)

        stop = self.registry.listen(on_change)
        missing = dict(entries)
        try:
            async with asyncio.timeout(_REGISTERED_WITHIN_S):
                while True:
                    news.clear()
                    missing = {key: asset for key, asset in missing.items() if self.registry.get(key) != asset}
                    if not missing:
                        return
                    await news.wait()
        except TimeoutError:
            return  # stored all the same: the registry only lags behind
        finally:
            stop()

    def complete_registry(self) -> Registry:
        """The whole registry.

        Raises
        ------
        ProblemError
            503 while it is still being read: nobody is unknown before that.
        """
        problem = self.registry.problem()
        if problem is not None:
            raise ProblemError(503, "starting", f"The asset registry is not complete: {problem}.", retry_after_s=2)
        return self.registry

    def complete_live(self) -> LiveView:
        """The whole live view.

        Raises
        ------
        ProblemError
            503 while it is still being read.
        """
        problem = self.live.problem()
        if problem is not None:
            raise ProblemError(503, "starting", f"The live state is not complete: {problem}.", retry_after_s=2)
        return self.live

    def known_asset(self, asset_id: str) -> Asset:
        """A registered asset.

        Raises
        ------
        ProblemError
            404 if there is no such asset, 503 while the registry is being read.
        """
        asset = self.complete_registry().get(asset_id)
        if asset is None:
            raise not_found(f"There is no asset {asset_id!r}.")
        return asset

    async def known_or_removed(self, asset_id: str) -> Asset:
        """An asset that is registered, or was and has its history kept.

        Raises
        ------
        ProblemError
            404 if there is no such asset, 503 while the registry is being read.
        """
        asset = self.complete_registry().get(asset_id)
        if asset is None:
            removed = await self.history.removed_asset(asset_id)
            if removed is None:
                raise not_found(f"There is no asset {asset_id!r}.")
            asset = removed.asset
        return asset

    def known_class(self, name: str) -> AssetClass:
        """A class of the catalogue.

        Raises
        ------
        ProblemError
            404 if there is none of this name.
        """
        if name not in self.catalogue:
            raise not_found(f"There is no asset class {name!r}: there are {', '.join(sorted(self.catalogue))}.")
        return self.catalogue[name]

    async def current_health(self, asset_id: str) -> AssetHealth | None:
        """Newest health, from the topics or else from the database."""
        live = self.live.asset(asset_id)
        if live is not None and live.health is not None:
            return live.health
        return next(iter(await self.history.latest_health([asset_id])), None)


def _backend(connection: HTTPConnection) -> Backend:
    backend = connection.app.state.backend
    if not isinstance(backend, Backend):
        raise TypeError(f"app.state.backend is {backend!r}")
    return backend


#: Parameter of a route that wants the backend.
Uses = Annotated[Backend, Depends(_backend)]
