"""Whether the disk of broker and database has room for more readings."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from forewarn.contracts.limits import GB

_LOW_FACTOR: Final = 2.0
_CLEAR_FACTOR: Final = 1.1  # a limit is left only this much above it, so that the state does not flicker


class DiskState(StrEnum):
    """What the free space allows: everything, everything with a warning, or no new readings."""

    AMPLE = "ample"
    LOW = "low"
    FULL = "full"


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


@dataclass(slots=True, kw_only=True)
class DiskSpace:
    """Free space of a disk against its reserve, which is what storing the accepted data still needs.

    A look costs some microseconds.
    """

    path: Path
    reserve_gb: float
    free_bytes: Callable[[Path], int] = _free_bytes
    _state: DiskState = field(default=DiskState.AMPLE, init=False)

    def state(self) -> DiskState:
        """Look at the disk.

        Raises
        ------
        OSError
            If there is no such directory.
        """
        free_gb = self.free_bytes(self.path) / GB
        limits = {DiskState.FULL: self.reserve_gb, DiskState.LOW: _LOW_FACTOR * self.reserve_gb}
        below = (s for s, limit in limits.items() if free_gb < limit * (_CLEAR_FACTOR if self._state is s else 1.0))
        self._state = next(below, DiskState.AMPLE)
        return self._state
