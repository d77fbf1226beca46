"""The consumer side: the group says which partitions are ours, the database says where to go on.

A partition that the group has given is only read after ``read_from``; ``halt`` stops reading without
leaving the group. So nothing piles up in memory while the database is away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from forewarn.adapters.kafka.config import consumer_config, read_ahead
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of
from forewarn.adapters.kafka.offsets import Bounds
from forewarn.adapters.kafka.polling import poll_records
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.ports.lanes import Record
from forewarn.ports.store import Source

_log = structlog.get_logger(__name__)

_READING: Final[dict[str, Any]] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.partition.eof": True,
    # A transaction of the database pays for many messages: the broker may gather them.
    "fetch.min.bytes": 256 * 1024,
    "fetch.wait.max.ms": 50,
    # What is fetched ahead of a slow database, over all partitions; larger messages still come, one by one.
    **read_ahead(MAX_TURN_BYTES // 2),
}

_FENCED: Final = frozenset({KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID})  # noqa: SLF001  # the library's name


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxConfig:
    """Where to read; ``instance`` empty: this member has no lasting name in the group."""

    bootstrap_servers: str
    group: str
    instance: str
    topics: Sequence[str]


class Inbox:
    """Messages of the partitions that are ours; one thread."""

    def __init__(self, config: InboxConfig) -> None:
        self._config = config
        self._identity = f"{config.group}.{config.instance}" if config.instance else config.group
        self._bounds = Bounds(config.bootstrap_servers, f"{self._identity}.admin")
        self._assignments = 0
        self._given: dict[Source, int] = {}
        self._read: set[Source] = set()
        self._ends: dict[Source, int] = {}
        self._consumer = self._join()

    def _join(self) -> Consumer:
        config = self._config
        static: dict[str, Any] = {"group.instance.id": self._identity} if config.instance else {}
        consumer = Consumer(
            consumer_config(
                config.bootstrap_servers,
                group_id=config.group,
                client_id=self._identity,
                **static,
                **_READING,
            )
        )
        consumer.subscribe(
            list(config.topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        return consumer

    @property
    def given(self) -> Mapping[Source, int]:
        """Partitions that are ours; the number changes whenever a partition was away in between."""
        return self._given

    def consume(self, max_messages: int, timeout_s: float) -> list[Record]:
        """Next messages: those that are there, or the first that come within ``timeout_s``; bounded by bytes as well.

        Raises
        ------
        BrokerUnavailable
            If the broker has fenced this member, which has joined anew.
        KafkaException
            If the broker forbids reading.
        """
        with self._member():
            return poll_records(
                self._consumer,
                max_messages=max_messages,
                max_bytes=MAX_TURN_BYTES,
                timeout_s=timeout_s,
                on_end=self._note_end,
            )

    def read_from(self, positions: Mapping[Source, int]) -> None:
        """Start reading these partitions; raises like ``consume``."""
        with self._member():
            self._consumer.incremental_assign([TopicPartition(s.topic, s.partition, o) for s, o in positions.items()])
        self._read.update(positions)

    def halt(self) -> None:
        """Stop reading, drop what was fetched ahead, stay in the group."""
        if self._read:
            self._release(self._read)

    def bounds(self, sources: Sequence[Source], timeout_s: float) -> dict[Source, tuple[int, int]]:
        """First retained offset and the one after the last, by partition.

        Raises
        ------
        BrokerUnavailable
            If the broker does not answer.
        """
        return self._bounds.of(sources, timeout_s)

    def topic_ids(self, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
        """The broker's ids of topics, which stand for a topic and not for its name; raises like ``bounds``."""
        return self._bounds.topic_ids(topics, timeout_s)

    def ends(self, sources: Sequence[Source]) -> dict[Source, int]:
        """Offset after the last message, by partition, as the last answers to our reading told it; asks nobody."""
        places = {source: TopicPartition(source.topic, source.partition) for source in sources}
        found = {
            source: self._consumer.get_watermark_offsets(place, cached=True)[1] for source, place in places.items()
        }
        return {source: end for source, end in found.items() if end >= 0}

    def past_markers(self, source: Source, position: int) -> int:
        """A position with all messages before it read; past the transaction marker at the end, if that is all."""
        return max(position, self._ends.get(source, 0))

    def commit(self, positions: Mapping[Source, int]) -> None:
        """Tell the group how far we are; raises like ``consume``.

        Only for those who watch: the truth is in the database.
        """
        offsets = [TopicPartition(s.topic, s.partition, o) for s, o in positions.items() if s in self._read]
        if offsets:
            with self._member():
                self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    @contextmanager
    def _member(self) -> Iterator[None]:
        """Join anew when the broker has fenced us: librdkafka gives a fenced client up for good.

        Who else bears our name does no harm, as the database lets only one of us write. Mostly nobody does: an
        offset commit that crosses the broker's restart names the member of before, and is taken for a second one.
        """
        try:
            yield
        except KafkaException as exc:
            if error_of(exc).code() not in _FENCED:
                raise
            self._given.clear()
            self._read.clear()
            self._ends.clear()
            self._consumer.close()
            self._consumer = self._join()
            raise BrokerUnavailable(f"fenced by the broker, joining anew: {error_of(exc).str()}") from exc

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assignments += 1
        self._given |= {Source(p.topic, p.partition): self._assignments for p in partitions}
        consumer.incremental_assign([])  # accepts them; reading begins in read_from
        _log.info("partitions_assigned", partitions=_shown(partitions))

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = [Source(p.topic, p.partition) for p in partitions]
        for source in gone:
            self._given.pop(source, None)
        self._release(self._read.intersection(gone))
        _log.info("partitions_revoked", partitions=_shown(partitions))

    def _release(self, sources: Iterable[Source]) -> None:
        leaving = set(sources)
        # In a callback also for none: else the library takes away what is not assigned, and ends consume with an error.
        self._consumer.incremental_unassign([TopicPartition(s.topic, s.partition) for s in leaving])
        self._read -= leaving
        for source in leaving:
            self._ends.pop(source, None)

    def _note_end(self, end: Message) -> None:
        self._ends[Source(end.topic() or "", end.partition() or 0)] = end.offset() or 0


def _shown(partitions: Iterable[TopicPartition]) -> str:
    by_topic: dict[str, list[int]] = {}
    for place in partitions:
        by_topic.setdefault(place.topic, []).append(place.partition)
    return " ".join(f"{topic}:{','.join(map(str, sorted(own)))}" for topic, own in sorted(by_topic.items()))
