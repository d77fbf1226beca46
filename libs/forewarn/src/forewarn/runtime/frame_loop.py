"""The loop behind validator, twin and anomaly: records in, frames out, exactly once.

Each turn takes what comes within a linger time of its first record, ``batch_records`` at most, processes them all
together, and commits outputs, due snapshots and consumed offsets in one Kafka transaction. The state of
a partition (a lane) is restored from its last snapshot by processing the records between the snapshot
and the committed offset once more without publishing, so it is exact after a crash or a rebalance.
"""

import threading
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from forewarn.adapters.kafka.config import consumer_config, group_id
from forewarn.adapters.kafka.errors import error_of, is_passing
from forewarn.adapters.kafka.history import PartitionReader, Snapshot
from forewarn.adapters.kafka.records import records_of
from forewarn.adapters.kafka.transaction import TransactionAborted, TransactionalProducer
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Lanes, Output, Record, StaleSnapshot
from forewarn.runtime.frame_metrics import FrameMetrics
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.pace import Pace, PaceConfig

_log = structlog.get_logger(__name__)

_PATIENCE_S = 60.0
_RETRY_S = 0.2
_POLL_S = 0.1
_FETCH_WAIT_MS = 20
_LAG_EVERY_S = 1.0
_NO_OFFSET = -1001  # librdkafka's OFFSET_INVALID: the group never committed this partition


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLoopConfig:
    """How a frame processor reads, batches and snapshots.

    ``fetch_min_bytes`` is what the broker gathers before it answers, for at most 20 ms: records that come
    one by one would else be fetched nearly one by one.

    ``instance`` names this replica across restarts: under the same name it gets its partitions back at
    once and fences its own predecessor; without a name the group notices a crash only after the session
    timeout.
    """

    service: str
    bootstrap_servers: str
    prefix: str
    instance: str
    source: TopicName
    checkpoint: TopicName
    batch_records: int = 30_000
    pace: PaceConfig = field(default_factory=PaceConfig)
    fetch_min_bytes: int = 1
    snapshot_every_s: float = 5.0


