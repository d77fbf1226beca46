"""Gets a table recovery going again that has stopped.

Faust 0.15.3 can drop changelog records that it fetched while a rebalance began; it then waits for
them for ever (seen once in 12 rebalances under load; upstream issues 597 and 651). To begin the
recovery anew seeks anew and reads them again.
"""

import asyncio
from typing import TYPE_CHECKING, Final, cast

import faust
import structlog

if TYPE_CHECKING:
    from faust.tables.manager import TableManager

_LOOK_EVERY_S: Final = 1.0
_PATIENCE_LOOKS: Final = 5
_ATTEMPTS: Final = 12

_log = structlog.get_logger(__name__)


class RecoveryStuckError(Exception):
    """The stored states cannot be read back; the process must begin anew."""


async def watch_recovery(app: faust.App) -> None:
    """Watch for ever, beginning a recovery anew that has not moved for 5 s.

    Raises
    ------
    RecoveryStuckError
        If it does not move after a minute of this.
    """
    recovery = cast("TableManager", app.tables).recovery
    remaining, looks, attempts = -1, 0, 0
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        if not app.in_recovery:
            remaining, looks, attempts = -1, 0, 0
            continue
        now_remaining = recovery.active_remaining_total()
        if now_remaining != remaining:
            remaining, looks, attempts = now_remaining, 0, 0
            continue
        looks += 1
        if looks < _PATIENCE_LOOKS:
            continue
        looks, attempts = 0, attempts + 1
        if attempts > _ATTEMPTS:
            raise RecoveryStuckError(f"{remaining} changelog records cannot be read back: is the broker healthy?")
        _log.warning("recovery_begun_anew", remaining=remaining, attempt=attempts)
        recovery.signal_recovery_start.set()
