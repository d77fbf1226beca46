"""Checks that the topics a service reads and writes exist as they must, before Faust touches them."""

from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from forewarn.adapters.kafka.admin import TopicMismatchError
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.contracts.topics import TOPICS, TopicName, qualified


class TopicMissingError(Exception):
    """A topic does not exist; Faust would create it with the broker's defaults."""


def check_topics(bootstrap_servers: str, prefix: str, names: Iterable[TopicName], *, timeout_s: float = 30.0) -> None:
    """Make sure topics exist with the right number of partitions.

    Raises
    ------
    TopicMissingError, TopicMismatchError
        With the topic's name and what to do.
    BrokerUnavailable
        If no broker answers.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "socket.timeout.ms": int(timeout_s * 1000)})
    try:
        found = admin.list_topics(timeout=timeout_s).topics
    except KafkaException as exc:
        raise BrokerUnavailable(
            f"no broker answered at KAFKA_BOOTSTRAP_SERVERS={bootstrap_servers} within {timeout_s:g} s: {exc}"
        ) from exc
    for name in names:
        topic = qualified(name, prefix)
        if topic not in found:
            raise TopicMissingError(
                f"topic {topic} does not exist: create the platform's topics first "
                f"(is KAFKA_TOPIC_PREFIX={prefix!r} right?)"
            )
        partitions = len(found[topic].partitions)
        if partitions != TOPICS[name].partitions:
            raise TopicMismatchError(
                f"topic {topic} has {partitions} partitions, the platform needs {TOPICS[name].partitions}: "
                "delete the topic, or choose another KAFKA_TOPIC_PREFIX"
            )
