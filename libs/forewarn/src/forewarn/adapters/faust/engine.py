"""Runs event handlers over per-asset state so that state and outputs survive any crash.

Agents put messages into one inbox. A turn passes everything in it to the handlers, topic by topic and in each
partition's order, so that many messages share the fixed costs of a turn. Handlers change states in memory and may
publish; messages are acknowledged only after a checkpoint has stored every changed state. After a crash the last
checkpoint is restored and the messages since then are read again: handlers skip what a state has seen.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar, cast

import faust
import structlog
from faust.types import TP, EventT, Message, StreamT, TopicT
from pydantic import TypeAdapter, ValidationError

from forewarn.adapters.faust.continuity import Continuity
from forewarn.adapters.faust.quarantine import Attempts, Handler, SetAside, handle_apart
from forewarn.adapters.faust.table import DurableTable, Entry
from forewarn.adapters.faust.turn_queue import TurnQueue
from forewarn.contracts.limits import MIB
from forewarn.ports.codec import one_line
from forewarn.ports.lanes import Record

StateT = TypeVar("StateT")

#: All messages of a fetch reach the inbox within this time.
_LINGER_S: Final = 0.01

#: Messages handled between two progress reports: some hundred thousand rows, a few seconds of work.
_PART_BYTES: Final = 8 * MIB

_log = structlog.get_logger(__name__)

Action = Callable[[], Awaitable[None]]


def one_by_one(handle: Callable[[Record], Awaitable[None]]) -> Handler:
    """Make a handler that takes messages singly, where a batch would save nothing."""

    async def handle_all(batch: Sequence[Record]) -> None:
        for incoming in batch:
            await handle(incoming)

    return handle_all


class StateUnreadableError(Exception):
    """A stored state that this version cannot read."""


class StateMissingError(Exception):
    """The worker reads partitions whose states it does not hold."""


class EventEngine(Generic[StateT]):
    """State of the assets whose partitions this worker owns, and the handlers that change it.

    ``set_aside`` keeps a message that cannot be handled; ``progress`` is called after each part of a turn.
    """

    def __init__(
        self,
        app: faust.App,
        codec: TypeAdapter[StateT],
        *,
        set_aside: SetAside,
        progress: Action,
    ) -> None:
        self._set_aside = set_aside
        self._progress = progress
        self._attempts = Attempts()
        self._app = app
        self._codec = codec
        self._on_restored: Action | None = None
        self._table = DurableTable(app, name="state", key_type=bytes, value_type=bytes, on_recover=self._restore)
        app.tables.add(self._table)
        app.on_partitions_revoked.connect(self._release)
        self._lock = asyncio.Lock()
        self._states: dict[str, StateT] = {}
        self._partitions: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._gone: dict[str, int] = {}  # removed since the last checkpoint, with their partitions
        self._inbox = TurnQueue()
        self._handlers: dict[str, Handler] = {}
        self._continuity = Continuity()
        self._handled: dict[TP, EventT[bytes]] = {}
        self._owned: frozenset[int] = frozenset()
        self._generation: int | None = None
        self._stopping = False
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        app.task(self._take_turns)

    @property
    def states(self) -> Mapping[str, StateT]:
        """Return the current states by asset id."""
        return MappingProxyType(self._states)

    @property
    def changelog(self) -> str:
        """Return the topic of the states, which must exist before the application starts."""
        return str(self._table.changelog_topic_name)

    @property
    def ready(self) -> bool:
        """Return whether states are restored; also true for a spare worker without partitions."""
        return bool(self._app.tables.actives_ready)

    def partition_of(self, asset_id: str) -> int:
        """Return the partition of the asset's events."""
        return self._partitions[asset_id]

    def put(self, asset_id: str, state: StateT, partition: int) -> None:
        """Set an asset's state; the next checkpoint stores it."""
        self._states[asset_id] = state
        self._partitions[asset_id] = partition
        self._dirty.add(asset_id)
        self._gone.pop(asset_id, None)

    def remove(self, asset_id: str) -> None:
        """Forget an asset's state; the next checkpoint removes it from the store."""
        if self._states.pop(asset_id, None) is not None:
            self._gone[asset_id] = self._partitions.pop(asset_id)
            self._dirty.discard(asset_id)

    async def store(self, asset_ids: Iterable[str]) -> None:
        """Store states now, before publishing a decision that must not be made twice."""
        asset_ids = list(asset_ids)
        await self._table.store(self._entry(asset_id) for asset_id in asset_ids)
        self._dirty.difference_update(asset_ids)

    def agent(self, topic: TopicT, handler: Handler) -> None:
        """Handle every message of a topic."""
        self._handlers[topic.get_topic_name()] = handler

        async def consume(stream: StreamT[bytes]) -> None:
            async for event in cast("faust.Stream[bytes]", stream).noack().events():
                await self._inbox.put(event)

        self._app.agent(topic, name=f"{self._app.conf.id}.{topic.get_topic_name()}")(consume)

    def on_restored(self, action: Action) -> None:
        """Run an action after each assignment, once the states are restored."""
        self._on_restored = action

    def every(self, interval_s: float, action: Action) -> None:
        """Run an action periodically, never while messages are being handled."""

        async def tick() -> None:
            async with self._lock:
                if self._owned and not self._halted:
                    await self._guard(action)

        self._app.timer(interval_s)(tick)

    async def checkpoint(self) -> None:
        """Store changed states, then let Faust commit what led to them."""
        await self._store_changes()
        for event in self._handled.values():
            event.ack()
        self._handled.clear()

    async def _store_changes(self) -> None:
        await self.store(sorted(self._dirty))
        await self._table.drop({asset_id.encode(): partition for asset_id, partition in self._gone.items()})
        self._gone.clear()

    async def drain(self) -> None:
        """Finish the turn in hand, store everything and commit; nothing is handled afterwards."""
        async with self._lock:
            self._stopping = True
            if self._owned and not self.failure.done():
                await self.checkpoint()
                await self._app.consumer.commit()

    @property
    def _halted(self) -> bool:
        return self._stopping or self.failure.done()

    async def _take_turns(self) -> None:
        while True:
            arrivals = await self._inbox.take(_LINGER_S)
            async with self._lock:
                await self._guard(lambda: self._handle(arrivals))  # noqa: B023  # run before the next turn

    async def _handle(self, arrivals: Sequence[EventT[bytes]]) -> None:
        if self._halted:
            return  # not acknowledged, so they are read again, here or by the new owner
        batches: dict[str, list[Record]] = defaultdict(list)
        last: dict[TP, EventT[bytes]] = {}
        for event in arrivals:
            message = event.message
            if message.generation_id == self._generation and message.partition in self._owned:
                self._continuity.check(message)
                batches[message.topic].append(_record(message))
                last[message.tp] = event
        for topic, batch in batches.items():
            await self._note(self._attempts.begin(batch))
            for part in _parts(batch):
                await self._handle_part(self._handlers[topic], part)
                await self._progress()
        self._handled.update(last)

    async def _handle_part(self, handler: Handler, part: Sequence[Record]) -> None:
        """Handle messages of one topic, suspects singly."""
        together: list[Record] = []
        for incoming in part:
            if self._attempts.is_set_aside(incoming):
                continue
            if not self._attempts.is_suspect(incoming):
                together.append(incoming)
                continue
            if together:
                await handle_apart(handler, together, self._set_aside)
                together = []
            await self._handle_suspect(handler, incoming)
        if together:
            await handle_apart(handler, together, self._set_aside)

    async def _handle_suspect(self, handler: Handler, incoming: Record) -> None:
        """Handle a message that may have ended the process, unless it did so too often; note the attempt first."""
        harmless = self._attempts.take_in_hand(incoming)
        if harmless:
            await self._note([(incoming.topic, incoming.partition)])
            await handle_apart(handler, [incoming], self._set_aside)
        else:
            place = {"topic": incoming.topic, "partition": incoming.partition, "offset": incoming.offset}
            _log.error("message_quarantined", **place)
            await self._set_aside(incoming, "the process ended each time it was handled")
        self._attempts.pass_on(incoming, set_aside=not harmless)
        await self._note([(incoming.topic, incoming.partition)])

    async def _note(self, places: Sequence[tuple[str, int]]) -> None:
        """Store attempt notes, so that they survive the end of the process."""
        entries = [(*self._attempts.entry(place), place[1]) for place in places]
        await self._table.store(Entry(key, partition, value) for key, value, partition in entries)

    async def _guard(self, action: Action) -> bool:
        """Run an action; an exception ends the engine and the process instead of leaving the agent."""
        try:
            await action()
        except Exception as exc:  # noqa: BLE001  # Faust would commit past the event and go on
            self._fail(exc)
            return False
        return True

    def _fail(self, exc: Exception) -> None:
        if not self.failure.done():
            self.failure.set_exception(exc)

    async def _release(self, *_signal: Any, **_details: Any) -> None:  # noqa: ANN401  # Faust's signal
        """Store changes before other workers take the partitions over, and forget the states."""
        async with self._lock:
            if not self.failure.done() and self._owned:
                await self._guard(self._store_all)
            self._owned = frozenset()
            self._inbox.clear()
            self._continuity.restart()
            self._handled.clear()
            self._dirty.clear()
            self._gone.clear()
        _log.info("partitions_released")

    async def _store_all(self) -> None:
        await self._store_changes()
        await self._note(self._attempts.calm())

    async def _restore(self) -> None:
        """Take over the assigned partitions with their stored states."""
        async with self._lock:
            await self._guard(self._take_over)

    async def _take_over(self) -> None:
        assigned = self._app.assignor.assigned_actives()
        owned = frozenset(tp.partition for tp in assigned if tp.topic == self.changelog)
        read = frozenset(tp.partition for tp in assigned if tp.topic in self._handlers)
        if not read <= owned:
            raise StateMissingError(f"partitions {sorted(read)} are read here, states of {sorted(owned)} are held here")
        if owned != self._table.recovered:
            _log.info("rebalanced_again", recovered=sorted(self._table.recovered), assigned=sorted(owned))
            return  # the recovery of this assignment is still to come
        stored = self._table.entries(owned)
        self._attempts.restart({entry.key: entry.value for entry in stored if self._attempts.is_note(entry.key)})
        entries = [entry for entry in stored if not self._attempts.is_note(entry.key)]
        self._states = read_states(entries, self._decode)
        partitions = {entry.key: entry.partition for entry in entries}
        self._partitions = {asset_id: partitions[asset_id.encode()] for asset_id in self._states}
        self._dirty.clear()
        self._gone.clear()
        self._continuity.restart()
        self._handled.clear()
        self._owned = owned
        self._generation = self._app.consumer_generation_id
        if self._on_restored is not None:
            await self._on_restored()
        _log.info("partitions_taken_over", partitions=sorted(owned), assets=len(entries))

    def _entry(self, asset_id: str) -> Entry:
        value = self._codec.dump_json(self._states[asset_id])
        return Entry(asset_id.encode(), self._partitions[asset_id], value)

    def _decode(self, entry: Entry) -> StateT:
        try:
            return self._codec.validate_json(entry.value)
        except ValidationError as exc:
            raise StateUnreadableError(
                f"state of {entry.key.decode(errors='replace')!r} in topic {self.changelog} "
                f"cannot be read by this version: start the version that wrote it, or delete the topic ({exc})"
            ) from exc


