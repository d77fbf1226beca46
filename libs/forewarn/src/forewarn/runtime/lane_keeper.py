"""Restores, snapshots and drops the lanes of a frame processor, partition by partition."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from forewarn.adapters.kafka.history import PartitionReader
from forewarn.adapters.kafka.lane_note import LaneNote, Suspicion, judged
from forewarn.adapters.kafka.membership import Position
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.adapters.kafka.snapshots import LaneSnapshot
from forewarn.contracts.limits import KIB
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Lanes, Output, Record, StaleSnapshot
from forewarn.ports.store import Source
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.metrics import FrameMetrics
from forewarn.runtime.service import RestartNeeded

_log = structlog.get_logger(__name__)

#: Average rate at which a lane's snapshots may be written; twelve large ones would keep the broker busy.
_SNAPSHOT_BYTES_PER_S: Final = 512 * KIB
#: But a snapshot is never later than this, so that a restart has little to replay.
_MAX_SNAPSHOT_EVERY_S: Final = 30.0
_LOOK_UP_S: Final = 10.0
_LOOK_UP_PATIENCE_S: Final = 20.0


class TopicRecreated(RestartNeeded):  # a state of the world, not a mistake
    """The source topic was deleted and recreated: this process's offsets and states belong to the old one."""


@dataclass(slots=True, kw_only=True)
class LaneProgress:
    """Progress of a lane. ``proven``: this process has committed work on it."""

    next_offset: int
    snapshot_offset: int
    snapshot_due_s: float
    snapshot_bytes: int
    snapshot_parts: int
    note: LaneNote
    suspicion: Suspicion | None = None
    proven: bool = False

    def note_success(self) -> None:
        """Note that work up to ``next_offset`` was committed."""
        self.proven = True
        if self.suspicion is not None and self.next_offset >= self.suspicion.until:
            self.suspicion = None


