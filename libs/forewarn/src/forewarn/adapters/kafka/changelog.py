"""The compacted topic that holds a service's states."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from forewarn.adapters.kafka.cluster import TopicMismatchError, look_at_cluster
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of
from forewarn.adapters.retrying import retry
from forewarn.contracts.limits import MIB
from forewarn.contracts.topics import DEFAULT_PARTITIONS

#: Changelogs stay short, so that a restart reads little: one record a key and some minutes of changes.
_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "1800000",
    "max.message.bytes": str(16 * MIB),
}
_LOOK_EVERY_S: Final = 0.1


def ensure_changelog(
    bootstrap_servers: str, topic: str, *, replication_factor: int = -1, timeout_s: float = 30.0
) -> None:
    """Create the topic if it is not there, and wait until the broker reports it.

    Faust would create it too, but joins its group without waiting: the assignment then misses the
    changelog, and the worker sits there without states.

    Raises
    ------
    TopicMismatchError
        If it exists with another number of partitions.
    BrokerUnavailable
        If the broker does not create it in time.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "socket.timeout.ms": int(timeout_s * 1000)})
    try:
        _create(admin, topic, replication_factor, timeout_s)
        found = retry(
            lambda: look_at_cluster(bootstrap_servers, timeout_s).partitions[topic],
            lambda problem: isinstance(problem, KeyError),
            patience_s=timeout_s,
            pause_s=_LOOK_EVERY_S,
        )
    except (KafkaException, BrokerUnavailable, TimeoutError, KeyError) as exc:
        raise BrokerUnavailable(
            f"Kafka at {bootstrap_servers} did not create topic {topic} within {timeout_s:g} s ({exc}): "
            "check that the broker runs and that KAFKA_BOOTSTRAP_SERVERS names it"
        ) from exc
    if found != DEFAULT_PARTITIONS:
        raise TopicMismatchError(
            f"topic {topic} has {found} partitions, the platform needs {DEFAULT_PARTITIONS}: delete the topic"
        )


def _create(admin: AdminClient, topic: str, replication_factor: int, timeout_s: float) -> None:
    wanted = NewTopic(
        topic, num_partitions=DEFAULT_PARTITIONS, replication_factor=replication_factor, config=dict(_CONFIG)
    )
    (future,) = admin.create_topics([wanted], operation_timeout=timeout_s).values()
    try:
        future.result(timeout_s)
    except KafkaException as exc:
        if error_of(exc).code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
