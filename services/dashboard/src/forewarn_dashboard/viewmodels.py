"""What the pages say, worked out from the plant's state: pure, comparable, without any markup."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from forewarn.contracts.alarms import Alarm, AlarmState, Priority
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import Hint, Phase
from forewarn.contracts.health import AssetHealth, HealthCategory
from forewarn.domain.health.condition import Condition, condition_of
from forewarn.domain.physics.unit_symbols import unit_symbol
from forewarn_dashboard.client import Snapshot
from forewarn_dashboard.formatting import clock_time, duration, life_days, number, quantity, signed
from forewarn_dashboard.plant import AssetLive, Plant

CONDITION_TEXT: Final[dict[Condition, str]] = {
    "normal": "Normal",
    "attention": "Needs attention",
    "learning": "Learning",
    "unjudged": "Not judged now",
    "stale": "No fresh data",
    "silent": "No data yet",
}
PRIORITY_NUMBER: Final = {Priority.CRITICAL: 1, Priority.HIGH: 2, Priority.MEDIUM: 3, Priority.LOW: 4}
STATE_TEXT: Final = {
    AlarmState.UNACKNOWLEDGED: "Active, not acknowledged",
    AlarmState.ACKNOWLEDGED: "Active, acknowledged",
    AlarmState.RETURNED_UNACKNOWLEDGED: "Returned, not acknowledged",
    AlarmState.NORMAL: "Closed",
}
NO_AREA: Final = "No area assigned"
TREND_ARROW: Final = {"improving": "↗", "stable": "→", "degrading": "↘", "unknown": ""}
_LIVE_AGE: Final = timedelta(seconds=10)
_DAYS: Final = "d"  # the unit of remaining life
_WHOLE_SCALE: Final = 100.0  # points of the health index


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One asset on the overview."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """One open alarm."""

    alarm_id: str
    occurrence_id: str
    asset_id: str
    asset_name: str
    rule: str
    priority: Priority
    message: str
    comparison: str
    state: AlarmState
    raised: str
    age: str
    occurrences: int
    action: str
    acknowledged: str
    stale: bool

    @property
    def can_acknowledge(self) -> bool:
        """Whether somebody still has to say that they have seen it."""
        return self.state in {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED}


def class_title(name: str) -> str:
    """``centrifugal_pump`` → Centrifugal pump."""
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def area(asset: Asset) -> str:
    """Place of an asset for grouping: its ISA-95 path below the enterprise."""
    below = asset.path[1:3] if len(asset.path) > 1 else asset.path
    return " / ".join(below) or NO_AREA


def condition(live: AssetLive, alarms: Iterable[Alarm], now: datetime) -> Condition:
    """What somebody has to know first about an asset; missing data comes before what old data said."""
    if live.latest is None:
        return "silent"
    return condition_of(
        stale=live.stale(now),
        alarms=any(True for _ in alarms),
        flag=bool(live.latest.flag),
        category=None if live.health is None else live.health.category,
        score=live.latest.score,
        phase=live.latest.phase,
    )


def judged(reading: Snapshot) -> bool:
    """Whether the twin judges live readings already."""
    return reading.score is not None and reading.phase == Phase.LIVE


def freshness(live: AssetLive, now: datetime) -> str:
    """Age of the newest reading; ``live`` while it is young, so that quiet tiles stay quiet."""
    return age_text(live.age(now), stale=live.stale(now))


def age_text(age: timedelta | None, *, stale: bool) -> str:
    """The same of an age, None where there is no reading."""
    if age is None:
        return "no data"
    return "live" if age <= _LIVE_AGE or not stale else f"{duration(age.total_seconds())} old"


def rank(alarm: Alarm) -> tuple[int, bool, datetime]:
    """Order of alarms: priority, then not acknowledged first, then oldest first."""
    return PRIORITY_NUMBER[alarm.priority], alarm.acknowledged, alarm.raised_at


def tile(plant: Plant, asset: Asset, now: datetime) -> Tile:
    """One asset's tile."""
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
        age=freshness(live, now),
        spark=tuple(score for _, score in live.spark),
        flagged=bool(live.latest is not None and live.latest.flag),
    )


def summary(plant: Plant, now: datetime) -> Summary:
    """Counts over all assets and open alarms."""
    found = [condition(plant.live(a), plant.alarms_of(a), now) for a in plant.assets]
    alarms = list(plant.alarms.values())
    return Summary(
        total=len(found),
        conditions=tuple((name, found.count(name)) for name in CONDITION_TEXT),
        priorities=tuple((p, sum(a.priority is p for a in alarms)) for p in PRIORITY_NUMBER),
        unacknowledged=sum(not a.acknowledged for a in alarms),
    )


