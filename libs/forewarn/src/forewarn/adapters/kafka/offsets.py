"""The one look-up of offsets, topic ids and committed positions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog
from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicCollection, TopicPartition, Uuid
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not among what it declares
    AdminClient,
    ListOffsetsResultInfo,
    OffsetSpec,
)

from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of, is_fatal, is_partition_end
from forewarn.adapters.retrying import retry
from forewarn.ports.store import Source

if TYPE_CHECKING:
    from concurrent.futures import Future

_log = structlog.get_logger(__name__)

_NO_ID: Final = str(Uuid(0, 0))  # the broker is too old to have ids


def wait_for_metadata(client: Consumer | AdminClient, timeout_s: float) -> None:
    """Wait until a new client knows the cluster; call it before asking for offsets.

    An offset request that comes while librdkafka 2.16 is still connecting is sometimes put aside: of 40 new consumers
    up to 4 waited 0.7 s for the answer, of 40 admin clients up to 14 waited 3 s.

    Raises
    ------
    KafkaException
        If no broker answers in time.
    """
    client.list_topics(timeout=timeout_s)


def checked(places: Iterable[TopicPartition]) -> list[TopicPartition]:
    """Return the answers for partitions if all are good: the client does not raise the error of a single one.

    Raises
    ------
    KafkaException
        With the first error.
    """
    found = list(places)
    for place in found:
        if place.error is not None:
            raise KafkaException(place.error)
    return found


class OffsetLookup:
    """Asks the broker for offsets and ids, outside any group.

    Every method blocks up to ``timeout_s`` per request. Clients are kept only while they answer: one that lived through
    a broker's restart may use the old epoch for good. Committed offsets are read by a consumer that never joins: the
    admin client's request crashes the process (confluent-kafka 2.16.1) while the group's coordinator is away.

    Every method raises ``BrokerUnavailable`` if the broker does not answer, and ``KafkaException`` for an error that
    ends the process.
    """

    def __init__(self, bootstrap_servers: str, client_id: str, *, timeout_s: float, is_quiet: bool = False) -> None:
        self._settings: dict[str, Any] = {"log_level": 0} if is_quiet else {}
        self._servers = bootstrap_servers
        self._client_id = client_id
        self._timeout_s = timeout_s
        self._admin: AdminClient | None = None
        self._asked: Future[Any] | None = None
        self._groups: dict[str, Consumer] = {}

    def close(self) -> None:
        """Release the connections; the next request reconnects."""
        self._admin = self._asked = None
        while self._groups:
            self._groups.popitem()[1].close()

    def bounds(
        self, sources: Sequence[Source], *, committed_only: bool = False, timeout_s: float | None = None
    ) -> dict[Source, tuple[int, int]]:
        """Return the first retained offset and the one after the last (committed) message, by partition."""
        isolation = IsolationLevel.READ_COMMITTED if committed_only else IsolationLevel.READ_UNCOMMITTED
        first = self._listed(sources, OffsetSpec.earliest(), isolation, timeout_s)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        last = self._listed(sources, OffsetSpec.latest(), isolation, timeout_s)  # type: ignore[no-untyped-call]  # as above
        return {source: (first[source].offset, last[source].offset) for source in sources}

    def newest_ms(self, sources: Sequence[Source]) -> int | None:
        """Return the broker's time stamp of the newest message [ms since 1970 UTC]; None if there is no message."""
        found = self._listed(sources, OffsetSpec.max_timestamp(), IsolationLevel.READ_COMMITTED)  # type: ignore[no-untyped-call]  # as above
        newest = max(one.timestamp for one in found.values())
        return newest if newest > 0 else None

    def committed(self, group: str, sources: Sequence[Source]) -> dict[Source, int]:
        """Return the next offset of a group, by partition; partitions it never committed are left out."""
        with self._asking(f"offsets of group {group}"):
            if group not in self._groups:
                self._groups[group] = self._consumer(group)
            places = [TopicPartition(source.topic, source.partition) for source in sources]
            found = checked(self._groups[group].committed(places, timeout=self._timeout_s))
        return {Source(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

    def written_ms(self, source: Source, offset: int) -> int | None:
        """Return when the first message from ``offset`` on was written; None if only transaction markers follow."""
        with self._asking(f"{source.topic}/{source.partition}"):
            # A group in name only: partitions are assigned by hand and nothing is committed.
            consumer = self._consumer(self._client_id, {"enable.partition.eof": True})
            try:
                consumer.assign([TopicPartition(source.topic, source.partition, offset)])
                message = consumer.poll(self._timeout_s)
                if message is None:
                    raise TimeoutError
                if is_partition_end(message):
                    return None
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                return int(message.timestamp()[1])
            finally:
                consumer.close()

    def topic_ids(self, topics: Sequence[str], *, timeout_s: float | None = None) -> dict[str, str]:
        """Return the ids of topics; a recreated topic has a new one, and old brokers have none."""
        timeout_s = timeout_s or self._timeout_s
        with self._asking("topics", timeout_s):
            asked = self._connected(timeout_s).describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
            ids = {topic: str(future.result(timeout_s).topic_id) for topic, future in asked.items()}
        return {topic: topic_id for topic, topic_id in ids.items() if topic_id != _NO_ID}

    def topic_id(self, topic: str, *, patience_s: float = 0.0, on_wait: Callable[[], None] = lambda: None) -> str:
        """Return the id of a topic; empty if unknown, which counts as unchanged. Never raises.

        ``on_wait`` is called after each attempt that failed, until ``patience_s`` is over.
        """
        try:
            ids = retry(
                lambda: self.topic_ids([topic]),
                lambda problem: isinstance(problem, BrokerUnavailable),
                patience_s=patience_s,
                on_wait=lambda _: on_wait(),
            )
        except (BrokerUnavailable, KafkaException) as exc:
            _log.warning("topic_id_unknown", topic=topic, reason=str(exc))
            return ""
        return ids.get(topic, "")

    def recent_topic_id(self, topic: str) -> str:
        """Return the id that the previous call asked for, and ask again; empty if unknown. Never waits or raises."""
        found, asked = "", self._asked
        if asked is not None and asked.done():
            if asked.exception() is None:
                found = str(asked.result().topic_id)
            else:
                self.close()
            asked = None
        if asked is None:
            if self._admin is None:
                self._admin = self._new_admin()
            topics = TopicCollection([topic])
            self._asked = self._admin.describe_topics(topics, request_timeout=self._timeout_s)[topic]
        return "" if found == _NO_ID else found

    def _consumer(self, group: str, settings: Mapping[str, Any] | None = None) -> Consumer:
        config = consumer_config(self._servers, group_id=group, client_id=self._client_id)
        return Consumer(config | self._settings | dict(settings or {}))

    def _listed(
        self, sources: Sequence[Source], spec: OffsetSpec, isolation: IsolationLevel, timeout_s: float | None = None
    ) -> dict[Source, ListOffsetsResultInfo]:
        timeout_s = timeout_s or self._timeout_s
        with self._asking("offsets", timeout_s):
            asked = self._connected(timeout_s).list_offsets(
                {TopicPartition(source.topic, source.partition): spec for source in sources},
                isolation_level=isolation,
                request_timeout=timeout_s,
            )
            return {Source(place.topic, place.partition): future.result(timeout_s) for place, future in asked.items()}

    @contextmanager
    def _asking(self, what: str, timeout_s: float | None = None) -> Iterator[None]:
        is_answered = False
        try:
            yield
            is_answered = True
        except KafkaException as exc:
            if is_fatal(error_of(exc)):
                raise
            raise BrokerUnavailable(f"{what} could not be read: {error_of(exc).str()}") from exc
        except TimeoutError as exc:
            waited_s = timeout_s or self._timeout_s
            raise BrokerUnavailable(f"no answer about {what} within {waited_s:g} s: is the broker up?") from exc
        finally:
            if not is_answered:
                self.close()

    def _connected(self, timeout_s: float) -> AdminClient:
        if self._admin is None:
            admin = self._new_admin()
            wait_for_metadata(admin, timeout_s)
            self._admin = admin
        return self._admin

    def _new_admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._servers, "client.id": self._client_id, **self._settings})