def _parts(batch: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut a batch into parts of about ``_PART_BYTES``; results do not depend on the cuts."""
    start = size = 0
    for position, incoming in enumerate(batch):
        size += len(incoming.value or b"")
        if size >= _PART_BYTES:
            yield batch[start : position + 1]
            start, size = position + 1, 0
    if start < len(batch):
        yield batch[start:]


def read_states(entries: Sequence[Entry], decode: Callable[[Entry], StateT]) -> dict[str, StateT]:
    """Return states by asset; log and skip one that cannot be read, whose asset then starts empty.

    Raises
    ------
    StateUnreadableError
        If none can be read: another version wrote them, and they must not all be lost.
    """
    states: dict[str, StateT] = {}
    problems: list[Exception] = []
    for entry in entries:
        try:
            states[entry.key.decode()] = decode(entry)
        except (StateUnreadableError, UnicodeDecodeError) as exc:
            problems.append(exc)
            _log.error("state_set_aside", key=entry.key[:200], problem=one_line(str(exc)), beginning=entry.value[:200])
    if problems and not states:
        raise StateUnreadableError(str(problems[0])) from problems[0]
    return states


def _record(message: Message) -> Record:
    received_us = round(message.timestamp * 1e6)
    return Record(message.topic, message.partition, message.offset, received_us, message.key, message.value)
