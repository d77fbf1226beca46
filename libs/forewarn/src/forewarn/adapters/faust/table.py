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

    Assignment only queues the change: Faust may commit the source offset before the change is
    stored, and a crash in between loses it. ``store`` returns when the broker has it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's own signature
        super().__init__(*args, **kwargs)
        self._partitions: dict[bytes, int] = {}
        self.recovered: frozenset[int] = frozenset()  #: Partitions of the last completed recovery.

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Note what was recovered before anyone is told that it was."""
        self.recovered = frozenset(tp.partition for tp in active_tps)
        await super().on_recovery_completed(active_tps, standby_tps)

    async def store(self, entries: Iterable[Entry]) -> None:
        """Write entries and wait until all replicas have them."""
        entries = list(entries)
        sent = [
            await self.changelog_topic.send(key=entry.key, value=entry.value, partition=entry.partition, force=True)
            for entry in entries
        ]
        await asyncio.gather(*sent)
        for entry in entries:
            self.data[entry.key] = entry.value
            self._partitions[entry.key] = entry.partition

    async def drop(self, keys: Mapping[bytes, int]) -> None:
        """Remove entries, each of its partition, and wait until all replicas know."""
        sent = [
            await self.changelog_topic.send(key=key, value=None, partition=partition, force=True)
            for key, partition in keys.items()
        ]
        await asyncio.gather(*sent)
        for key in keys:
            self.data.pop(key, None)
            self._partitions.pop(key, None)

    def entries(self, partitions: frozenset[int]) -> list[Entry]:
        """Everything stored for these partitions; what others own by now is left out."""
        return [
            Entry(key, partition, self.data[key])
            for key, partition in self._partitions.items()
            if partition in partitions and key in self.data
        ]

    def on_key_set(self, key: bytes, value: bytes) -> None:  # noqa: ARG002  # Faust's signature
        """Refuse item assignment."""
        raise TypeError(f"{self.name} is written with store(), which confirms the change, not by item assignment")

    def apply_changelog_batch(self, batch: Iterable[EventT[bytes]]) -> None:
        """Restore from the changelog, remembering partitions."""
        events = list(batch)
        super().apply_changelog_batch(events)
        for event in events:
            if isinstance(event.key, bytes):
                self._partitions[event.key] = event.message.partition
