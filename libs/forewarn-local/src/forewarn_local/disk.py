"""How full the disk of the platform is, and what follows from it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from forewarn_local.budgets import GB

_WARN_FACTOR: Final = 2.0  # of the reserve
_CLEAR_FACTOR: Final = 1.1  # above a limit by this much, it is left behind


class DiskState(StrEnum):
    """What the free space allows."""

    AMPLE = "ample"
    LOW = "low"
    RESERVE = "reserve"


@dataclass(slots=True, kw_only=True)
class DiskWatch:
    """Says when free space becomes low, reaches the reserve, and is back.

    Parameters
    ----------
    path
        A directory on the disk.
    reserve_bytes
        Free space that is left to broker and database to finish with: new readings are refused below it.
    """

    path: Path
    reserve_bytes: float
    state: DiskState = field(default=DiskState.AMPLE, init=False)

    def look(self) -> Iterator[str]:
        """Yield a message if the state has changed."""
        free = shutil.disk_usage(self.path).free
        state = self._state(free)
        if state is not self.state:
            self.state = state
            yield self._message(free)

    def _state(self, free: int) -> DiskState:
        for state, limit in ((DiskState.RESERVE, 1.0), (DiskState.LOW, _WARN_FACTOR)):
            stays = _CLEAR_FACTOR if self.state is state else 1.0
            if free < self.reserve_bytes * limit * stays:
                return state
        return DiskState.AMPLE

    def _message(self, free: int) -> str:
        left = f"{free / GB:.2f} GB free on the disk of {self.path}"
        reserve = f"{self.reserve_bytes / GB:g} GB"
        if self.state is DiskState.RESERVE:
            return (
                f"Disk full: {left}, less than the reserve of {reserve} (DISK_RESERVE_GB). New readings are refused "
                "and the simulator pauses until there is space: free some, or lower DISK_BUDGET_GB and restart."
            )
        if self.state is DiskState.LOW:
            return f"Disk nearly full: {left}; below {reserve} (DISK_RESERVE_GB) new readings are refused."
        return f"Disk: {left}; readings are accepted."
