"""Serves the application until it is stopped or fails."""

import threading
from collections.abc import Callable
from typing import Final

import structlog
from fastapi import FastAPI

from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.http.server import GuardedServer

#: How long requests under way may take after SIGTERM; the service exits within 10 s.
_DRAIN_S: Final = 5
_WATCH_S: Final = 0.5
#: Clients of the live feed send nothing.
_MAX_INBOUND_BYTES: Final = 32 * 1024
_log = structlog.get_logger(__name__)


def serve(
    app: FastAPI,
    host: str,
    port: int,
    limits: HttpLimits,
    stop: threading.Event,
    failure: Callable[[], str | None],
    heartbeat: Heartbeat,
) -> None:
    """Serve until ``stop`` is set, a signal arrives, or ``failure`` reports something that only a restart cures.

    The heartbeat beats while the event loop turns.

    Raises
    ------
    RuntimeError
        With the failure: the process must end.
    """
    server = GuardedServer(
        app,
        host=host,
        port=port,
        limits=limits,
        drain_s=_DRAIN_S,
        max_message_bytes=_MAX_INBOUND_BYTES,
        heartbeat=heartbeat,
    )
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_WATCH_S):
            if stop.is_set() or failure() is not None:
                server.should_exit = True
                return

    _log.info("api_starting", host=host, port=port)
    watcher = threading.Thread(target=watch, name="server-watch", daemon=True)
    watcher.start()
    try:
        server.run()
    finally:
        ended.set()
        watcher.join()
    problem = failure()
    if problem is not None:
        raise RuntimeError(problem)
