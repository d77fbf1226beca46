"""A Faust table whose changes are confirmed by the broker, and that knows each key's partition."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import faust
from faust.types import TP, EventT


@dataclass(frozen=True, slots=True)
class Entry:
    """A value under a key, and the partition of the events it belongs to."""

    key: bytes
    partition: int
    value: bytes


class DurableTable(faust.Table[bytes, bytes]):
    """Faust's changelog table, written through ``store`` instead of item assignment.

    Assignment only queues the change, and outside a stream Faust does not know the partition. ``store`` returns when
    the broker has the change. Entries are kept here rather than in Faust's store, which knows no partitions.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's signature
        super().__init__(*args, **kwargs)
        self._entries: dict[bytes, Entry] = {}
        self.recovered: frozenset[int] = frozenset()  #: Partitions of the last completed recovery.

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Note what was recovered before the callbacks of Faust run."""
        self.recovered = frozenset(tp.partition for tp in active_tps)
        await super().on_recovery_completed(active_tps, standby_tps)

    async def store(self, entries: Iterable[Entry]) -> None:
        """Write entries and wait until all replicas have them."""
        entries = list(entries)
        await self._send((entry.key, entry.partition, entry.value) for entry in entries)
        self._entries.update((entry.key, entry) for entry in entries)

    async def drop(self, keys: Mapping[bytes, int]) -> None:
        """Remove keys, each from its partition, and wait until all replicas know."""
        await self._send((key, partition, None) for key, partition in keys.items())
        for key in keys:
            self._entries.pop(key, None)

    async def _send(self, changes: Iterable[tuple[bytes, int, bytes | None]]) -> None:
        topic = self.changelog_topic
        sent = [
            await topic.send(key=key, value=value, partition=partition, force=True) for key, partition, value in changes
        ]
        await asyncio.gather(*sent)

    def entries(self, partitions: frozenset[int]) -> list[Entry]:
        """Return what is stored for these partitions, without what other workers own by now."""
        return [entry for entry in self._entries.values() if entry.partition in partitions]

    def on_key_set(self, key: bytes, value: bytes) -> None:  # noqa: ARG002  # Faust's signature
        """Refuse item assignment."""
        raise TypeError(f"{self.name} is written with store(), which confirms the change, not by item assignment")

    def apply_changelog_batch(self, batch: Iterable[EventT[bytes]]) -> None:
        """Restore from the changelog."""
        for event in batch:
            message = event.message
            if message.key is None:
                continue
            if message.value is None:
                self._entries.pop(message.key, None)
            else:
                self._entries[message.key] = Entry(message.key, message.partition, message.value)
