"""Large plants: pages of assets are requested as they are shown, and single assets followed while they are.

Up to ``TILES_AT_MOST`` assets the process follows the whole plant and every asset is a tile. Above, it follows the
alarms only, so neither its memory nor a page grows with the number of assets.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from forewarn.contracts.answers.overview import Overview
from forewarn.contracts.assets import Asset
from forewarn.ports.clock import Clock
from forewarn_dashboard.client import ApiError, FleetQuery, PlantApi
from forewarn_dashboard.plant import LivePlant

#: More assets are shown as a table: a tile has two dozen elements, and nobody takes in more at a glance.
TILES_AT_MOST: Final = 100

KEEP_PAGE_S: Final = 0.9  # tabs that show the same page share an answer
MAX_PAGES: Final = 64
MAX_NAMES: Final = 10_000
NAMES_AT_ONCE: Final = 50  # with more the URL may be too long
MAX_WATCHED: Final = 100
LET_GO_S: Final = 20.0  # after an asset was last shown
FIRST_NEWS_S: Final = 1.5
RETRY_S: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watched:
    """An asset that a tab shows."""

    task: asyncio.Task[None]
    shown_s: float
    loaded: asyncio.Event = field(default_factory=asyncio.Event)


class Fleet:
    """Pages of a large plant, and assets that tabs show."""

    def __init__(
        self, api: PlantApi, plant: LivePlant, clock: Clock, ring: Callable[[], None], counted: Callable[[int], None]
    ) -> None:
        self._api = api
        self._plant = plant
        self._clock = clock
        self._ring = ring
        self._counted = counted
        self._pages: dict[FleetQuery, tuple[float, Overview]] = {}
        self._asking: dict[FleetQuery, asyncio.Task[Overview]] = {}
        self._watched: dict[str, _Watched] = {}

    async def page(self, query: FleetQuery) -> Overview:
        """Return a page no older than a second; raise like ``PlantApi.overview``."""
        kept = self._pages.get(query)
        if kept is not None and self._clock.monotonic_s() - kept[0] < KEEP_PAGE_S:
            return kept[1]
        task = self._asking.get(query)
        if task is None:
            task = self._asking[query] = asyncio.create_task(self._ask(query))
            task.add_done_callback(lambda _: self._asking.pop(query, None))
        return await asyncio.shield(task)

    def clear(self) -> None:
        """Drop cached pages: the plant has changed."""
        self._pages.clear()

    async def learn_names(self, asset_ids: Collection[str]) -> None:
        """Ask the API for unknown names of assets; without an answer they stay unknown."""
        unknown = sorted({asset_id for asset_id in asset_ids if asset_id not in self._plant.names})
        for start in range(0, len(unknown), NAMES_AT_ONCE):
            part = tuple(unknown[start : start + NAMES_AT_ONCE])
            try:
                page = await self._api.overview(FleetQuery(assets=part, limit=NAMES_AT_ONCE))
            except ApiError as exc:
                _log.info("names_not_read", problem=str(exc))
                return
            if len(self._plant.names) > MAX_NAMES:
                self._plant.names.clear()
            self._plant.names.update({asset_id: asset_id for asset_id in part})
            self._plant.names.update({row.asset_id: row.name for row in page.items})

    async def watch(self, asset: Asset) -> None:
        """Follow an asset while tabs show it; the first call briefly waits for its newest state."""
        watched = self._watched.get(asset.asset_id)
        if watched is None:
            if len(self._watched) >= MAX_WATCHED:
                return  # its page shows stored data
            watched = _Watched(task=asyncio.create_task(self._follow(asset)), shown_s=0.0)
            self._watched[asset.asset_id] = watched
        watched.shown_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(FIRST_NEWS_S):
                await watched.loaded.wait()
        except TimeoutError:
            return

    async def _ask(self, query: FleetQuery) -> Overview:
        page = await self._api.overview(query)
        self._counted(page.counts.assets)
        if len(self._pages) >= MAX_PAGES:
            self._pages.clear()
        self._pages[query] = (self._clock.monotonic_s(), page)
        return page

    async def _follow(self, asset: Asset) -> None:
        self._plant.add(asset)
        try:
            while self._is_wanted(asset.asset_id):
                try:
                    await self._read(asset.asset_id)
                except ApiError:
                    await asyncio.sleep(RETRY_S)
        finally:
            self._plant.forget(asset.asset_id)
            self._watched.pop(asset.asset_id, None)

    async def _read(self, asset_id: str) -> None:
        async with aclosing(self._api.live(assets=(asset_id,))) as updates:
            async for update in updates:
                # the feed of all alarms has its open ones
                self._plant.apply(replace(update, complete=False, alarms=(), closed_alarms=()))
                self._watched[asset_id].loaded.set()
                self._ring()
                if not self._is_wanted(asset_id):
                    return

    def _is_wanted(self, asset_id: str) -> bool:
        return self._clock.monotonic_s() - self._watched[asset_id].shown_s < LET_GO_S
