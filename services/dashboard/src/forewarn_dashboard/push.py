"""Pushes to one browser tab what has changed since it was last told, at most once a second."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, Protocol

from dash.exceptions import WebsocketDisconnected

from forewarn.ports.clock import Clock
from forewarn_dashboard import layout
from forewarn_dashboard.client import ApiError, Snapshot
from forewarn_dashboard.details import Details
from forewarn_dashboard.formatting import clock_time, plot_time, zone
from forewarn_dashboard.live import Hub, Slot
from forewarn_dashboard.metrics import PUSHES
from forewarn_dashboard.pages.alarms import page as alarms
from forewarn_dashboard.pages.asset import figures
from forewarn_dashboard.pages.asset import page as asset
from forewarn_dashboard.pages.asset.timerange import TimeRange, TimeRangeError, resolve
from forewarn_dashboard.pages.overview import page as overview
from forewarn_dashboard.pages.overview import table as fleet_table
from forewarn_dashboard.pagestate import PageState
from forewarn_dashboard.scene import ComponentId, Region, Scene, region_name
from forewarn_dashboard.urls import View, parse

INTERVAL_S: Final = 1.0
IDLE_S: Final = 3.0  # a tick even without news: the page takes silence for a broken line
ANSWER_TIMEOUT_S: Final = 30.0
CLOSED_AGAIN_S: Final = 15.0

Update = tuple[ComponentId, dict[str, Any]]


class TabLine(Protocol):
    """The line to one tab, as Dash offers it."""

    @property
    def is_shutdown(self) -> bool:
        """Whether the tab's socket is gone."""
        ...

    async def get_prop(self, component_id: str, prop_name: str, timeout: float = ...) -> object:  # noqa: ASYNC109  # Dash has it so
        """Ask the tab for a property."""
        ...


@dataclass(slots=True)
class Told:
    """What a tab has been told so far."""

    render_id: str | None = None
    keys: dict[str, object] = field(default_factory=dict)
    newest: datetime | None = None
    refreshed: bool = False

    def start_page(self, page: PageState) -> None:
        """Another drawing of a page: everything inside it has to be told again."""
        if page.render_id != self.render_id:
            self.render_id, self.newest, self.refreshed = page.render_id, page.since_instant, False
            self.keys.clear()


