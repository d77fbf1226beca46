"""Pushes changes to browser tabs, at most once a second."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Any, Final, Protocol

from dash.exceptions import WebsocketDisconnected

from forewarn_dashboard import layout
from forewarn_dashboard.client import ApiError
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.formatting import clock_time
from forewarn_dashboard.live import Slot
from forewarn_dashboard.metrics import PUSHES
from forewarn_dashboard.page import CannotShowError, Pages
from forewarn_dashboard.scene import ComponentId, Region, Update
from forewarn_dashboard.tab import PageState, Tab

INTERVAL_S: Final = 1.0
IDLE_S: Final = 3.0  # a tick even without news: to the page, silence means a broken connection
ANSWER_TIMEOUT_S: Final = 30.0


class TabSocket(Protocol):
    """The WebSocket of a tab, as provided by Dash."""

    @property
    def is_shutdown(self) -> bool:
        """Whether the socket is closed."""
        ...

    async def get_prop(self, component_id: str, prop_name: str, timeout: float = ...) -> object:  # noqa: ASYNC109  # Dash has it so
        """Ask the tab for a property."""
        ...


class Pusher:
    """Feeds tabs, each with a call of ``feed``."""

    def __init__(self, pages: Pages, dependencies: Dependencies) -> None:
        self._pages = pages
        self._dependencies = dependencies
        self._hub = dependencies.hub

    async def feed(self, socket: TabSocket, set_props: Callable[[ComponentId, dict[str, Any]], None]) -> None:
        """Feed a tab until its socket closes or it stops answering.

        Each round first asks the tab what it shows. It answers only after processing what was sent before, so a slow
        tab gets less, and nothing piles up for one that never reads.
        """
        slot = self._hub.subscribe()
        tab = Tab()
        try:
            while not socket.is_shutdown:
                page = PageState.from_store(await socket.get_prop("view", "data", timeout=ANSWER_TIMEOUT_S))
                for identifier, props in await self.news(page, tab):
                    set_props(identifier, props)
                    PUSHES.inc()
                await self._pause(slot)
        except (WebsocketDisconnected, TimeoutError):
            return
        finally:
            self._hub.unsubscribe(slot)

    async def _pause(self, slot: Slot) -> None:
        clock = self._dependencies.clock
        begin_s = clock.monotonic_s()
        await slot.wait(INTERVAL_S if self._hub.large else IDLE_S)
        await asyncio.sleep(max(INTERVAL_S - (clock.monotonic_s() - begin_s), 0.0))

    async def news(self, page: PageState | None, tab: Tab) -> list[Update]:
        """Return the updates for a tab; the last one is the tick."""
        now = self._dependencies.clock.now()
        tick: Update = ("tick", {"data": now.isoformat()})
        if page is None:
            return [tick]
        tab.show(page)
        spec, scene = self._pages.scene(page, self._dependencies)
        updates = tab.changed(self._shell_regions(now, scene.tz))
        if not scene.view.live:
            return [*updates, tick]
        if self._hub.connected and page.epoch != self._hub.epoch:
            return [*updates, *tab.refresh(f"epoch {self._hub.epoch}"), tick]
        with suppress(ApiError, CannotShowError):  # the page or the banner says so already
            updates += await spec.news(scene, self._dependencies, tab)
        return [*updates, tick]

    def _shell_regions(self, now: datetime, tz: tzinfo) -> Iterator[Region]:
        hub = self._hub
        problem = "" if hub.connected or hub.lost_at is None else hub.problem
        since = "" if hub.connected else clock_time(hub.lost_at, tz, now)
        build = (lambda: None) if hub.connected else (lambda: layout.connection_banner(problem, since))
        yield Region(id="connection", key=(hub.connected, problem, since), build=build)
        yield from layout.badges(self._pages, hub.plant)
