"""The machine's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements ``forewarn.ports.clock.Clock`` with the operating system's clocks."""

    def now(self) -> datetime:
        """Wall-clock time, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251  # the one place that reads the clock

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()
