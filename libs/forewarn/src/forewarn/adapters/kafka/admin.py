"""Creates the platform's topics and checks those that exist."""

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from forewarn.adapters.kafka.errors import error_of
from forewarn.contracts.topics import TOPICS, Topic, qualified


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicReport:
    """What ``create_topics`` found and did; names are those on the broker."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


class TopicMismatchError(Exception):
    """A topic exists with another number of partitions than the platform needs."""


def create_topics(
    bootstrap_servers: str, prefix: str, *, timeout_s: float = 30.0, replication_factor: int = -1
) -> TopicReport:
    """Create every topic of the table that does not exist yet.

    ``replication_factor`` −1 leaves it to the broker's default.

    Raises
    ------
    TopicMismatchError
        If a topic exists with another partition count: a reading and all that is derived from it must
        stay in one partition number.
    KafkaException
        If the broker refuses or does not answer.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "socket.timeout.ms": int(timeout_s * 1000)})
    futures = admin.create_topics(
        [_new_topic(topic, prefix, replication_factor) for topic in TOPICS.values()], operation_timeout=timeout_s
    )
    created, existing = [], []
    for name, future in futures.items():
        try:
            future.result(timeout_s)
            created.append(name)
        except KafkaException as exc:
            if error_of(exc).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            existing.append(name)
    if existing:
        _check_partitions(admin, TOPICS.values(), prefix, timeout_s)
    return TopicReport(created=tuple(sorted(created)), existing=tuple(sorted(existing)))


def _new_topic(topic: Topic, prefix: str, replication_factor: int) -> NewTopic:
    return NewTopic(
        qualified(topic.name, prefix),
        num_partitions=topic.partitions,
        replication_factor=replication_factor,
        config=topic.config,
    )


def _check_partitions(admin: AdminClient, topics: Iterable[Topic], prefix: str, timeout_s: float) -> None:
    found = admin.list_topics(timeout=timeout_s).topics
    for topic in topics:
        name = qualified(topic.name, prefix)
        if name in found and len(found[name].partitions) != topic.partitions:
            raise TopicMismatchError(
                f"topic {name} has {len(found[name].partitions)} partitions, the platform needs {topic.partitions}: "
                "delete the topic, or choose another KAFKA_TOPIC_PREFIX"
            )
