"""Runs a Faust application inside a service process: start, stop on request, loud end on failure."""

import asyncio
import threading
from typing import TYPE_CHECKING, Final, cast

import faust
import structlog

from forewarn.adapters.faust.engine import EventEngine, StateT

if TYPE_CHECKING:
    from faust.tables.manager import TableManager

#: SIGTERM must end the process within 10 s; draining and stopping share them.
_DRAIN_TIMEOUT_S: Final = 4.0
_STOP_TIMEOUT_S: Final = 5.0

_RECOVERY_POLL_S: Final = 1.0
_STALLED_POLLS: Final = 5
_RECOVERY_RESTARTS: Final = 12

_log = structlog.get_logger(__name__)


class EventAppCrashedError(Exception):
    """Faust stopped by itself."""


class RecoveryStuckError(Exception):
    """The stored states cannot be read back; the process must start again."""


async def run_app(app: faust.App, engine: EventEngine[StateT], stop: threading.Event) -> None:
    """Run until ``stop`` is set.

    Raises
    ------
    Exception
        Whatever a handler failed with.
    EventAppCrashedError
        If Faust itself failed.
    RecoveryStuckError
        If states could not be restored.
    """
    starting = asyncio.create_task(app.start())
    stopped = asyncio.create_task(asyncio.to_thread(stop.wait))
    ended = asyncio.create_task(app.wait_until_stopped())
    watching = asyncio.create_task(_watch_recovery(app))
    try:
        done = await _first(starting, stopped, ended, watching, engine.failure)
        if done == {starting} and starting.exception() is None:
            await _first(stopped, ended, watching, engine.failure)
        if watching.done():
            watching.result()
        _raise_failure(app, starting, engine)
        await asyncio.wait_for(engine.drain(), _DRAIN_TIMEOUT_S)
    finally:
        stop.set()  # frees the thread that waits for it
        await _stop(app, starting, ended, watching)
        await stopped


async def _first(*waited: asyncio.Future[None] | asyncio.Task[bool] | asyncio.Task[None]) -> set[object]:
    done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    return set(done)


def _raise_failure(app: faust.App, starting: asyncio.Task[None], engine: EventEngine[StateT]) -> None:
    if engine.failure.done():
        engine.failure.result()
    if starting.done():
        starting.result()
    if app.crashed:
        raise EventAppCrashedError("Faust has crashed") from app.crash_reason


async def _stop(app: faust.App, *tasks: asyncio.Task[None]) -> None:
    try:
        await asyncio.wait_for(app.stop(), _STOP_TIMEOUT_S)
    except TimeoutError:
        _log.warning("faust_did_not_stop", timeout_s=_STOP_TIMEOUT_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_recovery(app: faust.App) -> None:
    """Restart a table recovery that has made no progress for 5 s; raise after a minute.

    Faust 0.15.3 can drop changelog records that it fetched while a rebalance began, and then waits for them for ever
    (1 of 12 rebalances under load; upstream issues 597 and 651). A restart seeks and reads them again.
    """
    recovery = cast("TableManager", app.tables).recovery
    remaining, stalled, restarts = -1, 0, 0
    while True:
        await asyncio.sleep(_RECOVERY_POLL_S)
        now_remaining = recovery.active_remaining_total() if app.in_recovery else -1
        if now_remaining != remaining or not app.in_recovery:
            remaining, stalled, restarts = now_remaining, 0, 0
            continue
        stalled += 1
        if stalled < _STALLED_POLLS:
            continue
        stalled, restarts = 0, restarts + 1
        if restarts > _RECOVERY_RESTARTS:
            raise RecoveryStuckError(f"{remaining} changelog records cannot be read back: is the broker healthy?")
        _log.warning("recovery_restarted", remaining=remaining, attempt=restarts)
        recovery.signal_recovery_start.set()
