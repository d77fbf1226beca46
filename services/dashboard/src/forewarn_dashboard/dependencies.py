"""Dependencies of pages and callbacks, built once in ``app.build``."""

from dataclasses import dataclass

from forewarn.ports.clock import Clock
from forewarn_dashboard.client import PlantApi
from forewarn_dashboard.details import Details
from forewarn_dashboard.live import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Shared by all tabs of a process."""

    api: PlantApi
    hub: Hub
    details: Details
    clock: Clock
