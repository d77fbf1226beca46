"""The sink's consumer: the group assigns partitions, the database says where reading begins.

A partition is only read after ``read_from``; ``halt`` stops reading without leaving the group. So nothing piles up in
memory while the database is away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from confluent_kafka import KafkaException

from forewarn.adapters.kafka.config import read_ahead
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of, is_fenced
from forewarn.adapters.kafka.membership import GroupMember, Membership
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.ports.lanes import Record
from forewarn.ports.store import Source

_log = structlog.get_logger(__name__)

_ANSWER_S: Final = 5.0
_READING: Final[dict[str, Any]] = {
    "enable.partition.eof": True,
    # A transaction of the database pays for many messages: the broker may gather them.
    "fetch.min.bytes": 256 * 1024,
    "fetch.wait.max.ms": 50,
    # What is fetched ahead of a slow database, over all partitions; larger messages still come, one by one.
    **read_ahead(MAX_TURN_BYTES // 2),
}


class Inbox:
    """Reads the partitions that the group has assigned to us; for one thread."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._offsets = OffsetLookup(membership.bootstrap_servers, f"{membership.client_id}.admin", timeout_s=_ANSWER_S)
        self._assignments = 0
        self._given: dict[Source, int] = {}
        self._read: set[Source] = set()
        self._ends: dict[Source, int] = {}
        self._member = self._join()

    def _join(self) -> GroupMember:
        return GroupMember(
            self._membership,
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
            settings=_READING,
        )

    @property
    def given(self) -> Mapping[Source, int]:
        """Return our partitions; the number changes whenever one of them was away in between."""
        return self._given

    def consume(self, max_messages: int, timeout_s: float) -> list[Record]:
        """Return what is there, or the first messages that come within ``timeout_s``; bounded by bytes as well.

        Raises
        ------
        BrokerUnavailable
            If the broker has fenced this member, which has joined again.
        KafkaException
            If the broker forbids reading.
        """
        with self._rejoining():
            return self._member.poll(max_messages, MAX_TURN_BYTES, timeout_s, self._note_end)

    def read_from(self, positions: Mapping[Source, int]) -> None:
        """Start reading these partitions; raises like ``consume``."""
        with self._rejoining():
            self._member.start(positions)
        self._read.update(positions)

    def halt(self) -> None:
        """Stop reading and drop what was prefetched, but stay in the group."""
        if self._read:
            self._release(self._read)

    def bounds(self, sources: Sequence[Source], timeout_s: float) -> dict[Source, tuple[int, int]]:
        """Return the first retained offset and the one after the last, by partition; raises like ``OffsetLookup``."""
        return self._offsets.bounds(sources, timeout_s=timeout_s)

    def topic_ids(self, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
        """Return the broker's ids of topics, which change when a topic is recreated; raises like ``bounds``."""
        return self._offsets.topic_ids(topics, timeout_s=timeout_s)

    def ends(self, sources: Sequence[Source]) -> dict[Source, int]:
        """Return the offset after the last message, by partition, as our last fetch had it; does not ask the broker."""
        found = {source: self._member.end(source) for source in sources}
        return {source: end for source, end in found.items() if end is not None}

    def past_markers(self, source: Source, position: int) -> int:
        """Return the position, past the transaction marker at the end if nothing else follows."""
        return max(position, self._ends.get(source, 0))

    def commit(self, positions: Mapping[Source, int]) -> None:
        """Commit the position for monitoring only: the database has the truth. Raises like ``consume``."""
        own = {source: offset for source, offset in positions.items() if source in self._read}
        if own:
            with self._rejoining():
                self._member.commit(own)

    def close(self) -> None:
        """Leave the group."""
        self._member.close()
        self._offsets.close()

    @contextmanager
    def _rejoining(self) -> Iterator[None]:
        """Join again when the broker has fenced us: librdkafka gives up a fenced client for good.

        A second process under our name does no harm, as the database lets only one of us write. Usually no such process
        exists: a commit that crosses the broker's restart names the old member and is mistaken for a second one.
        """
        try:
            yield
        except KafkaException as exc:
            if not is_fenced(error_of(exc)):
                raise
            self._given.clear()
            self._read.clear()
            self._ends.clear()
            self._member.close()
            self._member = self._join()
            raise BrokerUnavailable(f"fenced by the broker, joining again: {error_of(exc).str()}") from exc

    def _on_assign(self, sources: Sequence[Source]) -> None:
        self._assignments += 1
        self._given |= dict.fromkeys(sources, self._assignments)
        self._member.start({})  # accepts them; reading begins in read_from
        _log.info("partitions_assigned", partitions=_shown(sources))

    def _on_revoke(self, sources: Sequence[Source]) -> None:
        for source in sources:
            self._given.pop(source, None)
        self._release(self._read.intersection(sources))
        _log.info("partitions_revoked", partitions=_shown(sources))

    def _release(self, sources: Iterable[Source]) -> None:
        leaving = set(sources)
        self._member.stop(leaving)
        self._read -= leaving
        for source in leaving:
            self._ends.pop(source, None)

    def _note_end(self, source: Source, offset: int) -> None:
        self._ends[source] = offset


def _shown(sources: Iterable[Source]) -> str:
    by_topic: dict[str, list[int]] = {}
    for source in sources:
        by_topic.setdefault(source.topic, []).append(source.partition)
    return " ".join(f"{topic}:{','.join(map(str, sorted(own)))}" for topic, own in sorted(by_topic.items()))
