"""Checks removals on ``readings.raw`` against the registry, which has the last word."""

from typing import Final

from forewarn.adapters.kafka.registry import AssetRegistry
from forewarn.contracts.removal import AssetRemoval
from forewarn.ports.clock import Clock

#: The registry's reader may lag behind the removal.
_PATIENCE_S: Final = 1.0
#: After a false removal there is no waiting for others: forged ones must not stall the stream.
_NO_PATIENCE_S: Final = 30.0


class Removals:
    """Checks removals, waiting briefly for the registry."""

    def __init__(self, registry: AssetRegistry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._patient_from_s = clock.monotonic_s()

    def are_true(self, removal: AssetRemoval) -> bool:
        """Return whether the registry confirms a removal."""
        patience_s = _PATIENCE_S if self._clock.monotonic_s() >= self._patient_from_s else 0.0
        known = self._registry.knows_removal(removal.asset_id, removal.mark, patience_s)
        if not known:
            self._patient_from_s = self._clock.monotonic_s() + _NO_PATIENCE_S
        return known
