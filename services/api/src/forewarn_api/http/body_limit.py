"""Refuses bodies that are too large before they fill memory, always with a problem detail."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forewarn_api.problems import ProblemError, problem_response

#: Largest body in bytes for a path.
LimitOf = Callable[[str], int]


class BodyLimitMiddleware:
    """Refuse bodies beyond the limit of their path."""

    def __init__(self, app: ASGIApp, *, limit_of: LimitOf) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            await problem_response(too_large(limit))(scope, receive, send)
            return
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                # The only type that FastAPI lets through while it reads a body.
                raise HTTPException(413, too_large(limit).detail)
            return message

        await self._app(scope, receive_limited, send)


def too_large(limit: int) -> ProblemError:
    """Return the problem of a body of more than ``limit`` bytes."""
    return ProblemError(413, "content-too-large", f"A body may have {limit} bytes here: send less at a time.")
