"""The loop behind validator, twin and anomaly: records in, frames out, exactly once.

A turn takes the records that arrive within a linger time of the first one, up to ``batch_records`` and
``MAX_TURN_BYTES``, processes them together, and commits outputs, due snapshots and consumed offsets in one Kafka
transaction. The state of a partition (a lane) is restored from its last snapshot by replaying the records up to the
committed offset without publishing, so it is exact after a crash or a rebalance.

Work that fails or kills the process is retried in smaller and smaller pieces until the culprit is found; that record
goes to ``readings.rejected`` (ADR 0027).
"""

import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import structlog

from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.lane_note import Attempt, suspicion_after
from forewarn.adapters.kafka.membership import GroupMember, Membership, Position
from forewarn.adapters.kafka.transaction import OutputTooLarge, TransactionAborted, TransactionalProducer
from forewarn.adapters.rejections import quarantined
from forewarn.contracts.limits import shortened
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Lanes, Output, Record
from forewarn.ports.store import Source
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.gathering import Gatherer
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.lane_keeper import LaneKeeper
from forewarn.runtime.metrics import FrameMetrics
from forewarn.runtime.pace import Pace
from forewarn.runtime.service import RestartNeeded

_log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 60.0
_FETCH_WAIT_MS: Final = 20
_LAG_EVERY_S: Final = 1.0
_TOPIC_EVERY_S: Final = 10.0
#: Longest silence while a few suspicious records are processed: a hang shows sooner than in a full turn.
_WARY_LIMIT_S: Final = 20.0

Batches = Mapping[int, Sequence[Record]]


class MembershipLost(RestartNeeded):  # a state of the world, not a mistake
    """The group declared this member dead, for example after a long outage of the broker.

    Its clients may be stuck in a state that only a new process gets out of (librdkafka 2.16 was seen to block
    forever in the next transaction), so the process exits and is restarted.
    """


