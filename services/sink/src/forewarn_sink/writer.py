"""The loop of the sink: claim, collect, store, and wait while the database is away."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.inbox import Inbox
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.contracts.removal import AssetRemoval
from forewarn.domain.frames.frame import Frame
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Record
from forewarn.ports.store import Doubtful, Fenced, Item, Source, Store, StoreUnavailable, Written
from forewarn.runtime.heartbeat import Heartbeat
from forewarn_sink.backoff import Backoff
from forewarn_sink.decoding import ItemDecoder
from forewarn_sink.lanes import ClaimedLanes
from forewarn_sink.metrics import SinkMetrics
from forewarn_sink.storing import Delivery, Storing

_log = structlog.get_logger(__name__)

#: Enough to fill a transaction from large frames, few enough to bound what is held in memory.
_MESSAGES_AT_ONCE: Final = 64
_WATCH_EVERY_S: Final = 5.0
_WATCH_PATIENCE_S: Final = 1.0  # writing waits meanwhile
_IDENTIFY_EVERY_S: Final = 30.0  # the group usually learns of a deleted topic long before
_RETAIN_AGAIN_S: Final = 5.0
_DRAIN_S: Final = 5.0
_IDLE_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterConfig:
    """Size and pace of transactions."""

    max_rows: int
    linger_s: float
    retention_interval_s: float


class Writer:
    """Moves messages into the store, exactly once."""

    def __init__(
        self,
        inbox: Inbox,
        store: Store,
        decoder: ItemDecoder,
        *,
        config: WriterConfig,
        clock: Clock,
        backoff: Backoff,
        metrics: SinkMetrics,
        heartbeat: Heartbeat,
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._decoder = decoder
        self._lanes = ClaimedLanes(inbox, store, metrics)
        self._storing = Storing(self._lanes, store, decoder, metrics, self._written)
        self._config = config
        self._clock = clock
        self._backoff = backoff
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._pending = deque[Record]()
        self._stored: dict[Source, int] = {}
        self._problem: str | None = "waiting for partitions"
        self._watch_due_s = clock.monotonic_s()
        self._identify_due_s = clock.monotonic_s() + _IDENTIFY_EVERY_S
        self._retain_due_s = clock.monotonic_s() + config.retention_interval_s

    def not_ready(self) -> str | None:
        """Return why nothing is being written, or None."""
        return self._problem

    def run(self, stop: threading.Event) -> None:
        """Store until ``stop`` is set, including what was read by then."""
        while not stop.is_set():
            self._heartbeat.beat()
            try:
                self._claim()
                for stretch in _between_removals(self._collect(self._config.linger_s)):
                    self._storing.write(stretch)
                    self._heartbeat.beat()
                self._retain()
                self._watch()
            except (StoreUnavailable, BrokerUnavailable, Doubtful) as exc:
                self._wait(exc, stop)
            except Fenced as exc:
                self._metrics.fenced.inc()
                _log.warning("fenced", reason=str(exc))
                self._let_go()
                self._rest(stop)  # the group may have reassigned partitions
        self._drain()

    def _claim(self) -> None:
        """Claim newly assigned partitions."""
        self._forget_lost()
        positions = self._lanes.claim()
        self._stored |= positions
        if positions:
            _log.info("claimed", partitions=len(positions))
        if self._lanes:
            self._recovered()

    def _collect(self, linger_s: float) -> list[Delivery]:
        """Return the messages of one transaction: ``max_rows`` rows, ``MAX_TURN_BYTES``, or all within ``linger_s``.

        A larger message gets its own transaction, and so does a suspicious one.
        """
        deadline_s = self._clock.monotonic_s() + linger_s
        batch: list[Delivery] = []
        rows = size_bytes = 0
        while rows < self._config.max_rows:
            if not self._pending:
                remaining_s = deadline_s - self._clock.monotonic_s()
                if remaining_s <= 0:
                    break
                records = self._inbox.consume(_MESSAGES_AT_ONCE, remaining_s)
                self._forget_lost()
                self._pending.extend(record for record in records if self._lanes.take(record))
                continue
            record = self._pending[0]
            lane = self._lanes[Source(record.topic, record.partition)]
            size_bytes += record.size_bytes
            if batch and (lane.cautious or size_bytes > MAX_TURN_BYTES):
                break
            self._pending.popleft()
            if lane.cautious:
                return [self._storing.alone(lane, record)]
            delivery = Delivery(record, self._decoder.decode(record))
            rows += _rows(delivery.item)
            batch.append(delivery)
        return [delivery for delivery in batch if delivery.item.source in self._lanes]

    def _written(self, items: Sequence[Item], written: Written) -> None:
        for item in items:
            self._stored[item.source] = item.offset + 1
        if any(isinstance(item.content, AssetRemoval) for item in items):
            self._retain_due_s = self._clock.monotonic_s()  # its stored rows can go at once
        self._metrics.wrote(written, self._clock.now().timestamp())

    def _forget_lost(self) -> None:
        """Drop messages of revoked partitions."""
        lost = self._lanes.forget_lost()
        if lost:
            for source in lost:
                self._stored.pop(source, None)
            self._pending = deque(r for r in self._pending if Source(r.topic, r.partition) not in lost)

    def _let_go(self) -> None:
        """Drop all claims and messages: the next turn claims again and continues from what is stored."""
        self._inbox.halt()
        self._lanes.clear()
        self._pending.clear()

    def _wait(self, problem: Exception, stop: threading.Event) -> None:
        """Wait for the next attempt: stay in the group, but do not read."""
        self._let_go()
        self._problem = str(problem)
        if isinstance(problem, StoreUnavailable):
            self._metrics.database_up.set(0)
        delay_s = self._rest(stop)
        _log.warning("waited", reason=str(problem), seconds=round(delay_s, 1))
        self._watch()

    def _rest(self, stop: threading.Event) -> float:
        """Poll the group only, until the next attempt is due; return how long that was."""
        delay_s = self._backoff.next_s()
        deadline_s = self._clock.monotonic_s() + delay_s
        while not stop.is_set() and (remaining_s := deadline_s - self._clock.monotonic_s()) > 0:
            try:
                self._inbox.consume(1, min(_IDLE_POLL_S, remaining_s))
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
            # Rescheduled first: a slow portion must not keep the sink from new messages.
            self._retain_due_s = self._clock.monotonic_s() + self._config.retention_interval_s
            retained = self._store.retain(self._clock.now())
            self._metrics.retained(retained)
            if not retained.complete:
                self._retain_due_s = self._clock.monotonic_s() + _RETAIN_AGAIN_S

    def _watch(self) -> None:
        """Publish the lag, as a metric and to the group, every few seconds."""
        if self._clock.monotonic_s() < self._watch_due_s:
            return
        self._watch_due_s = self._clock.monotonic_s() + _WATCH_EVERY_S
        sources = sorted(self._inbox.given)
        if not sources:
            return
        try:
            self._identify()
            spans = self._unread(sources)
        except BrokerUnavailable as exc:
            _log.warning("lag_unknown", reason=str(exc))
            return
        lag: dict[str, int] = {}
        positions = {s: self._inbox.past_markers(s, p) for s, p in self._stored.items()}
        for source, (first, end) in spans.items():
            behind = max(0, end - positions.get(source, first))
            lag[source.topic] = lag.get(source.topic, 0) + behind
        for topic, behind in lag.items():
            self._metrics.lag.labels(topic=topic).set(behind)
        self._inbox.commit(positions)

    def _identify(self) -> None:
        """Claim recreated topics again, which resets their offsets."""
        if self._clock.monotonic_s() < self._identify_due_s:
            return
        self._identify_due_s = self._clock.monotonic_s() + _IDENTIFY_EVERY_S
        recreated = self._lanes.recreated(_WATCH_PATIENCE_S)
        if recreated:
            _log.warning("claiming_again", recreated=recreated)
            self._let_go()

    def _unread(self, sources: Sequence[Source]) -> Mapping[Source, tuple[int, int]]:
        """Return where unread messages begin and end; query the broker only while nothing is read."""
        if self._problem is not None:
            return self._inbox.bounds(sources, _WATCH_PATIENCE_S)
        return {source: (end, end) for source, end in self._inbox.ends(sources).items()}

    def _drain(self) -> None:
        """Store what was read before the stop if that is quick; the rest is read again."""
        deadline_s = self._clock.monotonic_s() + _DRAIN_S
        try:
            while self._pending and self._clock.monotonic_s() < deadline_s:
                for stretch in _between_removals(self._collect(0.0)):
                    self._storing.write(stretch)
            self._inbox.commit({s: self._inbox.past_markers(s, p) for s, p in self._stored.items()})
            self._lanes.release()
        except (StoreUnavailable, BrokerUnavailable, Doubtful, Fenced) as exc:
            _log.warning("not_drained", reason=str(exc), messages=len(self._pending))


def _rows(item: Item) -> int:
    return item.content.rows if isinstance(item.content, Frame) else 1


def _between_removals(batch: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """Yield removals by themselves: rows before and after one have different keys in the database."""
    start = 0
    for place, delivery in enumerate(batch):
        if isinstance(delivery.item.content, AssetRemoval):
            yield batch[start:place]
            yield [delivery]
            start = place + 1
    yield batch[start:]
