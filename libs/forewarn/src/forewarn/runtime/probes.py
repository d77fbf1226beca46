"""Liveness, readiness and metrics over HTTP, from a thread that a busy main loop cannot block."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

_TEXT: Final = "text/plain; charset=utf-8"
_log = structlog.get_logger(__name__)

#: Returns None when all is well, otherwise what is wrong.
Check = Callable[[], str | None]


class ProbeServer:
    """Serves ``/livez``, ``/readyz`` and ``/metrics``; 503 with the reason when a check fails."""

    def __init__(self, host: str, port: int, *, live: Check, ready: Check) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler({"/livez": live, "/readyz": ready}))
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
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
