"""State of an asset: health, long memory of watched columns, forecasts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from forewarn.contracts.forecasts import LimitForecast
from forewarn.domain.forecast.memory import SeriesMemory, remember
from forewarn.domain.forecast.watch import watched_columns
from forewarn.domain.frames.frame import Frame
from forewarn.domain.health.asset import HealthState
from forewarn.domain.health.profile import HealthProfile
from forewarn.domain.health.rows import observe_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """Forecasts made from the buckets before the ``index``-th."""

    index: int
    forecasts: tuple[LimitForecast, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetState:
    """State of an asset; ``memory`` is None if its class watches no columns, ``foreseen`` before the first forecast."""

    health: HealthState
    memory: SeriesMemory | None = None
    foreseen: Foreseen | None = None

    @property
    def forecasts(self) -> tuple[LimitForecast, ...]:
        """Current forecasts."""
        return () if self.foreseen is None else self.foreseen.forecasts

    @property
    def news(self) -> bool:
        """Whether a bucket was completed since the last forecast."""
        if self.memory is None or not self.memory.closed_buckets:
            return False
        return self.foreseen is None or self.foreseen.index < self.memory.index

    def with_forecasts(self, foreseen: Foreseen) -> "AssetState":
        """Return the state with new forecasts."""
        return replace(self, foreseen=foreseen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Result of a frame: changed states, and the number of rows applied and skipped (late or seen before)."""

    states: Mapping[str, AssetState]
    applied: int
    skipped: int


def observe(
    states: Mapping[str, AssetState], frame: Frame, profiles: Callable[[str], HealthProfile] | None = None
) -> Observed:
    """Apply an anomaly frame to health and long memory of its assets.

    ``profiles`` returns an asset's profile; without it, only the class counts.
    """
    known = {name: states[name] for name in frame.assets.categories if name in states}
    result = observe_frame({name: state.health for name, state in known.items()}, frame, profiles)
    own = {name: state for name, state in known.items() if state.health.asset_class == frame.asset_class.name}
    columns = watched_columns(frame.asset_class)
    memories: dict[str, SeriesMemory] = {}
    if columns:
        before = {name: state.memory for name, state in own.items() if state.memory is not None}
        memories = remember(before, frame, columns)
    after = {name: _after(own.get(name), health, memories.get(name)) for name, health in result.states.items()}
    return Observed(states=after, applied=result.applied, skipped=result.skipped)


def _after(before: AssetState | None, health: HealthState, memory: SeriesMemory | None) -> AssetState:
    if before is None:
        return AssetState(health=health, memory=memory)
    return AssetState(health=health, memory=memory or before.memory, foreseen=before.foreseen)
