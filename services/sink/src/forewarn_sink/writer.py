"""The loop of the sink: claim, collect, store, and wait while the database is away."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.removal import AssetRemoval
from forewarn.domain.frame import Frame
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Record
from forewarn.ports.store import Claim, Fenced, Item, Source, Store, StoreUnavailable, Unstorable
from forewarn.runtime.heartbeat import Heartbeat
from forewarn_sink.backoff import Backoff
from forewarn_sink.decoding import ItemDecoder
from forewarn_sink.metrics import SinkMetrics

_log = structlog.get_logger(__name__)

#: Enough to fill a transaction from large frames, few enough to bound what is held in memory.
_MESSAGES_AT_ONCE: Final = 64
_WATCH_EVERY_S: Final = 5.0
_WATCH_PATIENCE_S: Final = 1.0  # writing waits meanwhile
_CLAIM_PATIENCE_S: Final = 5.0
_RETAIN_AGAIN_S: Final = 5.0
_DRAIN_S: Final = 5.0
_IDLE_POLL_S: Final = 0.2


class Messages(Protocol):
    """Where messages come from; ``forewarn_sink.inbox.Inbox`` in service."""

    @property
    def given(self) -> Mapping[Source, int]:
        """Partitions that are ours, with the number of the assignment."""
        ...

    def consume(self, max_messages: int, timeout_s: float) -> list[Record]:
        """Next messages."""
        ...

    def read_from(self, positions: Mapping[Source, int]) -> None:
        """Start reading partitions."""
        ...

    def halt(self) -> None:
        """Stop reading all partitions."""
        ...

    def bounds(self, sources: Sequence[Source], timeout_s: float) -> dict[Source, tuple[int, int]]:
        """First and next offsets on the broker."""
        ...

    def ends(self, sources: Sequence[Source]) -> dict[Source, int]:
        """Next offsets as far as reading has shown them."""
        ...

    def past_markers(self, source: Source, position: int) -> int:
        """A position as the broker counts it."""
        ...

    def commit(self, positions: Mapping[Source, int]) -> None:
        """Tell those who watch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterConfig:
    """Size and pace of transactions."""

    max_rows: int
    linger_s: float
    retention_interval_s: float


@dataclass(frozen=True, slots=True)
class _Delivery:
    record: Record
    item: Item
    refused: bool = False


@dataclass(slots=True)
class _Lane:
    """A partition we may write: the claim, the assignment it belongs to, the next message expected."""

    claim: Claim
    assignment: int
    position: int


