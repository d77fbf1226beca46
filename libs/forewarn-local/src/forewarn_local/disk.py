"""Messages about the free space on the platform's disk."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from forewarn.adapters.disk import DiskSpace, DiskState
from forewarn.contracts.limits import GB


@dataclass(slots=True)
class DiskWatch:
    """Reports when free space becomes low, reaches the reserve, and is sufficient again."""

    space: DiskSpace
    state: DiskState = field(default=DiskState.AMPLE, init=False)

    def look(self) -> Iterator[str]:
        """Yield a message if the state has changed."""
        state = self.space.state()
        if state is not self.state:
            self.state = state
            yield self._message()

    def _message(self) -> str:
        left = f"{self.space.free_bytes(self.space.path) / GB:.2f} GB free on the disk of {self.space.path}"
        reserve = f"{self.space.reserve_gb:g} GB (DISK_RESERVE_GB)"
        if self.state is DiskState.FULL:
            return (
                f"Disk full: {left}, less than the reserve of {reserve}. New readings are refused and the simulator "
                "pauses until there is space: free some, or lower DISK_BUDGET_GB and restart."
            )
        if self.state is DiskState.LOW:
            return f"Disk nearly full: {left}; below {reserve} new readings are refused."
        return f"Disk: {left}; readings are accepted."
