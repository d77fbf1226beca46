"""Where messages wait for the next turn of an event engine."""

import asyncio
from typing import Final

from faust.types import EventT

#: Agents stop reading above this, and Faust stops fetching when their queues are full.
_FULL_BYTES: Final = 32 * 1024 * 1024


class TurnQueue:
    """Queues messages in order of arrival; several agents put, one engine takes."""

    def __init__(self, full_bytes: int = _FULL_BYTES) -> None:
        self._full_bytes = full_bytes
        self._waiting: list[EventT[bytes]] = []
        self._bytes = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, event: EventT[bytes]) -> None:
        """Add a message, waiting for room."""
        while not self._room.is_set():
            await self._room.wait()
        self._waiting.append(event)
        self._bytes += len(event.message.value or b"")
        self._filled.set()
        if self._bytes >= self._full_bytes:
            self._room.clear()

    async def take(self, linger_s: float) -> list[EventT[bytes]]:
        """Wait for a message, linger for more and return all; empty after a ``clear``."""
        await self._filled.wait()
        if self._room.is_set():
            await asyncio.sleep(linger_s)
        waiting = self._waiting
        self.clear()
        return waiting

    def clear(self) -> None:
        """Drop all messages."""
        self._waiting = []
        self._bytes = 0
        self._filled.clear()
        self._room.set()