class MembershipLost(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The group declared this member dead, say after a long outage of the broker.

    Its clients may be in a state that only a new process gets out of (librdkafka 2.16 was seen to
    block for good in the next transaction), so the process ends and is started again.
    """


@dataclass(slots=True, kw_only=True)
class _Progress:
    next_offset: int
    snapshot_offset: int
    snapshot_due_s: float


class FrameLoop:
    """Runs one frame processor until asked to stop."""

    def __init__(
        self, config: FrameLoopConfig, lanes: Lanes, clock: Clock, metrics: FrameMetrics, heartbeat: Heartbeat
    ) -> None:
        self._config = config
        self._lanes = lanes
        self._clock = clock
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._source = qualified(config.source, config.prefix)
        self._checkpoint = qualified(config.checkpoint, config.prefix)
        self._progress: dict[int, _Progress] = {}
        self._first: list[Message] = []
        self._pace = Pace(config.pace)
        self._lag_due_s = 0.0
        self._assigned = False
        self._lost = False
        self._pause = threading.Event()
        identity = f"{config.prefix}forewarn.{config.service}.{config.instance or uuid.uuid4().hex}"
        membership = {"group.instance.id": identity} if config.instance else {}
        gathers = {"fetch.min.bytes": config.fetch_min_bytes, "fetch.wait.max.ms": _FETCH_WAIT_MS}
        fetching = gathers if config.fetch_min_bytes > 1 else {}
        self._producer = TransactionalProducer(
            config.bootstrap_servers, transactional_id=identity, prefix=config.prefix, on_wait=heartbeat.beat
        )
        self._reader = PartitionReader(config.bootstrap_servers, client_id=f"{identity}.restore")
        self._consumer = Consumer(
            consumer_config(
                config.bootstrap_servers,
                group_id=group_id(config.service, config.prefix),
                client_id=identity,
                **{"partition.assignment.strategy": "cooperative-sticky", **membership, **fetching},
            )
        )

    def not_ready(self) -> str | None:
        """Why this processor is not ready, or None: ready means that the group gave it its partitions."""
        return None if self._assigned else f"waiting for partitions of {self._source}"

    def run(self, stop: threading.Event) -> None:
        """Process until ``stop`` is set, then leave with everything committed.

        Raises
        ------
        KafkaException
            If the broker fenced this instance or forbids what it does.
        MembershipLost
            If the group took the partitions away.
        """
        self._consumer.subscribe(
            [self._source], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        try:
            while not stop.is_set():
                self._heartbeat.beat()
                messages = self._gather()
                if self._lost:
                    raise MembershipLost("the group took our partitions away: start again with what is committed")
                if messages:
                    self._pace.note(len(messages), self._clock.monotonic_s())
                    self._turn(records_of(messages))
                self._update_lag()
            self._snapshot(self._progress)
        finally:
            self._consumer.close()
            self._reader.close()

    def _gather(self) -> list[Message]:
        """Wait for a first message, then for more until the linger time is over and the turn is due."""
        self._first = self._consumer.consume(1, timeout=_POLL_S)
        if not self._first:
            return []
        wait_s = self._pace.wait_s(self._clock.monotonic_s())
        more = self._consumer.consume(self._config.batch_records - 1, timeout=wait_s)
        return self._first + more

    def _turn(self, records: Sequence[Record]) -> None:
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            if record.partition in self._progress:  # a lost partition's records may still be on their way
                by_partition[record.partition].append(record)
        if not by_partition:
            return
        result = self._lanes.process(list(chain.from_iterable(by_partition.values())), self._heartbeat.beat)
        self._metrics.count(result.counts)
        for partition, batch in by_partition.items():
            self._progress[partition].next_offset = batch[-1].offset + 1
        outputs = [*result.outputs, *self._due_snapshots()]
        offsets = [TopicPartition(self._source, p, self._progress[p].next_offset) for p in by_partition]
        with self._metrics.transaction_seconds.time():
            committed = self._commit(outputs, offsets)
        if committed:
            self._metrics.read.inc(len(records))
            self._metrics.written.inc(len(outputs))

    def _commit(self, outputs: Sequence[Output], offsets: Sequence[TopicPartition]) -> bool:
        try:
            self._producer.commit(outputs, offsets, self._consumer)
        except TransactionAborted:
            self._rebuild()
            return False
        return True

    def _rebuild(self) -> None:
        """After a rollback: state and reading position go back to what is committed."""
        partitions = [p.partition for p in self._consumer.assignment()]
        self._forget(list(self._progress))
        for position in self._restore(partitions):
            self._consumer.seek(position)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        positions = self._restore(p.partition for p in partitions)
        consumer.incremental_assign(positions)
        self._assigned = True
        _log.info("partitions_assigned", partitions=sorted(p.partition for p in partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        leaving = [p.partition for p in partitions if p.partition in self._progress]
        self._snapshot(leaving)  # the next owner then has nothing to replay
        self._forget(leaving)
        consumer.incremental_unassign(partitions)
        _log.info("partitions_revoked", partitions=sorted(leaving))

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._lost = True
        self._forget([p.partition for p in partitions if p.partition in self._progress])
        consumer.incremental_unassign(partitions)
        _log.warning("partitions_lost", partitions=sorted(p.partition for p in partitions))

    def _forget(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._lanes.close(partition)
            del self._progress[partition]
        # Should one of them come back while a turn gathers, it is read from the committed offset on.
        self._first = [message for message in self._first if message.partition() not in partitions]

    def _restore(self, partitions: Iterable[int]) -> list[TopicPartition]:
        """Rebuild the lanes of these partitions; returns where to go on reading."""
        wanted = [TopicPartition(self._source, p) for p in partitions]
        return [self._restore_lane(position) for position in self._committed(wanted)]

    def _committed(self, wanted: list[TopicPartition]) -> list[TopicPartition]:
        give_up_s = self._clock.monotonic_s() + _PATIENCE_S
        while wanted:
            try:
                return self._consumer.committed(wanted, timeout=_PATIENCE_S)
            except KafkaException as exc:
                if not is_passing(error_of(exc)) or self._clock.monotonic_s() > give_up_s:
                    raise
                _log.warning("waiting_for_coordinator", reason=str(exc))
                self._heartbeat.beat()
                self._pause.wait(_RETRY_S)
        return []

    def _restore_lane(self, committed: TopicPartition) -> TopicPartition:
        partition = committed.partition
        snapshot = self._reader.newest_snapshot(self._checkpoint, partition)
        if snapshot is not None and snapshot.next_offset > committed.offset != _NO_OFFSET:
            _log.warning("snapshot_ignored", partition=partition, reason="the group's offset was set back")
            snapshot = None
        start = self._open_lane(partition, snapshot)
        end = max(committed.offset, start)
        replayed = 0
        for records in self._reader.read(self._source, partition, start, end):
            self._lanes.process(records, self._heartbeat.beat)
            self._heartbeat.beat()
            replayed += len(records)
        self._progress[partition] = _Progress(
            next_offset=end, snapshot_offset=start, snapshot_due_s=self._next_snapshot_s(partition)
        )
        _log.info("lane_restored", partition=partition, snapshot_offset=start, replayed=replayed, position=end)
        return TopicPartition(self._source, partition, end)

    def _open_lane(self, partition: int, snapshot: Snapshot | None) -> int:
        """Open a lane with what the snapshot holds, if that can be read; returns the first offset to replay."""
        if snapshot is not None:
            try:
                self._lanes.open(partition, snapshot.state)
            except StaleSnapshot as exc:
                _log.warning("snapshot_ignored", partition=partition, reason=str(exc))
            else:
                return snapshot.next_offset
        self._lanes.open(partition, None)
        return self._reader.bounds(self._source, partition)[0]

    def _next_snapshot_s(self, partition: int) -> float:
        # Lanes take turns: twelve snapshots in one transaction would delay its readings.
        stagger = (partition % 12) / 12
        return self._clock.monotonic_s() + self._config.snapshot_every_s * (1 + stagger) / 2

    def _due_snapshots(self) -> list[Output]:
        now_s = self._clock.monotonic_s()
        due = [p for p, s in self._progress.items() if s.snapshot_due_s <= now_s and s.next_offset > s.snapshot_offset]
        return [self._snapshot_of(p) for p in due]

    def _snapshot_of(self, partition: int) -> Output:
        progress = self._progress[partition]
        value = Snapshot(next_offset=progress.next_offset, state=self._lanes.dump(partition)).encode()
        progress.snapshot_offset = progress.next_offset
        progress.snapshot_due_s = self._clock.monotonic_s() + self._config.snapshot_every_s
        self._metrics.snapshot_bytes.set(len(value))
        return Output(topic=self._config.checkpoint, partition=partition, key=str(partition).encode(), value=value)

    def _snapshot(self, partitions: Iterable[int]) -> None:
        changed = [p for p in partitions if self._progress[p].next_offset > self._progress[p].snapshot_offset]
        if not changed:
            return
        try:
            self._producer.commit([self._snapshot_of(p) for p in changed], [], None)
        except TransactionAborted:
            _log.warning("snapshot_skipped", partitions=sorted(changed))

    def _update_lag(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s < self._lag_due_s:
            return
        self._lag_due_s = now_s + _LAG_EVERY_S
        for partition, progress in self._progress.items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self._source, partition), cached=True)
            if high >= 0:
                self._metrics.lag.labels(partition=str(partition)).set(max(0, high - progress.next_offset))
