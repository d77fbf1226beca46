"""Whether a removal on ``readings.raw`` is true: the registry has the last word."""

from datetime import datetime
from typing import Final, Protocol

from forewarn.contracts.removal import AssetRemoval
from forewarn.ports.clock import Clock

#: The registry is read by a thread of its own, which may lag behind the removal.
_PATIENCE_S: Final = 1.0
#: After a removal that was not true, others are not waited for: forged ones cannot stall the stream.
_NO_PATIENCE_S: Final = 30.0


class KnowsRemovals(Protocol):
    """The registry, as ``forewarn.adapters.kafka.registry.AssetRegistry`` implements it."""

    def gone_since(self, asset_id: str, at: datetime, patience_s: float) -> bool:
        """Whether an asset is not registered any more, or was registered again after ``at``."""
        ...


class Removals:
    """Asks the registry, and waits for it within reason."""

    def __init__(self, registry: KnowsRemovals, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._patient_from_s = clock.monotonic_s()

    def are_true(self, removal: AssetRemoval) -> bool:
        """Whether the registry knows of a removal."""
        patience_s = _PATIENCE_S if self._clock.monotonic_s() >= self._patient_from_s else 0.0
        known = self._registry.gone_since(removal.asset_id, removal.removed_at, patience_s)
        if not known:
            self._patient_from_s = self._clock.monotonic_s() + _NO_PATIENCE_S
        return known