def alarm_row(alarm: Alarm, plant: Plant, now: datetime, tz: tzinfo) -> AlarmRow:
    """One alarm as a line of a table."""
    seen = ""
    if alarm.acknowledged:
        when = clock_time(alarm.acknowledged_at, tz, now)
        seen = f"by {alarm.acknowledged_by or 'unknown'} at {when}" + (f": {alarm.comment}" if alarm.comment else "")
    return AlarmRow(
        alarm_id=alarm.alarm_id,
        occurrence_id=alarm.occurrence_id,
        asset_id=alarm.asset_id,
        asset_name=plant.name_of(alarm.asset_id),
        rule=alarm.rule,
        priority=alarm.priority,
        message=alarm.message,
        comparison=comparison(alarm),
        state=alarm.state,
        raised=clock_time(alarm.raised_at, tz, now),
        age=duration((now - alarm.raised_at).total_seconds()),
        occurrences=alarm.occurrences,
        action=alarm.action,
        acknowledged=seen,
        stale=now - alarm.raised_at > timedelta(hours=24),
    )


def comparison(alarm: Alarm) -> str:
    """By how much a limit is exceeded: ``5.1 mm/s, limit 4.5 (+13 %)``; remaining life in a unit that fits."""
    if alarm.value is None:
        return "" if alarm.limit is None else f"limit {_amount(alarm.limit, alarm.unit)}"
    text = _amount(alarm.value, alarm.unit)
    if alarm.limit is None:
        return text
    text += f", limit {life_days(alarm.limit) if alarm.unit == _DAYS else number(alarm.limit)}"
    if alarm.limit:
        text += f" ({signed(100 * (alarm.value - alarm.limit) / abs(alarm.limit), 2)}\u00a0%)"
    return text


def _amount(value: float, unit: str) -> str:
    return life_days(value) if unit == _DAYS else quantity(value, unit)


def verdict(reading: Snapshot | None, titles: dict[str, str]) -> str:
    """Why it is flagged, and the first question answered: is it the sensor or the machine? Empty when normal."""
    if reading is None or not reading.flag:
        return ""
    culprit = titles.get(reading.culprit or "", reading.culprit or "")
    share = reading.contribution.get(reading.culprit or "")
    named = f"{culprit}" + (f" ({_percent(share)} of the score)" if share is not None else "") if culprit else ""
    if reading.hint == Hint.SENSOR_FAULT:
        return f"Looks like a sensor fault: {named or 'one tag'} disagrees with all others. Check the sensor first."
    if reading.hint == Hint.ASSET_FAULT:
        return f"Looks like the machine, not a sensor. Largest contribution: {named or 'several tags'}."
    return f"Behaves unlike its learned normal. Largest contribution: {named or 'several tags'}."


def _percent(share: float) -> str:
    return f"{100 * share if share <= 1 else share:.0f}\u00a0%"


def contributions(reading: Snapshot | None, titles: dict[str, str]) -> tuple[tuple[str, float], ...]:
    """Tags with their share of the anomaly score in percent, largest first; empty while unknown."""
    if reading is None:
        return ()
    known = {tag: share for tag, share in reading.contribution.items() if share is not None}
    total = sum(max(share, 0.0) for share in known.values())
    if total <= 0:
        return ()
    shares = ((titles.get(tag, tag), 100 * max(share, 0.0) / total) for tag, share in known.items())
    return tuple(sorted(shares, key=lambda item: -item[1]))


def health_trend(health: AssetHealth | None) -> str:
    """``degrading, −1.3 points a day``; empty while unknown.

    A sudden fall makes a slope of thousands of points, which nobody can picture on a scale of 100.
    """
    if health is None or health.trend == "unknown":
        return ""
    rate = health.trend_per_day
    if not rate or health.trend == "stable":
        return health.trend
    if abs(rate) > _WHOLE_SCALE:
        return f"{health.trend}, over {_WHOLE_SCALE:.0f} points a day"
    return f"{health.trend}, {signed(rate, 2)} points a day"


def readout(reading: Snapshot | None, tag: str, unit: str) -> tuple[str, str, str]:
    """Measured value with unit, expected value, distance in healthy standard deviations."""
    if reading is None:
        return number(None), "", ""
    expected, residual = reading.expected.get(tag), reading.residual.get(tag)
    return (
        quantity(reading.values.get(tag), unit),
        "" if expected is None else f"expected {number(expected)}",
        "" if residual is None else f"{signed(residual, 2)} SD",
    )


def unit_of(units: dict[str, str], tag: str) -> str:
    """Unit symbol of a column."""
    return unit_symbol(units.get(tag, ""))
