"""Up to which event time each asset was judged, kept in memory only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.alarms.asset import AssetAlarms
from forewarn.domain.frames.arrivals import NEVER_US
from forewarn.domain.time import to_datetime, to_microseconds


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Event times, µs since 1970 UTC, up to which one kind of observation was judged, by asset."""

    by_asset: dict[str, int] = field(default_factory=dict)

    def of(self, asset_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the watermark of each asset, shape (len(asset_ids),)."""
        return np.array([self.by_asset.get(asset_id, NEVER_US) for asset_id in asset_ids], dtype=np.int64)

    def advance(self, asset_ids: Iterable[str], times_us: NDArray[np.int64]) -> None:
        """Raise the watermarks of these assets."""
        self.by_asset.update(zip(asset_ids, times_us.tolist(), strict=True))

    def moment(self, asset_id: str) -> datetime | None:
        """Return an asset's watermark as states store it."""
        time_us = self.by_asset.get(asset_id)
        return None if time_us is None else to_datetime(time_us)

    def forget(self, asset_id: str) -> None:
        """Forget a removed asset."""
        self.by_asset.pop(asset_id, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Watermarks of readings (judged by threshold rules), scores and health events.

    States store them too, but only those of assets where something is open or a delay runs are kept up to date. A quiet
    asset needs none after a crash: judging the same rows again has no effect either.
    """

    readings: Watermarks = field(default_factory=Watermarks)
    scores: Watermarks = field(default_factory=Watermarks)
    health: Watermarks = field(default_factory=Watermarks)

    @classmethod
    def of(cls, states: Mapping[str, AssetAlarms]) -> "Seen":
        """Collect the watermarks of restored states."""
        return cls(
            readings=_of(states, "readings_to"), scores=_of(states, "scores_to"), health=_of(states, "health_to")
        )


def _of(states: Mapping[str, AssetAlarms], name: str) -> Watermarks:
    moments = ((asset_id, getattr(alarms, name)) for asset_id, alarms in states.items())
    return Watermarks({asset_id: to_microseconds(at) for asset_id, at in moments if at is not None})
