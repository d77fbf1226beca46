"""The outermost layer: access to the dashboard, and what browsers may do with its pages."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forewarn.ports.clock import Clock
from forewarn_dashboard.metrics import REFUSED

#: Open without host name check or login, as load balancers have neither.
HEALTH_PATH: Final = "/healthz"

MAX_SOCKET_MESSAGE_BYTES: Final = 32 * 1024
CALLBACKS_PER_MINUTE: Final = 60  # a tab needs one for each (re)connection; tabs of one browser share a socket
_MESSAGE_TYPES: Final = frozenset({"callback_request", "get_props_response", "heartbeat"})
_POLICY_VIOLATION: Final = 1008
_TOO_BIG: Final = 1009
_FORBIDDEN: Final = 4403

#: Returns who sends a request, or None to refuse it. Logins go here: every request passes it first.
Authenticate = Callable[[Scope], str | None]


def anybody(_scope: Scope) -> str | None:
    """Accept everybody who reaches the port: the default until there are logins."""
    return "anybody"


def content_security_policy(script_hashes: list[str]) -> str:
    """Return a policy that allows only our own files, and Dash's inline scripts by their hashes."""
    rules: Mapping[str, str] = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",  # plotly and Mantine write style elements at run time
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class Gate:
    """Outermost ASGI middleware: host and origin checks, login hook, security headers, socket limits."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: frozenset[str] | None,
        policy: str,
        known_callback: Callable[[str], bool],
        clock: Clock,
        authenticate: Authenticate = anybody,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._policy = policy
        self._known_callback = known_callback
        self._clock = clock
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and reason if a connection is refused, else None."""
        if scope["path"] == HEALTH_PATH:
            return None
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        problem = self._host_problem(host)
        if problem is not None:
            return problem
        origin = headers.get("origin")
        writes = scope["type"] == "websocket" or scope["method"] not in {"GET", "HEAD", "OPTIONS"}
        if writes and scope["type"] == "websocket" and origin is None:
            return 403, "no_origin"
        if (
            writes
            and origin is not None
            and origin.lower() not in {f"http://{host}".lower(), f"https://{host}".lower()}
        ):
            return 403, "foreign_origin"
        if self._authenticate(scope) is None:
            return 401, "not_logged_in"
        return None

    def _host_problem(self, host: str) -> tuple[int, str] | None:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:  # brackets without an IPv6 address
            return 400, "bad_host"
        return (421, "unknown_host") if self._hosts is not None and name not in self._hosts else None

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        refused = self.refusal(scope)
        if refused is None:
            await self._app(scope, receive, send_with_headers)
            return
        status, reason = refused
        REFUSED.labels(reason).inc()
        await JSONResponse({"title": reason, "status": status}, status)(scope, receive, send_with_headers)

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers["Content-Security-Policy"] = self._policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if headers.get("content-type", "").startswith("text/html"):
            headers["Cache-Control"] = "no-store"

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self.refusal(scope)
        if refused is not None:
            REFUSED.labels(refused[1]).inc()
            await send({"type": "websocket.close", "code": _FORBIDDEN, "reason": refused[1]})
            return
        limits = _SocketLimits(self._known_callback, self._clock)

        async def receive_checked() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            problem = limits.problem(message)
            if problem is None:
                return message
            code, reason = problem
            REFUSED.labels(reason).inc()
            await send({"type": "websocket.close", "code": code, "reason": reason})
            return {"type": "websocket.disconnect", "code": code}  # on which Dash ends cleanly, without a traceback

        await self._app(scope, receive_checked, send)


class _SocketLimits:
    """Limits of a socket: small, well-formed messages for existing callbacks, not too often."""

    def __init__(self, known_callback: Callable[[str], bool], clock: Clock) -> None:
        self._known_callback = known_callback
        self._clock = clock
        self._requests_s: deque[float] = deque()

    def problem(self, message: Message) -> tuple[int, str] | None:
        """Return close code and reason if the message must not reach Dash."""
        text = message.get("text")
        if text is None:
            return _POLICY_VIOLATION, "not_text"
        if len(text.encode("utf-8", "surrogatepass")) > MAX_SOCKET_MESSAGE_BYTES:
            return _TOO_BIG, "message_too_big"
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            return _POLICY_VIOLATION, "not_json"
        if not isinstance(content, dict) or content.get("type") not in _MESSAGE_TYPES:
            return _POLICY_VIOLATION, "unknown_message"
        return self._request_problem(content) if content["type"] == "callback_request" else None

    def _request_problem(self, content: dict[str, object]) -> tuple[int, str] | None:
        payload = content.get("payload")
        output = payload.get("output") if isinstance(payload, dict) else None
        if not isinstance(content.get("requestId"), str) or not isinstance(output, str):
            return _POLICY_VIOLATION, "bad_request"
        if not self._known_callback(output):
            return _POLICY_VIOLATION, "unknown_callback"
        now_s = self._clock.monotonic_s()
        while self._requests_s and now_s - self._requests_s[0] > 60.0:
            self._requests_s.popleft()
        self._requests_s.append(now_s)
        return (_POLICY_VIOLATION, "too_many_callbacks") if len(self._requests_s) > CALLBACKS_PER_MINUTE else None
