"""The partitions this sink may write: claims, positions, and which messages to take one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.inbox import Inbox
from forewarn.ports.lanes import Record
from forewarn.ports.store import PartitionClaim, Source, Store
from forewarn_sink.metrics import SinkMetrics

_log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 5.0
#: Messages taken one by one after a process died over them; the culprit is usually among the first few.
_CAUTIOUS_MESSAGES: Final = 1_000


@dataclass(slots=True)
class ClaimedLane:
    """A partition this sink may write: its claim, its assignment, and the next expected message.

    ``cautious`` messages are taken one by one; the first of them has killed a process ``attempts`` times.
    """

    claim: PartitionClaim
    assignment: int
    topic_id: str | None
    position: int
    cautious: int = 0
    attempts: int = 0


class ClaimedLanes:
    """All lanes of a process."""

    def __init__(self, inbox: Inbox, store: Store, metrics: SinkMetrics) -> None:
        self._inbox = inbox
        self._store = store
        self._metrics = metrics
        self._lanes: dict[Source, ClaimedLane] = {}
        self._doubts: dict[Source, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._lanes)

    def __contains__(self, source: Source) -> bool:
        return source in self._lanes

    def __getitem__(self, source: Source) -> ClaimedLane:
        return self._lanes[source]

    @property
    def claims(self) -> dict[Source, PartitionClaim]:
        """Return the claims held."""
        return {source: lane.claim for source, lane in self._lanes.items()}

    def claim(self) -> dict[Source, int]:
        """Claim newly assigned partitions and return the position of each."""
        wanted = sorted(source for source in self._inbox.given if source not in self._lanes)
        if not wanted:
            return {}
        assignments = {source: self._inbox.given[source] for source in wanted}
        ids = self._inbox.topic_ids(sorted({source.topic for source in wanted}), _PATIENCE_S)
        claims = self._store.claim(wanted)
        bounds = self._inbox.bounds(wanted, _PATIENCE_S)
        claimed: dict[Source, ClaimedLane] = {}
        for source, claim in claims.items():
            topic_id = ids.get(source.topic)
            position = self._position(claim, topic_id, *bounds[source])
            claimed[source] = ClaimedLane(claim, assignments[source], topic_id, position)
            if claim.stalls or claim.attempts or source in self._doubts:
                _log.warning("cautious", partition=_place(source), stalls=claim.stalls, attempts=claim.attempts)
                claimed[source].cautious = _CAUTIOUS_MESSAGES
                claimed[source].attempts = claim.attempts
        nameless = {c: ids[s.topic] for s, c in claims.items() if c.topic_id is None and s.topic in ids}
        if nameless:
            self._store.identify(nameless)
        self._lanes |= claimed
        positions = {source: lane.position for source, lane in claimed.items()}
        self._inbox.read_from(positions)
        return positions

    def take(self, record: Record) -> bool:
        """Return whether a record is new and of a claimed partition; moves the lane's position past it.

        Raises ``BrokerUnavailable`` if the partition went back: its topic may have been recreated, which claiming again
        finds out.
        """
        source = Source(record.topic, record.partition)
        lane = self._lanes.get(source)
        if lane is None:
            return False
        if record.offset < lane.position:
            raise BrokerUnavailable(f"{_place(source)} went back from offset {lane.position} to {record.offset}")
        lane.position = record.offset + 1
        return True

    def recreated(self, timeout_s: float) -> list[str]:
        """Return the topics that were recreated since they were claimed."""
        if not self._lanes:
            return []
        ids = self._inbox.topic_ids(sorted({source.topic for source in self._lanes}), timeout_s)
        changed = (
            source.topic
            for source, lane in self._lanes.items()
            if lane.topic_id is not None and ids.get(source.topic, lane.topic_id) != lane.topic_id
        )
        return sorted(set(changed))

    def doubt(self, source: Source, offset: int) -> int:
        """Count a failed write of one message while the database is healthy; return the count."""
        known, count = self._doubts.get(source, (offset, 0))
        count = count + 1 if known == offset else 1
        self._doubts[source] = (offset, count)
        return count

    def settle(self, sources: Iterable[Source]) -> None:
        """Note that some of these messages were stored."""
        for source in sources:
            self._doubts.pop(source, None)

    def forget_lost(self) -> set[Source]:
        """Drop lanes that the group revoked, even if it has reassigned them since; return them."""
        given = self._inbox.given
        lost = {source: lane for source, lane in self._lanes.items() if given.get(source) != lane.assignment}
        for source in lost:
            del self._lanes[source]
        if lost:
            self._store.release([lane.claim for lane in lost.values()])
        return set(lost)

    def release(self) -> None:
        """Release all claims."""
        claims = list(self.claims.values())
        self._lanes.clear()
        self._store.release(claims)

    def clear(self) -> None:
        """Drop all lanes, to claim them again."""
        self._lanes.clear()

    def _position(self, claim: PartitionClaim, topic_id: str | None, first: int, end: int) -> int:
        """Return the offset to continue from, given what the broker still has."""
        stored, place = claim.next_offset, _place(claim.source)
        if stored is None:
            return first
        if stored > end or (claim.topic_id is not None and topic_id is not None and topic_id != claim.topic_id):
            _log.warning("topic_recreated", partition=place, stored=stored, end=end, reading_from=first)
            self._metrics.recreated.labels(topic=claim.source.topic).inc()
            self._store.rewind(claim, first, topic_id)
            return first
        if stored < first:
            _log.error("messages_lost", partition=place, count=first - stored, reason="retention was faster than we")
            return first
        return stored


def _place(source: Source) -> str:
    return f"{source.topic}/{source.partition}"
