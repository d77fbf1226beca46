"""Liveness, readiness and metrics over HTTP, from a thread that a busy main loop cannot block."""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic as monotonic_s
from typing import Any, Final, Self

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

_TEXT: Final = "text/plain; charset=utf-8"
#: Probes and metrics come from one or two callers.
MAX_CONNECTIONS: Final = 16
MAX_CONNECTION_S: Final = 10.0
_READ_TIMEOUT_S: Final = 5.0
_BACKLOG: Final = 512  # the kernel leaves further connections hanging for seconds, on both sides
_log = structlog.get_logger(__name__)

#: Returns None when all is well, otherwise what is wrong.
Check = Callable[[], str | None]


class _Server(ThreadingHTTPServer):
    """Serves a few connections at a time, each for a few seconds; the oldest makes room for a new one."""

    daemon_threads = True
    request_queue_size = _BACKLOG

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: dict[socket.socket, float] = {}  # the oldest first, with when it opened [s]
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base class has it
        """Make room, then serve the connection in a thread."""
        now_s = monotonic_s()
        with self._lock:
            late = [line for line, since_s in self._open.items() if now_s - since_s > MAX_CONNECTION_S]
            most = MAX_CONNECTIONS - 1
            for line in late or list(self._open)[: max(len(self._open) - most, 0)]:
                del self._open[line]
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)  # ends its thread
            self._open[request] = now_s
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as the base class has it
        """Close a connection that was served."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002  # as the base class has it
        """Log at debug level only: a client that hangs up is not worth a traceback."""
        _log.debug("probe_failed", reason=repr(sys.exception()))


class ProbeServer:
    """Serves ``/livez``, ``/readyz`` and ``/metrics``; 503 with the reason when a check fails."""

    def __init__(self, host: str, port: int, *, live: Check, ready: Check) -> None:
        self._server = _Server((host, port), _handler({"/livez": live, "/readyz": ready}))
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        _log.info("probes_listening", port=self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(checks: dict[str, Check]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _READ_TIMEOUT_S

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, generate_latest(REGISTRY), CONTENT_TYPE_LATEST)
            elif self.path in checks:
                problem = checks[self.path]()
                self._answer(503 if problem else 200, (problem or "ok").encode(), _TEXT)
            else:
                self._answer(404, b"there are /livez, /readyz and /metrics", _TEXT)

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            _log.debug("probe", request=format % args)

    return Handler
