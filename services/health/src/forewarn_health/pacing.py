"""Decides whose health is published now: what has changed, no asset too often, each now and then."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forewarn.contracts.health import AssetHealth
from forewarn.domain.health.change import differs


@dataclass(frozen=True, slots=True)
class _Published:
    at_s: float
    health: AssetHealth


class Pacing:
    """Remembers what was published of each asset, and when; times are monotonic seconds."""

    def __init__(self, min_interval_s: float, refresh_s: float) -> None:
        self._min_interval_s = min_interval_s
        self._refresh_s = refresh_s
        self._published: dict[str, _Published] = {}
        self._fresh: dict[str, float] = {}

    def note(self, asset_ids: Iterable[str]) -> None:
        """These assets have new readings."""
        for asset_id in asset_ids:
            last = self._published.get(asset_id)
            self._fresh.setdefault(asset_id, 0.0 if last is None else last.at_s + self._min_interval_s)

    def due(self, now_s: float) -> Iterator[str]:
        """Assets to look at now; each of them must be given to ``published`` or ``postpone``."""
        yield from [asset_id for asset_id, at_s in self._fresh.items() if at_s <= now_s]

    def worth_publishing(self, health: AssetHealth, now_s: float) -> bool:
        """Return whether this is news, or it is time to repeat it."""
        last = self._published.get(health.asset_id)
        return last is None or now_s - last.at_s >= self._refresh_s or differs(last.health, health)

    def published(self, health: AssetHealth, now_s: float) -> None:
        """Note that it is published now."""
        self._published[health.asset_id] = _Published(now_s, health)
        self._fresh.pop(health.asset_id, None)

    def postpone(self, asset_id: str, now_s: float) -> None:
        """Look again in a while: there is nothing to publish."""
        self._fresh[asset_id] = now_s + self._min_interval_s

    def forget(self, asset_id: str) -> None:
        """Forget a removed asset."""
        self._published.pop(asset_id, None)
        self._fresh.pop(asset_id, None)

    def restart(self, asset_ids: Iterable[str]) -> None:
        """Start over: other workers may have published these assets since, or their last readings may be missing."""
        self._published.clear()
        self._fresh = dict.fromkeys(asset_ids, 0.0)
