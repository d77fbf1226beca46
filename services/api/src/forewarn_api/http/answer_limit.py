"""Limits how many large answers are built at a time, and with it memory."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from forewarn.usecases.errors import UnavailableError
from forewarn_api.problems import problem_response


class AnswerLimitMiddleware:
    """Serve requests with large answers ``at_once`` at a time; others wait up to ``patience_s``."""

    def __init__(
        self, app: ASGIApp, *, is_large: Callable[[Scope], bool], at_once: int = 3, patience_s: float = 10.0
    ) -> None:
        self._app = app
        self._is_large = is_large
        self._turns = asyncio.Semaphore(at_once)
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when its turn comes; 503 if that takes too long."""
        if scope["type"] != "http" or not self._is_large(scope):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._turns.acquire()
        except TimeoutError:
            detail = "Other large answers are being prepared. Try again, or ask for less at a time."
            await problem_response(UnavailableError("busy", detail, retry_after_s=5))(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._turns.release()
