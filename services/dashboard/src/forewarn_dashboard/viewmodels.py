"""Names and conditions of assets on all pages: pure, without markup."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import Phase
from forewarn.contracts.health import Condition
from forewarn.domain.health.condition import condition_of
from forewarn_dashboard.formatting import duration
from forewarn_dashboard.plant import AssetLive

CONDITION_TEXT: Final[dict[Condition, str]] = {
    "normal": "Normal",
    "attention": "Needs attention",
    "learning": "Learning",
    "unjudged": "Not judged now",
    "stale": "No fresh data",
    "silent": "No data yet",
}
PRIORITY_NUMBER: Final = {Priority.CRITICAL: 1, Priority.HIGH: 2, Priority.MEDIUM: 3, Priority.LOW: 4}
NO_AREA: Final = "No area assigned"
TREND_ARROW: Final = {"improving": "↗", "stable": "→", "degrading": "↘", "unknown": ""}
_LIVE_AGE: Final = timedelta(seconds=10)


def class_title(name: str) -> str:
    """Return a name as words: ``centrifugal_pump`` → Centrifugal pump."""
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def area(asset: Asset) -> str:
    """Return an asset's area: its ISA-95 path below the enterprise."""
    below = asset.path[1:3] if len(asset.path) > 1 else asset.path
    return " / ".join(below) or NO_AREA


def condition(live: AssetLive, alarms: Iterable[Alarm], now: datetime) -> Condition:
    """Return the condition of an asset; missing data takes precedence over what old data said."""
    if live.latest is None:
        return "silent"
    return condition_of(
        stale=live.stale(now),
        alarms=any(True for _ in alarms),
        flag=bool(live.latest.flag),
        category=None if live.health is None else live.health.category,
        score=live.latest.score,
        phase=Phase.LIVE if live.latest.phase == "live" else None,
    )


def age_text(age: timedelta | None, *, stale: bool) -> str:
    """Return the age of the newest reading; ``live`` while it is recent, so that quiet tiles stay quiet."""
    if age is None:
        return "no data"
    return "live" if age <= _LIVE_AGE or not stale else f"{duration(age.total_seconds())} old"
