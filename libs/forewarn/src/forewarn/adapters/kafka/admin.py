"""Creates the platform's topics and checks those that exist."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not among what it declares
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of
from forewarn.contracts.topics import TOPICS, Topic, qualified, size_config

#: The broker is not there, or not there yet; everything else is an answer.
_AWAY_CODES: Final = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  # the library's own way to name client-side errors
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001  # as above
        KafkaError._RESOLVE,  # noqa: SLF001  # as above
        KafkaError._TIMED_OUT,  # noqa: SLF001  # as above
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.NOT_CONTROLLER,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicReport:
    """What ``create_topics`` found and did, by names on the broker; ``changed`` are settings of existing topics."""

    created: tuple[str, ...]
    existing: tuple[str, ...]
    changed: tuple[str, ...] = ()


class TopicMismatchError(Exception):
    """A topic exists with another number of partitions than the platform needs."""


def create_topics(
    bootstrap_servers: str,
    prefix: str,
    *,
    timeout_s: float = 30.0,
    replication_factor: int = -1,
    disk_budget_bytes: int | None = None,
) -> TopicReport:
    """Create every topic of the table that does not exist yet, and bring the size limits of the others up to date.

    ``replication_factor`` −1 leaves it to the broker's default; without ``disk_budget_bytes`` sizes are not limited.

    Raises
    ------
    TopicMismatchError
        If a topic exists with another partition count: a reading and all that is derived from it must
        stay in one partition number.
    BrokerUnavailable
        If the broker does not answer or is not ready. Trying again is safe: what has been created meanwhile exists.
    KafkaException
        If the broker refuses.
    """
    try:
        return _create_topics(bootstrap_servers, prefix, timeout_s, replication_factor, disk_budget_bytes)
    except TimeoutError as exc:
        raise _unavailable(bootstrap_servers, f"no answer within {timeout_s:g} s") from exc
    except KafkaException as exc:
        error = error_of(exc)
        if error.code() in _AWAY_CODES:
            raise _unavailable(bootstrap_servers, error.str()) from exc
        raise


def _unavailable(bootstrap_servers: str, reason: str) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"Kafka at {bootstrap_servers} did not create the topics: {reason}. "
        "Check that the broker runs and that KAFKA_BOOTSTRAP_SERVERS names it, then try again"
    )


def _create_topics(
    bootstrap_servers: str, prefix: str, timeout_s: float, replication_factor: int, budget_bytes: int | None
) -> TopicReport:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "socket.timeout.ms": int(timeout_s * 1000)})
    futures = admin.create_topics(
        [_new_topic(topic, prefix, replication_factor, budget_bytes) for topic in TOPICS.values()],
        operation_timeout=timeout_s,
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
    changed: list[str] = []
    if existing:
        _check_partitions(admin, TOPICS.values(), prefix, timeout_s)
        sizes = {
            qualified(topic.name, prefix): size_config(topic, budget_bytes)
            for topic in TOPICS.values()
            if qualified(topic.name, prefix) in existing
        }
        changed = _alter(admin, sizes, timeout_s)
    return TopicReport(created=tuple(sorted(created)), existing=tuple(sorted(existing)), changed=tuple(changed))


def _alter(admin: AdminClient, wanted: Mapping[str, Mapping[str, str]], timeout_s: float) -> list[str]:
    """Change settings of topics that differ from what is wanted; returns them as text."""
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in wanted])
    changes, lines = [], []
    for resource, future in asked.items():
        present = future.result(timeout_s)
        different = {key: value for key, value in wanted[resource.name].items() if present[key].value != value}
        if different:
            lines.append(f"{resource.name}: {', '.join(f'{key}={value}' for key, value in sorted(different.items()))}")
            entries = [ConfigEntry(k, v, incremental_operation=AlterConfigOpType.SET) for k, v in different.items()]
            changes.append(ConfigResource(ResourceType.TOPIC, resource.name, incremental_configs=entries))
    if changes:
        for future in admin.incremental_alter_configs(changes).values():
            future.result(timeout_s)
    return sorted(lines)


def _new_topic(topic: Topic, prefix: str, replication_factor: int, budget_bytes: int | None) -> NewTopic:
    return NewTopic(
        qualified(topic.name, prefix),
        num_partitions=topic.partitions,
        replication_factor=replication_factor,
        config=topic.config | size_config(topic, budget_bytes),
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