class Pusher:
    """Feeds tabs; one call of ``feed`` for each."""

    def __init__(self, hub: Hub, details: Details, clock: Clock) -> None:
        self._hub = hub
        self._details = details
        self._clock = clock

    async def feed(self, line: TabLine, set_props: Callable[[ComponentId, dict[str, Any]], None]) -> None:
        """Feed a tab until its socket closes or it stops answering.

        Each round first asks the tab what it shows. The answer comes only after the tab has worked off
        what was sent before: a slow tab is sent less, and nothing piles up for one that never reads.
        """
        slot = self._hub.subscribe()
        told = Told()
        try:
            while not line.is_shutdown:
                page = PageState.from_store(await line.get_prop("view", "data", timeout=ANSWER_TIMEOUT_S))
                for identifier, props in await self.news(page, told):
                    set_props(identifier, props)
                    PUSHES.inc()
                await self._pause(slot)
        except (WebsocketDisconnected, TimeoutError):
            return
        finally:
            self._hub.unsubscribe(slot)

    async def _pause(self, slot: Slot) -> None:
        begin_s = self._clock.monotonic_s()
        await slot.wait(INTERVAL_S if self._hub.large else IDLE_S)
        await asyncio.sleep(max(INTERVAL_S - (self._clock.monotonic_s() - begin_s), 0.0))

    async def news(self, page: PageState | None, told: Told) -> list[Update]:
        """Updates that bring a tab up to date; the last one is the tick."""
        now = self._clock.now()
        tick: Update = ("tick", {"data": now.isoformat()})
        if page is None:
            return [tick]
        told.start_page(page)
        view = parse(page.path, page.search)
        tz = UTC if view.utc else zone(page.zone)
        updates = list(self._changed(self._shell_regions(now, tz), told))
        if view.live:
            updates += await self._page_news(page, view, told, now, tz)
        return [*updates, tick]

    async def _page_news(self, page: PageState, view: View, told: Told, now: datetime, tz: tzinfo) -> list[Update]:
        if self._hub.connected and page.epoch != self._hub.epoch:
            return self._refresh(told, f"epoch {self._hub.epoch}")
        try:
            scene = await large_plant(Scene(view=view, plant=self._hub.plant, now=now, tz=tz), self._hub, self._details)
        except ApiError:
            return []  # the page stays as it is; the banner says that the API is away
        if view.page == "overview":
            return list(self._changed(overview.regions(scene), told))
        if view.page == "alarms":
            return self._alarm_news(scene, told)
        if view.page == "asset" and view.asset_id in self._hub.plant.assets:
            return await self._asset_news(page, scene, told)
        return []

    def _alarm_news(self, scene: Scene, told: Told) -> list[Update]:
        if scene.view.closed:
            return self._closed_news(scene.view, told, scene.now)
        return list(self._changed(alarms.regions(scene), told))

    async def _asset_news(self, page: PageState, scene: Scene, told: Told) -> list[Update]:
        try:
            detail = await self._details.get(scene.view.asset_id)
            window = resolve(scene.view.start, scene.view.end, scene.now)
        except (ApiError, TimeRangeError):
            return []  # the page itself says so; the live part waits
        scene = replace(scene, detail=detail)
        live = scene.plant.live(scene.view.asset_id)
        fresh = [reading for reading in live.recent if told.newest is None or reading.ts >= told.newest]
        if told.newest is not None and fresh and len(fresh) == live.recent.maxlen:
            return self._refresh(told, f"gap {fresh[0].ts.isoformat()}")  # older readings may have been missed
        updates = list(self._changed(asset.regions(scene), told))
        if window.follows_now:
            updates.append(("frame", {"data": _frame(fresh, page, scene, window)}))
            told.newest = fresh[-1].ts if fresh else told.newest
        return updates

    def _closed_news(self, view: View, told: Told, now: datetime) -> list[Update]:
        """The newest page of closed alarms is drawn anew now and then: nobody tells when the database has one more."""
        period = now.timestamp() // CLOSED_AGAIN_S
        drawn = told.keys.setdefault("closed", period)
        return [] if drawn == period or view.older_than else self._refresh(told, f"closed {period:.0f}")

    def _refresh(self, told: Told, reason: str) -> list[Update]:
        """Have the page drawn anew, once for each drawing."""
        if told.refreshed:
            return []
        told.refreshed = True
        return [("refresh", {"data": f"{told.render_id} {reason}"})]

    def _shell_regions(self, now: datetime, tz: tzinfo) -> Iterator[Region]:
        hub = self._hub
        problem = "" if hub.connected or hub.lost_at is None else hub.problem
        since = "" if hub.connected else clock_time(hub.lost_at, tz, now)
        build = (lambda: None) if hub.connected else (lambda: layout.connection_banner(problem, since))
        yield Region(id="connection", key=(hub.connected, problem, since), build=build)
        count = len(hub.plant.alarms)
        yield Region(id="alarm-count", key=count, build=lambda: layout.alarm_count(count))

    @staticmethod
    def _changed(regions: Iterator[Region], told: Told) -> Iterator[Update]:
        drawn: set[str] = set()
        for region in regions:
            name = region_name(region.id)
            if name in told.keys and told.keys[name] == region.key:
                continue
            told.keys[name] = region.key
            if region.inside is not None and region_name(region.inside) in drawn:
                continue
            drawn.add(name)
            yield region.id, {"children": region.build()}


async def large_plant(scene: Scene, hub: Hub, details: Details) -> Scene:
    """Ask for what the page of a large plant shows; the scene of a small one is complete.

    Raises
    ------
    ApiError
        If the API does not give it.
    """
    if not hub.large:
        return scene
    view = scene.view
    if view.page == "overview":
        return replace(scene, fleet=await hub.fleet.page(fleet_table.query_of(view)))
    if view.page == "asset":
        await hub.fleet.watch((await details.get(view.asset_id)).asset)
    if view.page == "alarms" and not view.closed:
        await hub.fleet.learn_names({row.asset_id for row in alarms.listing(scene).rows})
    return scene


def _frame(fresh: list[Snapshot], page: PageState, scene: Scene, window: TimeRange) -> dict[str, Any]:
    """Readings that continue the charts, and the window to show."""
    detail = scene.detail
    usual = scene.plant.live(scene.view.asset_id).interval()
    tags = asset.shown_tags(scene, detail.asset_class) if detail is not None else ()
    return {
        "render_id": page.render_id,
        "from": plot_time(window.start, scene.tz),
        "to": plot_time(window.end, scene.tz),
        "bucket_ms": figures.bucket(window).total_seconds() * 1000,
        "usual_ms": 0.0 if usual is None else usual.total_seconds() * 1000,
        "times": [plot_time(reading.ts, scene.tz) for reading in fresh],
        "columns": figures.live_columns(fresh, tags),
    }