class FrameLoop:
    """One frame processor."""

    def __init__(
        self, config: FrameLoopConfig, lanes: Lanes, clock: Clock, metrics: FrameMetrics, heartbeat: Heartbeat
    ) -> None:
        settings = config.settings
        self._lanes = lanes
        self._clock = clock
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._source = config.source_topic
        self._source_name = config.source.value
        self._lag_due_s = self._topic_due_s = 0.0
        self._assigned = False
        self._lost = False
        self._process = uuid.uuid4().hex[:12]
        group = group_id(config.service, settings.kafka_topic_prefix)
        identity = f"{group}.{settings.service_instance or uuid.uuid4().hex}"
        gathers = {"fetch.min.bytes": config.fetch_min_bytes, "fetch.wait.max.ms": _FETCH_WAIT_MS}
        fetching = gathers if config.fetch_min_bytes > 1 else {}
        self._producer = TransactionalProducer(
            settings.kafka_bootstrap_servers,
            transactional_id=identity,
            prefix=settings.kafka_topic_prefix,
            on_wait=heartbeat.beat,
        )
        self._keeper = LaneKeeper(config, lanes, clock, metrics, heartbeat, client_id=identity, process=self._process)
        self._member = GroupMember(
            Membership(
                bootstrap_servers=settings.kafka_bootstrap_servers,
                group=group,
                client_id=identity,
                is_static=bool(settings.service_instance),
                topics=[self._source],
            ),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
            settings=fetching,
        )
        self._gatherer = Gatherer(self._member, Pace(settings.pace), clock, most_records=settings.frame_batch_records)

    def not_ready(self) -> str | None:
        """Return why this processor is not ready; None once the group has assigned it partitions."""
        return None if self._assigned else f"waiting for partitions of {self._source}"

    def run(self, stop: threading.Event) -> None:
        """Process records until ``stop`` is set; everything is committed on return.

        Raises ``KafkaException`` if the broker fenced this instance or denies it access. Raises ``MembershipLost`` if
        the group took the partitions away. Raises ``TopicRecreated`` if the source topic was deleted and created again.
        """
        try:
            while not stop.is_set():
                self._heartbeat.beat()
                records = self._gatherer.next_turn()
                if self._lost:
                    raise MembershipLost("the group took the partitions away: restart from the last commit")
                if records:
                    self._turn(records)
                self._look_around()
            self._snapshot(self._keeper.open)
        finally:
            self._member.close()
            self._keeper.close()

    def _turn(self, records: Sequence[Record]) -> None:
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            if record.partition in self._keeper.open:  # a lost partition's records may still be on their way
                by_partition[record.partition].append(record)
        suspects = {p: by_partition.pop(p) for p in list(by_partition) if self._keeper.open[p].suspicion is not None}
        if by_partition and not self._work(by_partition):
            return
        for piece in self._pieces(suspects):
            if not self._work(piece):
                return

    def _pieces(self, suspects: Batches) -> Iterator[Batches]:
        """Split suspicious records into small pieces, the least suspicious first."""
        piece: dict[int, list[Record]] = defaultdict(list)
        beyond: dict[int, Sequence[Record]] = {}
        room = 0
        for partition in sorted(suspects, key=self._failures):
            suspicion, batch = self._keeper.open[partition].suspicion, suspects[partition]
            if suspicion is None:
                continue
            suspected = [record for record in batch if record.offset < suspicion.until]
            if len(suspected) < len(batch):
                beyond[partition] = batch[len(suspected) :]
            for record in suspected:
                room = min(room, suspicion.piece - sum(map(len, piece.values())))
                if room <= 0:
                    if piece:
                        yield piece
                    piece, room = defaultdict(list), suspicion.piece
                piece[partition].append(record)
                room -= 1
        if piece:
            yield piece
        if beyond:
            yield beyond

    def _failures(self, partition: int) -> int:
        suspicion = self._keeper.open[partition].suspicion
        return 0 if suspicion is None else suspicion.failures

    def _work(self, batches: Batches) -> bool:
        """Process records and commit the results; False if nothing was committed and reading starts over."""
        lanes = {partition: self._keeper.open[partition] for partition in batches}
        wary = any(lane.suspicion is not None for lane in lanes.values())
        # A record that kills the process leaves a trace only if it is marked beforehand. A mark costs a transaction,
        # so a process that has proven itself does without.
        unproven = wary or not all(lane.proven for lane in lanes.values())
        if unproven and not self._mark(batches, working=True):
            return False
        self._heartbeat.expect_within(_WARY_LIMIT_S if wary else None)
        try:
            outputs = self._outputs(batches)
        except Exception as exc:  # noqa: BLE001  # whatever it is, the other records must get through
            self._narrow(batches, exc)
            return False
        finally:
            self._heartbeat.expect_within(None)
        if wary and not self._mark(batches, working=False):
            return False
        for partition, batch in batches.items():
            lanes[partition].next_offset = batch[-1].offset + 1
        try:
            committed = self._commit(
                chain(outputs, self._keeper.snapshots(self._keeper.due())), [self._keeper.position(p) for p in batches]
            )
        except OutputTooLarge as exc:
            self._narrow(batches, exc)
            return False
        if committed:
            self._metrics.read.labels(topic=self._source_name).inc(sum(map(len, batches.values())))
            for lane in lanes.values():
                lane.note_success()
        return committed

    def _outputs(self, batches: Batches) -> Sequence[Output]:
        """Return the messages that records lead to; set-aside ones become rejections."""
        usable: list[Record] = []
        put_aside: list[Record] = []
        for partition, batch in batches.items():
            offsets = self._keeper.open[partition].note.quarantined
            put_aside += [record for record in batch if record.offset in offsets] if offsets else ()
            usable += [record for record in batch if record.offset not in offsets] if offsets else batch
        counts: Counter[str] = Counter({"rejected": len(put_aside)})
        outputs = [quarantined(record) for record in put_aside]
        if usable:
            result = self._lanes.process(usable, self._heartbeat.beat)
            outputs += result.outputs
            counts += result.counts
        self._metrics.count(counts)
        return outputs

    def _mark(self, batches: Batches, *, working: bool) -> bool:
        """Note beside the offsets that work on these records begins, or that only the commit is left."""
        positions = []
        total = sum(map(len, batches.values()))
        for partition, batch in batches.items():
            attempt = Attempt(
                by=self._process,
                failures=self._failures(partition),
                records=total,
                until=batch[-1].offset + 1,
                working=working,
            )
            note = replace(self._keeper.open[partition].note, attempt=attempt)
            positions.append(self._keeper.position(partition, note))
        return self._commit((), positions)

    def _narrow(self, batches: Batches, problem: Exception) -> None:
        """Retry failed work in pieces; set the record aside if there was only one."""
        total = sum(map(len, batches.values()))
        _log.error(
            "work_failed", partitions=sorted(batches), records=total, reason=shortened(repr(problem)), exc_info=problem
        )
        self._rebuild()
        for partition, batch in batches.items():
            lane = self._keeper.open.get(partition)
            if lane is None:
                continue
            if total == 1:
                lane.note = lane.note.with_quarantined(batch[0].offset)
            else:
                lane.suspicion = suspicion_after(total, batch[-1].offset + 1, self._failures(partition) or 1)

    def _commit(self, outputs: Iterable[Output], positions: Sequence[Position]) -> bool:
        try:
            with self._metrics.transaction_seconds.time():
                written = self._producer.commit(outputs, positions, self._member)
        except TransactionAborted:
            self._rebuild()
            return False
        for topic, count in written.items():
            self._metrics.written.labels(topic=topic.value).inc(count)
        return True

    def _rebuild(self) -> None:
        """Reset state and reading position to the last commit, after a rollback."""
        given = self._member.given
        self._forget(list(self._keeper.open))
        self._member.seek(self._restore(given))

    def _on_assign(self, sources: Sequence[Source]) -> None:
        self._member.start(self._restore(sources))
        self._assigned = True
        _log.info("partitions_assigned", partitions=sorted(source.partition for source in sources))

    def _on_revoke(self, sources: Sequence[Source]) -> None:
        leaving = [source.partition for source in sources if source.partition in self._keeper.open]
        self._snapshot(leaving)  # so the next owner has nothing to replay
        self._forget(leaving)
        self._member.stop(sources)
        _log.info("partitions_revoked", partitions=sorted(leaving))

    def _on_lost(self, sources: Sequence[Source]) -> None:
        self._lost = True
        self._forget([source.partition for source in sources if source.partition in self._keeper.open])
        self._member.stop(sources)
        _log.warning("partitions_lost", partitions=sorted(source.partition for source in sources))

    def _forget(self, partitions: Sequence[int]) -> None:
        self._keeper.forget(partitions)
        self._gatherer.drop(partitions)

    def _restore(self, sources: Iterable[Source]) -> dict[Source, int]:
        """Rebuild the lanes of these partitions and return the offsets to continue from."""
        committed = self._member.committed(sources, patience_s=_PATIENCE_S, on_wait=self._heartbeat.beat)
        return self._keeper.restore(committed)

    def _snapshot(self, partitions: Iterable[int]) -> None:
        changed = [p for p in partitions if self._keeper.is_changed(p)]
        if not changed:
            return
        try:
            self._producer.commit(self._keeper.snapshots(changed), [], None)
        except TransactionAborted:
            _log.warning("snapshot_skipped", partitions=sorted(changed))

    def _look_around(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s >= self._topic_due_s:
            self._topic_due_s = now_s + _TOPIC_EVERY_S
            self._keeper.check_topic()
        if now_s < self._lag_due_s:
            return
        self._lag_due_s = now_s + _LAG_EVERY_S
        for partition, lane in self._keeper.open.items():
            end = self._member.end(Source(self._source, partition))
            if end is not None:
                self._metrics.lag.labels(partition=str(partition)).set(max(0, end - lane.next_offset))
