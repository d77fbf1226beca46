"""A member of a consumer group: the group assigns partitions, the owner chooses where reading begins."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.errors import passes
from forewarn.adapters.kafka.offsets import checked
from forewarn.adapters.kafka.records import poll_batch, record_of, records_of
from forewarn.adapters.retrying import retry
from forewarn.ports.lanes import Record
from forewarn.ports.store import Source

#: A question to a coordinator that has just restarted may never be answered; the next one is.
_ONE_ANSWER_S: Final = 10.0

_log = structlog.get_logger(__name__)

#: Called with the partitions concerned, from within ``consume``, ``poll`` and ``close``.
OnPartitions = Callable[[Sequence[Source]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The group's position in a partition, with the note beside the offset; None: never committed."""

    source: Source
    next_offset: int | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What to read in which group.

    The group knows a static member by its ``client_id``: restarted under that name it gets its partitions back at once,
    and a second process under the same name is fenced.
    """

    bootstrap_servers: str
    group: str
    client_id: str
    is_static: bool
    topics: Sequence[str]


class GroupMember:
    """Reads the partitions that the group has assigned to it; for one thread.

    Nothing of a new partition is read before ``start``, which ``on_assign`` may call; ``on_revoke`` is called before
    the partitions go to another member, ``on_lost`` after they have. Both must end with ``stop``. Methods raise
    ``KafkaException`` for an error that ends the process.
    """

    def __init__(
        self,
        membership: Membership,
        *,
        on_assign: OnPartitions,
        on_revoke: OnPartitions,
        on_lost: OnPartitions,
        settings: Mapping[str, Any],
    ) -> None:
        static = {"group.instance.id": membership.client_id} if membership.is_static else {}
        self._consumer = Consumer(
            consumer_config(
                membership.bootstrap_servers,
                group_id=membership.group,
                client_id=membership.client_id,
                **{"partition.assignment.strategy": "cooperative-sticky", **static, **settings},
            )
        )
        self._consumer.subscribe(
            list(membership.topics),
            on_assign=lambda _, places: on_assign(_sources(places)),
            on_revoke=lambda _, places: on_revoke(_sources(places)),
            on_lost=lambda _, places: on_lost(_sources(places)),
        )

    @property
    def given(self) -> list[Source]:
        """Return the assigned partitions that are read."""
        return _sources(self._consumer.assignment())

    @property
    def metadata(self) -> Any:  # noqa: ANN401  # opaque: the library does not export its type
        """Return what a transaction needs to commit offsets of the group."""
        return self._consumer.consumer_group_metadata()

    def start(self, positions: Mapping[Source, int]) -> None:
        """Read partitions from these offsets; without any, only accept the assignment."""
        self._consumer.incremental_assign([_place(source, offset) for source, offset in positions.items()])

    def stop(self, sources: Iterable[Source]) -> None:
        """Stop reading partitions and drop what was prefetched.

        Call it in ``on_revoke`` even without partitions: else the library takes away what is not assigned, and fails.
        """
        self._consumer.incremental_unassign([_place(source) for source in sources])

    def seek(self, positions: Mapping[Source, int]) -> None:
        """Continue at other offsets."""
        for source, offset in positions.items():
            self._consumer.seek(_place(source, offset))

    def consume(self, max_messages: int, timeout_s: float) -> list[Record]:
        """Return everything that comes within the time, however large."""
        return records_of(self._consumer.consume(max_messages, timeout=timeout_s))

    def poll(
        self, max_messages: int, max_bytes: int, timeout_s: float, on_end: Callable[[Source, int], None]
    ) -> list[Record]:
        """Return what is there, or the first that comes within ``timeout_s``; bounded by bytes as well.

        ``on_end`` is called with the offset at which a partition's end was reached, if the settings ask for that.
        """

        def note_end(end: Message) -> None:
            on_end(Source(end.topic() or "", end.partition() or 0), end.offset() or 0)

        return poll_batch(
            self._consumer,
            record_of,
            max_messages=max_messages,
            max_bytes=max_bytes,
            timeout_s=timeout_s,
            on_end=note_end,
        )

    def committed(self, sources: Iterable[Source], *, patience_s: float, on_wait: Callable[[], None]) -> list[Position]:
        """Return what the group has committed; see ``committed_positions``."""
        return committed_positions(self._consumer, sources, patience_s=patience_s, on_wait=on_wait)

    def commit(self, positions: Mapping[Source, int]) -> None:
        """Commit offsets without waiting for the broker."""
        places = [_place(source, offset) for source, offset in positions.items()]
        self._consumer.commit(offsets=places, asynchronous=True)

    def end(self, source: Source) -> int | None:
        """Return the offset after the last message as the last fetch had it; does not ask the broker."""
        _, high = self._consumer.get_watermark_offsets(_place(source), cached=True)
        return high if high >= 0 else None

    def close(self) -> None:
        """Leave the group, after ``on_revoke``; a static member only disconnects."""
        self._consumer.close()


def committed_positions(
    consumer: Consumer, sources: Iterable[Source], *, patience_s: float, on_wait: Callable[[], None] = lambda: None
) -> list[Position]:
    """Return what a consumer's group has committed; waits up to ``patience_s`` for its coordinator.

    ``on_wait`` is called between two attempts. An error of one partition counts as one of all: taken for "never
    committed" it would have the partition read from its beginning.
    """
    places = [_place(source) for source in sources]
    if not places:
        return []

    def wait(problem: BaseException) -> None:
        _log.warning("waiting_for_coordinator", reason=str(problem))
        on_wait()

    found = retry(
        lambda: checked(consumer.committed(places, timeout=min(patience_s, _ONE_ANSWER_S))),
        passes,
        patience_s=patience_s,
        on_wait=wait,
    )
    return [
        Position(
            source=Source(place.topic, place.partition),
            next_offset=place.offset if place.offset >= 0 else None,
            note=place.metadata or "",
        )
        for place in found
    ]


def _place(source: Source, offset: int | None = None) -> TopicPartition:
    place = TopicPartition(source.topic, source.partition)
    if offset is not None:
        place.offset = offset
    return place


def _sources(places: Iterable[TopicPartition]) -> list[Source]:
    return [Source(place.topic, place.partition) for place in places]
