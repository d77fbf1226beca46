"""Where the broker's partitions begin and end."""

from collections.abc import Sequence

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not among what it declares

from forewarn.adapters.kafka.acquaintance import get_acquainted
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of, is_fatal
from forewarn.ports.store import Source


class Bounds:
    """Asks the broker for first and last offsets."""

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

    def _offsets(self, sources: Sequence[Source], spec: OffsetSpec, timeout_s: float) -> dict[Source, int]:
        places = {TopicPartition(s.topic, s.partition): spec for s in sources}
        try:
            admin = self._acquainted(timeout_s)
            futures = admin.list_offsets(
                places, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=timeout_s
            )
            offsets = {Source(p.topic, p.partition): f.result(timeout_s).offset for p, f in futures.items()}
        except KafkaException as exc:
            if is_fatal(error_of(exc)):
                raise
            raise BrokerUnavailable(f"offsets could not be read: {error_of(exc).str()}") from exc
        except TimeoutError as exc:
            raise BrokerUnavailable(f"no offsets within {timeout_s} s: is the broker up?") from exc
        self._admin = admin
        return offsets

    def _acquainted(self, timeout_s: float) -> AdminClient:
        """Kept only while it answers: one that lived through a broker's restart asks with the old epoch for good."""
        admin, self._admin = self._admin, None
        if admin is None:
            admin = AdminClient({"bootstrap.servers": self._bootstrap_servers, "client.id": self._client_id})
            get_acquainted(admin, timeout_s)
        return admin
