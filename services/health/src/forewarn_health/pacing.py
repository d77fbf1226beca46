"""Decides whose health to publish: changed assets, within a shortest and a longest interval."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forewarn.contracts.health import AssetHealth
from forewarn.domain.health.change import differs


@dataclass(frozen=True, slots=True)
class _Published:
    at_s: float
    health: AssetHealth


class Pacing:
    """Remembers what was last published of each asset, and when; times are monotonic seconds."""

    def __init__(self, min_interval_s: float, refresh_s: float) -> None:
        self._min_interval_s = min_interval_s
        self._refresh_s = refresh_s
        self._published: dict[str, _Published] = {}
        self._due_s: dict[str, float] = {}

    def note(self, asset_ids: Iterable[str]) -> None:
        """Note that these assets have new readings."""
        for asset_id in asset_ids:
            last = self._published.get(asset_id)
            self._due_s.setdefault(asset_id, 0.0 if last is None else last.at_s + self._min_interval_s)

    def due(self, now_s: float) -> Iterator[str]:
        """Return the assets to check; pass each to ``published`` or ``postpone``."""
        yield from [asset_id for asset_id, due_s in self._due_s.items() if due_s <= now_s]

    def is_news(self, health: AssetHealth, now_s: float) -> bool:
        """Return whether a result has changed, or is due to be repeated."""
        last = self._published.get(health.asset_id)
        return last is None or now_s - last.at_s >= self._refresh_s or differs(last.health, health)

    def published(self, health: AssetHealth, now_s: float) -> None:
        """Note what was published."""
        self._published[health.asset_id] = _Published(now_s, health)
        self._due_s.pop(health.asset_id, None)

    def postpone(self, asset_id: str, now_s: float) -> None:
        """Check an unchanged asset again after the shortest interval."""
        self._due_s[asset_id] = now_s + self._min_interval_s

    def forget(self, asset_id: str) -> None:
        """Forget a removed asset."""
        self._published.pop(asset_id, None)
        self._due_s.pop(asset_id, None)

    def restart(self, asset_ids: Iterable[str]) -> None:
        """Make these assets due: what was last published of them is unknown."""
        self._published.clear()
        self._due_s = dict.fromkeys(asset_ids, 0.0)
