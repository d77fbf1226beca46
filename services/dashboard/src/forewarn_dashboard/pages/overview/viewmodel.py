"""View model of the overview: counts, and a tile for each asset."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forewarn.contracts.alarms import Priority
from forewarn.contracts.assets import Asset
from forewarn.contracts.health import Condition, HealthCategory
from forewarn_dashboard.pages.alarms.viewmodel import rank
from forewarn_dashboard.plant import LivePlant
from forewarn_dashboard.viewmodels import CONDITION_TEXT, PRIORITY_NUMBER, age_text, class_title, condition

#: Two lines of a tile.
_TILE_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """An asset on the overview."""

    asset_id: str
    name: str
    class_title: str
    condition: Condition
    health: float | None
    category: HealthCategory | None
    trend: str
    priority: Priority | None
    alarm_text: str
    alarm_count: int
    age: str
    spark: tuple[float | None, ...]
    flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts over the whole plant."""

    total: int
    conditions: tuple[tuple[Condition, int], ...]
    priorities: tuple[tuple[Priority, int], ...]
    unacknowledged: int


def tile(plant: LivePlant, asset: Asset, now: datetime) -> Tile:
    """Return the tile of an asset."""
    live, alarms = plant.live(asset.asset_id), plant.alarms_of(asset.asset_id)
    worst = min(alarms, key=rank, default=None)
    return Tile(
        asset_id=asset.asset_id,
        name=asset.name,
        class_title=class_title(asset.asset_class),
        condition=condition(live, alarms, now),
        health=None if live.health is None else live.health.health,
        category=None if live.health is None else live.health.category,
        trend="unknown" if live.health is None else live.health.trend,
        priority=None if worst is None else worst.priority,
        alarm_text="" if worst is None else worst.message,
        alarm_count=len(alarms),
        age=age_text(live.age(now), stale=live.stale(now)),
        spark=tuple(score for _, score in live.spark),
        flagged=bool(live.latest is not None and live.latest.flag),
    )


def summary(plant: LivePlant, now: datetime) -> Summary:
    """Return counts over all assets and open alarms."""
    found = [condition(plant.live(a), plant.alarms_of(a), now) for a in plant.assets]
    alarms = list(plant.alarms.values())
    return Summary(
        total=len(found),
        conditions=tuple((name, found.count(name)) for name in CONDITION_TEXT),
        priorities=tuple((p, sum(a.priority is p for a in alarms)) for p in PRIORITY_NUMBER),
        unacknowledged=sum(not a.acknowledged for a in alarms),
    )


def tile_text(message: str) -> str:
    """Return what fits on two lines of a tile: the finding of an alarm, without its cause and the rule's own words."""
    finding = message.partition(";")[0]
    detail = finding.partition(": ")[2]
    return detail[:1].upper() + detail[1:] if detail and len(finding) > _TILE_CHARACTERS else finding
