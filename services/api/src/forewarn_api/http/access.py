"""Access: the bearer token, and the origins of web pages.

It is outside the router, so that a new route is closed by default.
"""

import hmac
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from forewarn_api import docs
from forewarn_api.problems import ProblemError, problem_response

#: Open to anybody: they reveal nothing about the plant.
PUBLIC_PATHS: Final = frozenset({"/livez", "/readyz", "/openapi.json"}) | docs.PATHS
#: First entry of ``Sec-WebSocket-Protocol`` when the second one is the token (browsers cannot set headers).
TOKEN_PROTOCOL: Final = "token"  # noqa: S105  # the name of the protocol, not a token
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_READING_METHODS: Final = frozenset({"GET", "HEAD"})


class AccessMiddleware:
    """Check origin and token of every request and socket.

    Browsers send ``Origin`` with every WebSocket and every changing request. A foreign page is refused
    even without a token: otherwise any page that a person opens could command the plant on localhost.
    """

    def __init__(self, app: ASGIApp, *, token: str, allowed_origins: Collection[str]) -> None:
        self._app = app
        self._token = token
        self._origins = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await deny(refusal, scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        changing = scope["type"] == "websocket" or scope["method"] not in _READING_METHODS
        if origin is not None and changing and not self._trusts(origin):
            detail = "Web pages of this origin may not use the API: name it in API_ALLOWED_ORIGINS to allow it."
            return problem_response(ProblemError(403, "foreign-origin", detail))
        if not self._token or scope["path"] in PUBLIC_PATHS or self._presents_token(scope, headers):
            return None
        detail = "Send the header 'Authorization: Bearer <API_TOKEN>'."
        response = problem_response(ProblemError(401, "unauthorized", detail))
        response.headers["WWW-Authenticate"] = 'Bearer realm="forewarn"'
        return response

    def _trusts(self, origin: str) -> bool:
        try:
            host = urlsplit(origin).hostname
        except ValueError:
            return False
        return origin.lower() in self._origins or host in _LOOPBACK

    def _presents_token(self, scope: Scope, headers: Headers) -> bool:
        scheme, _, presented = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._matches(presented.strip()):
            return True
        protocols = scope.get("subprotocols", [])
        return len(protocols) == 2 and protocols[0] == TOKEN_PROTOCOL and self._matches(protocols[1])

    def _matches(self, presented: str) -> bool:
        return hmac.compare_digest(presented.encode(), self._token.encode())


async def deny(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a WebSocket handshake with an HTTP response, where the server can."""
    if "websocket.http.response" in scope.get("extensions", {}):
        await receive()  # websocket.connect
        await response(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