class Writer:
    """Moves messages into the store, exactly once."""

    def __init__(
        self,
        messages: Messages,
        store: Store,
        decoder: ItemDecoder,
        *,
        config: WriterConfig,
        clock: Clock,
        backoff: Backoff,
        metrics: SinkMetrics,
        heartbeat: Heartbeat,
    ) -> None:
        self._messages = messages
        self._store = store
        self._decoder = decoder
        self._config = config
        self._clock = clock
        self._backoff = backoff
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._lanes: dict[Source, _Lane] = {}
        self._pending: deque[_Delivery] = deque()
        self._stored: dict[Source, int] = {}
        self._problem: str | None = "waiting for partitions"
        self._watch_due_s = clock.monotonic_s()
        self._retain_due_s = clock.monotonic_s() + config.retention_interval_s

    def not_ready(self) -> str | None:
        """Why nothing is written at the moment, or None."""
        return self._problem

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then store what was already read."""
        while not stop.is_set():
            self._heartbeat.beat()
            try:
                self._claim()
                for stretch in _between_removals(self._collect(self._config.linger_s)):
                    self._write(stretch)
                self._retain()
                self._watch()
            except (StoreUnavailable, BrokerUnavailable) as exc:
                self._wait(exc, stop)
            except Fenced as exc:
                self._metrics.fenced.inc()
                _log.warning("fenced", reason=str(exc))
                self._let_go()
                self._rest(stop)  # the group may have news of who owns what
        self._drain()

    def _claim(self) -> None:
        """Take over what the group has given us and we have not yet claimed."""
        self._forget_lost()
        wanted = sorted(source for source in self._messages.given if source not in self._lanes)
        if wanted:
            assignments = {source: self._messages.given[source] for source in wanted}
            claims = self._store.claim(wanted)
            bounds = self._messages.bounds(wanted, _CLAIM_PATIENCE_S)
            for source, claim in claims.items():
                position = self._position(claim, *bounds[source])
                self._lanes[source] = _Lane(claim, assignments[source], position)
                self._stored[source] = position
            self._messages.read_from({source: self._lanes[source].position for source in wanted})
            _log.info("claimed", partitions=len(wanted))
        if self._lanes:
            self._recovered()

    def _position(self, claim: Claim, first: int, end: int) -> int:
        """Where to go on reading, given what the broker still has."""
        stored = claim.next_offset
        place = f"{claim.source.topic}/{claim.source.partition}"
        if stored is None:
            return first
        if stored > end:
            _log.warning("topic_made_anew", partition=place, stored=stored, end=end, reading_from=first)
            self._store.rewind(claim, first)
            return first
        if stored < first:
            _log.error("messages_lost", partition=place, count=first - stored, reason="retention was faster than we")
            return first
        return stored

    def _collect(self, linger_s: float) -> list[_Delivery]:
        """Messages for one transaction: ``max_rows`` rows, or what comes within ``linger_s``."""
        deadline_s = self._clock.monotonic_s() + linger_s
        batch: list[_Delivery] = []
        rows = 0
        while rows < self._config.max_rows:
            if not self._pending:
                remaining_s = deadline_s - self._clock.monotonic_s()
                if remaining_s <= 0:
                    break
                records = self._messages.consume(_MESSAGES_AT_ONCE, remaining_s)
                self._forget_lost()
                self._pending.extend(_Delivery(r, self._decoder.decode(r)) for r in records if self._is_next(r))
                continue
            delivery = self._pending.popleft()
            rows += _rows(delivery.item)
            batch.append(delivery)
        return [delivery for delivery in batch if delivery.item.source in self._lanes]

    def _is_next(self, record: Record) -> bool:
        """Whether a record is ours and new; moves its lane's position behind it."""
        lane = self._lanes.get(Source(record.topic, record.partition))
        if lane is None or record.offset < lane.position:
            return False
        lane.position = record.offset + 1
        return True

    def _write(self, batch: Sequence[_Delivery]) -> None:
        if not batch:
            return
        items = [delivery.item for delivery in batch]
        claims = {source: lane.claim for source, lane in self._lanes.items()}
        try:
            with self._metrics.transaction_seconds.time():
                written = self._store.write(items, claims)
        except Unstorable as exc:
            self._write_apart(batch, exc)
            return
        for item in items:
            self._stored[item.source] = item.offset + 1
            if isinstance(item.content, RejectedReading) and item.content.topic == item.source.topic:
                self._metrics.refused.labels(reason=item.content.reason.value).inc()
        if any(isinstance(item.content, AssetRemoval) for item in items):
            self._retain_due_s = self._clock.monotonic_s()  # what is stored of it can go at once
        self._metrics.wrote(written, self._clock.now().timestamp())

    def _write_apart(self, batch: Sequence[_Delivery], problem: Unstorable) -> None:
        """One message of the batch cannot be stored: find it and put it aside, store the others."""
        if len(batch) > 1:
            for delivery in batch:
                self._write([delivery])
            return
        record = batch[0].record
        if batch[0].refused:
            raise problem  # there is nowhere left to put it
        _log.warning(
            "refused", topic=record.topic, partition=record.partition, offset=record.offset, reason=str(problem)
        )
        refused = self._decoder.refuse(record, RejectionReason.BAD_STRUCTURE, f"the database refuses it: {problem}")
        self._write([_Delivery(record, refused, refused=True)])

    def _forget_lost(self) -> None:
        """Drop lanes that the group took away, even if it gave them back meanwhile, with what was read of them."""
        given = self._messages.given
        lost = {source for source, lane in self._lanes.items() if given.get(source) != lane.assignment}
        if lost:
            for source in lost:
                del self._lanes[source]
                self._stored.pop(source, None)
            self._pending = deque(d for d in self._pending if d.item.source not in lost)

    def _let_go(self) -> None:
        """Give up all claims and what was read: the next turn claims anew and reads from what is stored."""
        self._messages.halt()
        self._lanes.clear()
        self._pending.clear()

    def _wait(self, problem: Exception, stop: threading.Event) -> None:
        """Stay in the group without reading until the next attempt is due."""
        self._let_go()
        self._problem = str(problem)
        if isinstance(problem, StoreUnavailable):
            self._metrics.database_up.set(0)
        delay_s = self._rest(stop)
        _log.warning("waited", reason=str(problem), seconds=round(delay_s, 1))
        self._watch()

    def _rest(self, stop: threading.Event) -> float:
        """Only talk to the group until the next attempt is due; returns how long that was."""
        delay_s = self._backoff.next_s()
        deadline_s = self._clock.monotonic_s() + delay_s
        while not stop.is_set() and (remaining_s := deadline_s - self._clock.monotonic_s()) > 0:
            try:
                self._messages.consume(1, min(_IDLE_POLL_S, remaining_s))
            except BrokerUnavailable as exc:
                _log.warning("waiting_longer", reason=str(exc))
            self._heartbeat.beat()
        return delay_s

    def _recovered(self) -> None:
        if self._problem is not None:
            _log.info("writing", partitions=len(self._lanes))
        self._problem = None
        self._backoff.reset()
        self._metrics.database_up.set(1)

    def _retain(self) -> None:
        if self._lanes and self._clock.monotonic_s() >= self._retain_due_s:
            retained = self._store.retain(self._clock.now())
            self._metrics.retained(retained)
            pause_s = self._config.retention_interval_s if retained.complete else _RETAIN_AGAIN_S
            self._retain_due_s = self._clock.monotonic_s() + pause_s

    def _watch(self) -> None:
        """Publish the lag, here and to the group, every few seconds."""
        if self._clock.monotonic_s() < self._watch_due_s:
            return
        self._watch_due_s = self._clock.monotonic_s() + _WATCH_EVERY_S
        sources = sorted(self._messages.given)
        if not sources:
            return
        try:
            spans = self._unread(sources)
        except BrokerUnavailable as exc:
            _log.warning("lag_unknown", reason=str(exc))
            return
        lag: dict[str, int] = {}
        positions = {s: self._messages.past_markers(s, p) for s, p in self._stored.items()}
        for source, (first, end) in spans.items():
            behind = max(0, end - positions.get(source, first))
            lag[source.topic] = lag.get(source.topic, 0) + behind
        for topic, behind in lag.items():
            self._metrics.lag.labels(topic=topic).set(behind)
        self._messages.commit(positions)

    def _unread(self, sources: Sequence[Source]) -> Mapping[Source, tuple[int, int]]:
        """Where unread messages begin if nothing is stored, and end. The broker is asked only while nothing is read."""
        if self._problem is not None:
            return self._messages.bounds(sources, _WATCH_PATIENCE_S)
        return {source: (end, end) for source, end in self._messages.ends(sources).items()}

    def _drain(self) -> None:
        """Store what was read before the stop, as far as that is quick; the rest is read again."""
        deadline_s = self._clock.monotonic_s() + _DRAIN_S
        try:
            while self._pending and self._clock.monotonic_s() < deadline_s:
                for stretch in _between_removals(self._collect(0.0)):
                    self._write(stretch)
            self._messages.commit({s: self._messages.past_markers(s, p) for s, p in self._stored.items()})
        except (StoreUnavailable, BrokerUnavailable, Fenced) as exc:
            _log.warning("not_drained", reason=str(exc), messages=len(self._pending))


def _rows(item: Item) -> int:
    return item.content.rows if isinstance(item.content, Frame) else 1


def _between_removals(batch: Sequence[_Delivery]) -> Iterator[Sequence[_Delivery]]:
    """Removals by themselves: rows before one have another key in the database than rows behind it."""
    start = 0
    for place, delivery in enumerate(batch):
        if isinstance(delivery.item.content, AssetRemoval):
            yield batch[start:place]
            yield [delivery]
            start = place + 1
    yield batch[start:]
