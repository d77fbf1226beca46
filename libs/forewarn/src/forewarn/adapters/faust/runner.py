"""Runs a Faust application inside a service process: start, stop on request, loud end on failure."""

import asyncio
import threading
from typing import Final

import faust
import structlog

from forewarn.adapters.faust.engine import EventEngine, StateT
from forewarn.adapters.faust.watchdog import watch_recovery

#: SIGTERM must end within 10 s in all; draining and stopping share it.
_DRAIN_TIMEOUT_S: Final = 4.0
_STOP_TIMEOUT_S: Final = 5.0

_log = structlog.get_logger(__name__)


class EventAppCrashedError(Exception):
    """Faust stopped by itself."""


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
    watching = asyncio.create_task(watch_recovery(app))
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
