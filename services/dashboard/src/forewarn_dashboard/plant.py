"""The plant as last reported by the live feed, shared by all browsers of this process."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from statistics import median
from typing import Final

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import AssetHealth
from forewarn.domain.health.condition import stale_after_s
from forewarn_dashboard.client import JudgedReading, LiveUpdate

RECENT_READINGS: Final = 120
SPARK_POINTS: Final = 48
SPARK_STEP: Final = timedelta(seconds=20)


@dataclass(slots=True, kw_only=True)
class AssetLive:
    """Live state of an asset."""

    latest: JudgedReading | None = None
    health: AssetHealth | None = None
    recent: deque[JudgedReading] = field(default_factory=lambda: deque(maxlen=RECENT_READINGS))
    spark: deque[tuple[datetime, float | None]] = field(default_factory=lambda: deque(maxlen=SPARK_POINTS))
    spark_filled: bool = False

    def apply(self, reading: JudgedReading) -> None:
        """Apply a reading. Older ones are ignored; one of the same instant adds the judgement."""
        if self.latest is not None and reading.ts < self.latest.ts:
            return
        if self.latest is not None and reading.ts == self.latest.ts:
            self.recent.pop()
        if reading.score is not None and self.spark and self.spark[-1][1] is None:
            self.spark_filled = False  # a stage has caught up, with its judgements in the database
        self.latest = reading
        self.recent.append(reading)
        self._extend_spark(reading.ts, reading.score)

    def fill_spark(self, past: Iterable[tuple[datetime, float | None]]) -> None:
        """Fill in stored scores before live ones and in their gaps."""
        self.spark_filled = True
        live = [(at, score) for at, score in self.spark if score is not None]
        stored = [(at, score) for at, score in past if not self.spark or at < self.spark[-1][0]]
        self.spark.clear()
        for at, score in sorted([*stored, *live], key=itemgetter(0)):
            self._extend_spark(at, score)

    def _extend_spark(self, at: datetime, score: float | None) -> None:
        """Keep the highest score of each step, so that no short peak is lost."""
        if not self.spark or at - self.spark[-1][0] >= SPARK_STEP:
            self.spark.append((at, score))
            return
        begin, highest = self.spark[-1]
        if score is not None and (highest is None or score > highest):
            self.spark[-1] = (begin, score)

    def interval(self) -> timedelta | None:
        """Return the usual time between readings; None before the third."""
        if len(self.recent) < 3:
            return None
        times = [reading.ts.timestamp() for reading in self.recent]
        return timedelta(seconds=median(b - a for a, b in pairwise(times)))

    def age(self, now: datetime) -> timedelta | None:
        """Return the age of the newest reading; None before the first."""
        return None if self.latest is None else max(now - self.latest.ts, timedelta(0))

    def stale(self, now: datetime) -> bool:
        """Return whether the newest reading is older than 30 s and than five usual intervals."""
        age, interval = self.age(now), self.interval()
        usual_s = None if interval is None else interval.total_seconds()
        return age is not None and age.total_seconds() > stale_after_s(usual_s)


class LivePlant:
    """Assets, newest readings, health and open alarms. A cache: the API has the rest."""

    def __init__(self) -> None:
        self.assets: dict[str, Asset] = {}
        self.alarms: dict[str, Alarm] = {}
        self.names: dict[str, str] = {}  # of assets outside ``assets``: most of a large plant
        self.loaded = False
        self._live: dict[str, AssetLive] = {}

    def name_of(self, asset_id: str) -> str:
        """Return the name of an asset, or its id if the name is unknown."""
        asset = self.assets.get(asset_id)
        return self.names.get(asset_id, asset_id) if asset is None else asset.name

    def add(self, asset: Asset) -> None:
        """Add an asset."""
        self.assets[asset.asset_id] = asset

    def forget(self, asset_id: str) -> None:
        """Drop an asset."""
        self.assets.pop(asset_id, None)
        self._live.pop(asset_id, None)

    def live(self, asset_id: str) -> AssetLive:
        """Return the live state of an asset; empty for one without readings or registration."""
        return self._state_of(asset_id) if asset_id in self.assets else AssetLive()

    def set_assets(self, assets: Iterable[Asset]) -> None:
        """Replace the registry; live states of new assets are kept."""
        known = {asset.asset_id: asset for asset in assets}
        for gone in self.assets.keys() - known.keys():
            self._live.pop(gone, None)
        self.assets = known
        self.loaded = True

    def apply(self, update: LiveUpdate) -> frozenset[str]:
        """Apply a message of the feed and return assets in it that are not registered yet.

        Their state is kept: a new asset's first reading may be its only one for a long time.
        """
        if update.complete:
            self.alarms.clear()
        for alarm in update.alarms:
            if alarm.active or not alarm.acknowledged:
                self.alarms[alarm.alarm_id] = alarm
            else:
                self.alarms.pop(alarm.alarm_id, None)
        for alarm_id in update.closed_alarms:
            self.alarms.pop(alarm_id, None)
        for asset_id in update.removed_assets:
            self.forget(asset_id)
        for reading in update.readings:
            self._state_of(reading.asset_id).apply(reading)
        for health in update.health:
            self._state_of(health.asset_id).health = health
        mentioned = {r.asset_id for r in update.readings} | {h.asset_id for h in update.health}
        return frozenset(mentioned - self.assets.keys())

    def _state_of(self, asset_id: str) -> AssetLive:
        return self._live.setdefault(asset_id, AssetLive())

    def alarms_of(self, asset_id: str) -> tuple[Alarm, ...]:
        """Return the open alarms of an asset."""
        return tuple(alarm for alarm in self.alarms.values() if alarm.asset_id == asset_id)
