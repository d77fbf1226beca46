"""What every answer has: the request's id, which log lines and problem details bear too, and security headers."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forewarn.ports.clock import Clock
from forewarn.ports.codec import one_line
from forewarn_api.metrics import REQUEST_SECONDS

HEADER: Final = "X-Correlation-ID"
_USABLE: Final = re.compile(r"[A-Za-z0-9._\-]{1,64}")  # it goes into the log
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_current: ContextVar[str] = ContextVar("correlation_id", default="unknown")
_log = structlog.get_logger(__name__)


def correlation_id() -> str:
    """Return the id of the request being served."""
    return _current.get()


class CorrelationMiddleware:
    """Give requests an id, or keep the client's own; log and measure them; set security headers that are not set."""

    def __init__(self, app: ASGIApp, *, clock: Clock, new_id: Callable[[], str]) -> None:
        self._app = app
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get(HEADER, "")
        request_id = offered if _USABLE.fullmatch(offered) else self._new_id()
        _current.set(request_id)
        structlog.contextvars.bind_contextvars(correlation_id=request_id)
        begin_s = self._clock.monotonic_s()
        status = 500  # of a request that ends without an answer

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
                status = message.get("status", 101)
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers[HEADER] = request_id
                for name, value in _SECURITY.items() if message["type"] == "http.response.start" else ():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_named)
        finally:
            _account(scope, status, self._clock.monotonic_s() - begin_s)


def _account(scope: Scope, status: int, elapsed_s: float) -> None:
    # The route's template, not the path: metrics must not grow with the number of assets.
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope.get("method", "WEBSOCKET")
    if scope["type"] == "http":
        REQUEST_SECONDS.labels(method=method, route=route, status=str(status)).observe(elapsed_s)
    write = _log.info if status >= 400 else _log.debug
    write("request", method=method, path=one_line(scope["path"]), status=status, elapsed_ms=round(elapsed_s * 1000, 1))
