"""Runs the application under uvicorn inside the frame every service has."""

import threading
from collections.abc import Callable
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

#: Requests under way may finish so long after SIGTERM; the whole service ends within 10 s.
_DRAIN_S: Final = 5
_WATCH_S: Final = 0.5
#: Clients of the live feed have nothing to say.
_MAX_INBOUND_BYTES: Final = 32 * 1024
_log = structlog.get_logger(__name__)


def serve(app: FastAPI, host: str, port: int, stop: threading.Event, failure: Callable[[], str | None]) -> None:
    """Serve until ``stop`` is set, a signal comes, or ``failure`` tells of something that only a restart cures.

    Raises
    ------
    RuntimeError
        With the failure: the process must end.
    """
    server = uvicorn.Server(_config(app, host, port))
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


def _config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # the service's own logging takes the server's records too
        log_level="warning",  # at "debug" the server writes the headers of WebSockets, and so the token
        access_log=False,  # the correlation middleware writes one line a request
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_S,
        ws_max_size=_MAX_INBOUND_BYTES,
        ws_per_message_deflate=False,  # it costs more time and memory than it saves on a plant's network
    )
