"""Time as an argument."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the time, never blocks and never raises; tests pass one that stands still."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds from an arbitrary start; never goes back."""
        ...
