"""Wakes asyncio tasks when registry or live view change in their threads."""

import asyncio
from collections.abc import Callable
from typing import Self, TypeVar

from forewarn.ports.live import LiveView
from forewarn.ports.registry import RegisteredAssets

T = TypeVar("T")


class Changes:
    """Wakes tasks after changes; a burst of changes wakes them once."""

    def __init__(self, source: LiveView | RegisteredAssets) -> None:
        self._source = source
        self._news = asyncio.Event()
        self._announced = False
        self._stop: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        """Start listening, on the running loop."""
        loop = asyncio.get_running_loop()

        def on_change() -> None:  # runs in the source's threads
            if not self._announced:
                self._announced = True
                loop.call_soon_threadsafe(self._wake)

        self._stop = self._source.listen(on_change)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._stop is not None:
            self._stop()

    async def wait(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s`` for the next change; return whether there was one."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def wait_for(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """Call ``look`` after each change and return what it finds; None if it finds nothing in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while (found := look()) is None and (left_s := deadline - loop.time()) > 0:
            await self.wait(left_s)
        return found

    def _wake(self) -> None:
        self._announced = False
        news, self._news = self._news, asyncio.Event()
        news.set()