class LaneKeeper:
    """Keeps ``Lanes`` and the progress of each.

    ``process`` is unique to this process; ``client_id`` is what the broker sees.
    """

    def __init__(
        self,
        config: FrameLoopConfig,
        lanes: Lanes,
        clock: Clock,
        metrics: FrameMetrics,
        heartbeat: Heartbeat,
        *,
        client_id: str,
        process: str,
    ) -> None:
        self._config = config
        self._lanes = lanes
        self._clock = clock
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._process = process
        self._source = config.source_topic
        self._snapshot_every_s = config.settings.snapshot_interval_s
        servers = config.settings.kafka_bootstrap_servers
        self._reader = PartitionReader(servers, client_id=f"{client_id}.restore")
        self._lookup = OffsetLookup(servers, f"{client_id}.topic", timeout_s=_LOOK_UP_S)
        self._topic_id = ""
        self.open: dict[int, LaneProgress] = {}

    def close(self) -> None:
        """Release the connections."""
        self._reader.close()
        self._lookup.close()

    def restore(self, committed: Iterable[Position]) -> dict[Source, int]:
        """Rebuild lanes as of the committed offsets and return the offsets to continue from."""
        self._topic_id = self._lookup.topic_id(
            self._source, patience_s=_LOOK_UP_PATIENCE_S, on_wait=self._heartbeat.beat
        )
        return {position.source: self._restore(position) for position in committed}

    def forget(self, partitions: Iterable[int]) -> None:
        """Close lanes."""
        for partition in partitions:
            self._lanes.close(partition)
            del self.open[partition]

    def check_topic(self) -> None:
        """Check that the source topic is still the same, by what the broker answered since the last call; never waits.

        Raises ``TopicRecreated`` if it is not.
        """
        newest = self._lookup.recent_topic_id(self._source)
        if newest and self._topic_id and newest != self._topic_id:
            raise TopicRecreated(f"{self._source} was deleted and recreated: it is read from its beginning")

    def position(self, partition: int, note: LaneNote | None = None) -> Position:
        """Return what to commit for a lane: its next offset, with its own note or another one."""
        lane = self.open[partition]
        text = (note or lane.note).encode()
        return Position(source=Source(self._source, partition), next_offset=lane.next_offset, note=text)

    def due(self) -> list[int]:
        """Return lanes whose snapshot is due."""
        now_s = self._clock.monotonic_s()
        return [p for p, lane in self.open.items() if lane.snapshot_due_s <= now_s and self.is_changed(p)]

    def is_changed(self, partition: int) -> bool:
        """Return whether a lane has advanced since its last snapshot."""
        lane = self.open[partition]
        return lane.next_offset > lane.snapshot_offset

    def snapshots(self, partitions: Sequence[int]) -> Iterator[Output]:
        """Yield messages with the states of lanes, one lane at a time: together they may be large."""
        for partition in partitions:
            yield from self._snapshot(partition)

    def _snapshot(self, partition: int) -> Iterator[Output]:
        lane = self.open[partition]
        snapshot = LaneSnapshot(
            next_offset=lane.next_offset, state=self._lanes.dump(partition), topic_id=lane.note.topic_id
        )
        for key, value in snapshot.messages(partition, lane.snapshot_parts):
            yield Output(topic=self._config.checkpoint, partition=partition, key=key, value=value)
        lane.snapshot_offset = lane.next_offset
        lane.snapshot_parts = snapshot.parts
        lane.snapshot_bytes = len(snapshot.state)
        lane.snapshot_due_s = self._clock.monotonic_s() + self._pause_s(lane.snapshot_bytes)
        self._metrics.snapshot_bytes.set(lane.snapshot_bytes)

    def _pause_s(self, state_bytes: int) -> float:
        """Return the time between two snapshots of a lane; the larger they are, the longer."""
        longest_s = max(self._snapshot_every_s, _MAX_SNAPSHOT_EVERY_S)
        return min(longest_s, max(self._snapshot_every_s, state_bytes / _SNAPSHOT_BYTES_PER_S))

    def _restore(self, committed: Position) -> int:
        partition, offset = committed.source.partition, committed.next_offset
        note, suspicion = judged(LaneNote.decode(committed.note), self._process)
        if self._is_another(note.topic_id):
            _log.warning(
                "topic_recreated", partition=partition, reason="read from its beginning", ignored_offset=offset
            )
            offset, note, suspicion = None, LaneNote(), None
        note = replace(note, topic_id=self._topic_id or note.topic_id)
        stored = self._reader.newest_snapshot(self._config.checkpoint_topic, partition)
        snapshot = self._usable(partition, stored, offset)
        start = self._open(partition, snapshot)
        end = start if offset is None else max(offset, start)
        replayed = self._replay(partition, start, end, note.quarantined)
        size = 0 if stored is None else len(stored.state)
        # Staggered: twelve snapshots in one transaction would delay its readings.
        due_s = self._clock.monotonic_s() + self._pause_s(size) * (1 + (partition % 12) / 12) / 2
        self.open[partition] = LaneProgress(
            next_offset=end,
            snapshot_offset=start,
            snapshot_due_s=due_s,
            snapshot_bytes=size,
            snapshot_parts=1 if stored is None else stored.parts,
            note=note,
            suspicion=suspicion,
        )
        _log.info("lane_restored", partition=partition, snapshot_offset=start, replayed=replayed, position=end)
        if suspicion is not None:
            _log.warning("lane_is_suspicious", partition=partition, failures=suspicion.failures, until=suspicion.until)
        return end

    def _is_another(self, topic_id: str) -> bool:
        return bool(topic_id and self._topic_id) and topic_id != self._topic_id

    def _usable(self, partition: int, snapshot: LaneSnapshot | None, offset: int | None) -> LaneSnapshot | None:
        if snapshot is None:
            return None
        if self._is_another(snapshot.topic_id):
            _log.warning("snapshot_ignored", partition=partition, reason="it belongs to a topic that was deleted")
            return None
        if offset is not None and snapshot.next_offset > offset:
            _log.warning("snapshot_ignored", partition=partition, reason="the group's offset was reset")
            return None
        return snapshot

    def _open(self, partition: int, snapshot: LaneSnapshot | None) -> int:
        """Open a lane from its snapshot, or empty if that cannot be read; return the first offset to replay."""
        if snapshot is not None:
            try:
                self._lanes.open(partition, snapshot.state)
            except StaleSnapshot as exc:
                _log.warning("snapshot_ignored", partition=partition, reason=str(exc))
            else:
                return snapshot.next_offset
        self._lanes.open(partition, None)
        return self._reader.bounds(self._source, partition)[0]

    def _replay(self, partition: int, start: int, end: int, quarantined: Sequence[int]) -> int:
        replayed = 0
        for records in self._reader.read(self._source, partition, start, end):
            self._lanes.process(_without(records, quarantined), self._heartbeat.beat)
            self._heartbeat.beat()
            replayed += len(records)
        return replayed


def _without(records: Sequence[Record], offsets: Sequence[int]) -> Sequence[Record]:
    return [record for record in records if record.offset not in offsets] if offsets else records
