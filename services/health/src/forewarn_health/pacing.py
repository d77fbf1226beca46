"""Decides which assets' health is told now: what has changed, no asset too often, none never."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forewarn.contracts.health import AssetHealth
from forewarn.domain.health.change import differs


@dataclass(frozen=True, slots=True)
class _Told:
    at_s: float
    health: AssetHealth


class Pacing:
    """Remembers what was told of each asset, and when; times are monotonic seconds."""

    def __init__(self, min_interval_s: float, refresh_s: float) -> None:
        self._min_interval_s = min_interval_s
        self._refresh_s = refresh_s
        self._told: dict[str, _Told] = {}
        self._fresh: dict[str, float] = {}

    def note(self, asset_ids: Iterable[str]) -> None:
        """These assets have new readings."""
        for asset_id in asset_ids:
            told = self._told.get(asset_id)
            self._fresh.setdefault(asset_id, 0.0 if told is None else told.at_s + self._min_interval_s)

    def due(self, now_s: float) -> Iterator[str]:
        """Assets to look at now; each of them must be given to ``tell`` or ``postpone``."""
        yield from [asset_id for asset_id, at_s in self._fresh.items() if at_s <= now_s]

    def worth_telling(self, health: AssetHealth, now_s: float) -> bool:
        """Whether this is news, or it is time to repeat it."""
        told = self._told.get(health.asset_id)
        return told is None or now_s - told.at_s >= self._refresh_s or differs(told.health, health)

    def tell(self, health: AssetHealth, now_s: float) -> None:
        """It is being told now."""
        self._told[health.asset_id] = _Told(now_s, health)
        self._fresh.pop(health.asset_id, None)

    def postpone(self, asset_id: str, now_s: float) -> None:
        """It is not worth telling; look again in a while."""
        self._fresh[asset_id] = now_s + self._min_interval_s

    def forget(self, asset_id: str) -> None:
        """The asset was removed."""
        self._told.pop(asset_id, None)
        self._fresh.pop(asset_id, None)

    def restart(self, asset_ids: Iterable[str]) -> None:
        """Forget the past: other workers may have told of these assets since, or nobody of their last readings."""
        self._told.clear()
        self._fresh = dict.fromkeys(asset_ids, 0.0)
