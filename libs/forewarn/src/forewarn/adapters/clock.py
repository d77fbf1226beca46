"""The machine's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements ``forewarn.ports.clock.Clock`` with the operating system's clocks."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)  # noqa: TID251  # the one place that reads the clock

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start; never goes back."""
        return time.monotonic()
