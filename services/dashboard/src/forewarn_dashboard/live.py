"""One connection to the live feed for the whole process, fanned out to a slot per browser tab."""

import asyncio
import random
import uuid
from contextlib import aclosing
from datetime import datetime
from typing import Final

import structlog

from forewarn.ports.clock import Clock
from forewarn_dashboard.client import ApiError, FleetQuery, HistoryRequest, PlantApi
from forewarn_dashboard.fleet import TILES_AT_MOST, Fleet
from forewarn_dashboard.metrics import SUBSCRIBERS, UPSTREAM_CONNECTED, UPSTREAM_UPDATES
from forewarn_dashboard.plant import SPARK_POINTS, SPARK_STEP, LivePlant

REGISTRY_POLL_S: Final = 15.0
REGISTRY_PAUSE_S: Final = 1.0  # a burst of unknown assets leads to one request
SPARK_HISTORY_POINTS: Final = 2000  # 16 min of readings a second come raw, faster ones rolled up
FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 10.0
MAX_SUBSCRIBERS: Final = 500

_log = structlog.get_logger(__name__)


class TooManyTabsError(Exception):
    """The process already feeds the most browser tabs allowed."""


class Slot:
    """Wakes a subscriber, once however much has happened: it reads the newest state."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def ring(self) -> None:
        """Wake the subscriber."""
        self._news.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s`` for news; return whether there was any."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Hub:
    """Follows the API's live feed into a ``LivePlant`` and wakes subscribers when it has changed.

    ``large``: the plant has too many assets to follow each. Only its alarms are followed; ``fleet`` requests the rest
    as it is shown.

    ``epoch`` names an unbroken stretch of the feed: a page drawn in another epoch may have gaps in its charts and has
    to be drawn again.
    """

    def __init__(self, api: PlantApi, clock: Clock, rng: random.Random) -> None:
        self.plant = LivePlant()
        self.large = False
        self.fleet = Fleet(api, self.plant, clock, self._ring, self._counted)
        self.connected = False
        self.problem = ""
        self.epoch = ""
        self.lost_at: datetime | None = clock.now()  # when the connection was lost
        self._api = api
        self._clock = clock
        self._rng = rng
        self._slots: set[Slot] = set()
        self._registry_wanted = asyncio.Event()

    def subscribe(self) -> Slot:
        """Add a subscriber; undo with ``unsubscribe``.

        Raises ``TooManyTabsError`` if there are too many already.
        """
        if len(self._slots) >= MAX_SUBSCRIBERS:
            raise TooManyTabsError(f"{MAX_SUBSCRIBERS} browser tabs are connected already: close one, then reload")
        slot = Slot()
        self._slots.add(slot)
        SUBSCRIBERS.set(len(self._slots))
        return slot

    def unsubscribe(self, slot: Slot) -> None:
        """Forget a subscriber."""
        self._slots.discard(slot)
        SUBSCRIBERS.set(len(self._slots))

    def forget(self, asset_id: str) -> None:
        """Drop a removed asset."""
        self.plant.forget(asset_id)
        self.plant.names.pop(asset_id, None)
        self.fleet.clear()
        self._registry_wanted.set()

    async def follow_feed(self) -> None:
        """Follow the feed until cancelled, reconnecting with growing pauses."""
        failures = 0
        while True:
            try:
                await self._load_registry()
                await self._read_feed()
            except ApiError as exc:
                failures = 0 if self.connected else failures + 1
                self._lost(str(exc))
            pause_s = min(FIRST_RETRY_S * 2 ** min(failures, 10), LONGEST_RETRY_S)
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.0))

    async def follow_registry(self) -> None:
        """Reload the assets now and then, and at once if the feed has an unknown one, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(REGISTRY_POLL_S):
                    await self._registry_wanted.wait()
            except TimeoutError:
                if not self.connected:
                    continue
            self._registry_wanted.clear()
            try:
                await self._load_registry()
            except ApiError as exc:  # the old registry stays; whether the API is up is for the feed to decide
                _log.info("registry_not_read", problem=str(exc))
            self._ring()
            await self._fill_sparks()
            await asyncio.sleep(REGISTRY_PAUSE_S)

    def _counted(self, assets: int) -> None:
        """Choose how to follow the plant by its number of assets."""
        if (assets > TILES_AT_MOST) != self.large:
            self._registry_wanted.set()

    async def _load_registry(self) -> None:
        large = (await self._api.overview(FleetQuery())).counts.assets > TILES_AT_MOST
        if large != self.large:
            _log.info("plant_is_large" if large else "plant_is_small")
            self.plant.set_assets(())
        self.large = large
        if large:
            self.plant.loaded = True
        else:
            self.plant.set_assets(await self._api.assets())

    async def _fill_sparks(self) -> None:
        """Load the recent history of assets with incomplete sparklines, one after the other."""
        now = self._clock.now()
        for asset_id in list(self.plant.assets):
            live = self.plant.live(asset_id)
            if live.spark_filled or live.latest is None or not self.connected:
                continue
            column = next(iter(live.latest.values), None)
            query = HistoryRequest(
                start=now - SPARK_POINTS * SPARK_STEP,
                end=now,
                columns=() if column is None else (column,),
                max_points=SPARK_HISTORY_POINTS,
            )
            try:
                past = await self._api.history(asset_id, query)
            except ApiError as exc:
                _log.info("recent_past_not_read", asset_id=asset_id, problem=str(exc))
                return
            live.fill_spark(zip(past.times, past.column("score"), strict=True))

    async def _read_feed(self) -> None:
        large = self.large
        async with aclosing(self._api.live(only_alarms=large)) as updates:
            async for update in updates:
                if update.complete:
                    self._gained()
                if self.plant.apply(update):
                    self._registry_wanted.set()
                UPSTREAM_UPDATES.inc()
                self._ring()
                if self.large != large:
                    return  # the plant has grown or shrunk: follow the other feed

    def _gained(self) -> None:
        self.connected, self.problem, self.lost_at = True, "", None
        self.epoch = uuid.UUID(int=self._rng.getrandbits(128)).hex[:12]
        self._registry_wanted.set()
        UPSTREAM_CONNECTED.set(1)
        _log.info("api_connected", epoch=self.epoch)

    def _lost(self, problem: str) -> None:
        if self.connected or problem != self.problem:
            _log.warning("api_lost", problem=problem)
        self.connected, self.problem = False, problem
        self.lost_at = self.lost_at if self.lost_at is not None else self._clock.now()
        UPSTREAM_CONNECTED.set(0)
        self._ring()

    def _ring(self) -> None:
        for slot in self._slots:
            slot.ring()
