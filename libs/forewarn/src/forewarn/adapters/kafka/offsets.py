"""Which topics the broker has, and where their partitions begin and end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition, Uuid
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not among what it declares

from forewarn.adapters.kafka.acquaintance import get_acquainted
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of, is_fatal
from forewarn.ports.store import Source

_NO_ID: Final = str(Uuid(0, 0))


class Bounds:
    """Asks the broker for the ids of topics, and for first and last offsets."""

    def __init__(self, bootstrap_servers: str, client_id: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._client_id = client_id
        self._admin: AdminClient | None = None

    def of(self, sources: Sequence[Source], timeout_s: float) -> dict[Source, tuple[int, int]]:
        """First retained offset and the one after the last, by partition.

        Raises
        ------
        BrokerUnavailable
            If the broker does not answer.
        """
        first = self._offsets(sources, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        last = self._offsets(sources, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return {source: (first[source], last[source]) for source in sources}

    def topic_ids(self, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
        """Ids of topics; a topic that is deleted and created again has another. Old brokers have none.

        Raises
        ------
        BrokerUnavailable
            If the broker does not answer.
        """
        with self._asking("topics", timeout_s) as admin:
            futures = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
            ids = {topic: str(future.result(timeout_s).topic_id) for topic, future in futures.items()}
        return {topic: topic_id for topic, topic_id in ids.items() if topic_id != _NO_ID}

    def _offsets(self, sources: Sequence[Source], spec: OffsetSpec, timeout_s: float) -> dict[Source, int]:
        places = {TopicPartition(s.topic, s.partition): spec for s in sources}
        with self._asking("offsets", timeout_s) as admin:
            futures = admin.list_offsets(
                places, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=timeout_s
            )
            return {Source(p.topic, p.partition): f.result(timeout_s).offset for p, f in futures.items()}

    @contextmanager
    def _asking(self, what: str, timeout_s: float) -> Iterator[AdminClient]:
        try:
            admin = self._acquainted(timeout_s)
            yield admin
        except KafkaException as exc:
            if is_fatal(error_of(exc)):
                raise
            raise BrokerUnavailable(f"{what} could not be read: {error_of(exc).str()}") from exc
        except TimeoutError as exc:
            raise BrokerUnavailable(f"no {what} within {timeout_s} s: is the broker up?") from exc
        self._admin = admin

    def _acquainted(self, timeout_s: float) -> AdminClient:
        """Kept only while it answers: one that lived through a broker's restart asks with the old epoch for good."""
        admin, self._admin = self._admin, None
        if admin is None:
            admin = AdminClient({"bootstrap.servers": self._bootstrap_servers, "client.id": self._client_id})
            get_acquainted(admin, timeout_s)
        return admin
