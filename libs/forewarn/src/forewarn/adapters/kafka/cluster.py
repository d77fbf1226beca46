"""What a Kafka cluster is and which topics it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of
from forewarn.contracts.topics import TOPICS, TopicName, qualified


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster by its id, which changes when its data are removed, with the partition count of each topic."""

    cluster_id: str
    partitions: Mapping[str, int]


class TopicMissingError(Exception):
    """A topic does not exist."""


class TopicMismatchError(Exception):
    """A topic exists with another number of partitions than the platform needs."""


def look_at_cluster(bootstrap_servers: str, timeout_s: float, *, is_quiet: bool = False) -> Cluster:
    """Return the cluster that answers at the address, with the topics that are completely created.

    Raises
    ------
    BrokerUnavailable
        If none answers within ``timeout_s``.
    """
    quiet = {"log_level": 0} if is_quiet else {}
    admin = AdminClient(
        {"bootstrap.servers": bootstrap_servers, "socket.timeout.ms": max(10, int(timeout_s * 1000)), **quiet}
    )
    try:
        found = admin.list_topics(timeout=timeout_s)
    except KafkaException as exc:
        raise BrokerUnavailable(
            f"no broker answered at {bootstrap_servers} (KAFKA_BOOTSTRAP_SERVERS) within {timeout_s:g} s: "
            f"{error_of(exc).str()}"
        ) from exc
    if not found.brokers:
        raise BrokerUnavailable(f"no broker answered at {bootstrap_servers} (KAFKA_BOOTSTRAP_SERVERS)")
    return Cluster(
        cluster_id=str(found.cluster_id),
        partitions={name: len(topic.partitions) for name, topic in found.topics.items() if topic.partitions},
    )


def check_topics(cluster: Cluster, prefix: str, names: Iterable[TopicName]) -> None:
    """Check that topics exist with the right number of partitions.

    Raises
    ------
    TopicMissingError, TopicMismatchError
        With the topic's name and what to do.
    """
    for name in names:
        topic, wanted = qualified(name, prefix), TOPICS[name].partitions
        if topic not in cluster.partitions:
            raise TopicMissingError(
                f"topic {topic} does not exist: create the platform's topics first "
                f"(is KAFKA_TOPIC_PREFIX={prefix!r} right?)"
            )
        if cluster.partitions[topic] != wanted:
            raise TopicMismatchError(
                f"topic {topic} has {cluster.partitions[topic]} partitions, the platform needs {wanted}: "
                "delete the topic, or choose another KAFKA_TOPIC_PREFIX"
            )
