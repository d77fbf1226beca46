"""Creates the platform's topics, checks those that exist and sets them up."""

from collections.abc import Mapping
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

from forewarn.adapters.kafka.cluster import TopicMismatchError, check_topics, look_at_cluster
from forewarn.adapters.kafka.errors import BrokerRefused, BrokerUnavailable, error_of, passes
from forewarn.adapters.retrying import retry
from forewarn.contracts.limits import MIB
from forewarn.contracts.topics import DEFAULT_PARTITIONS, TOPICS, Topic, qualified, size_config

#: Changelogs stay short, so that a restart reads little: one record a key and some minutes of changes.
_CHANGELOG_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "1800000",
    "max.message.bytes": str(16 * MIB),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicReport:
    """What ``create_topics`` found and did, by names on the broker; ``changed`` are settings of existing topics."""

    created: tuple[str, ...]
    existing: tuple[str, ...]
    changed: tuple[str, ...] = ()


def create_topics(
    bootstrap_servers: str,
    prefix: str,
    *,
    timeout_s: float = 30.0,
    replication_factor: int = -1,
    disk_budget_bytes: int | None = None,
) -> TopicReport:
    """Create every topic of the table that does not exist yet, and set up the others as the table says.

    Settings of existing topics that differ from the table's are altered, retention and sizes among them: what the
    broker then no longer keeps is deleted for good. ``TopicReport.changed`` names each with its value before.

    ``replication_factor`` −1 leaves it to the broker's default; without ``disk_budget_bytes`` sizes are not limited.

    Raises
    ------
    TopicMismatchError
        If a topic exists with another partition count: a reading and all that is derived from it must
        stay in one partition number.
    BrokerUnavailable
        If the broker does not answer or is not ready. Trying again is safe: what has been created meanwhile exists.
    BrokerRefused
        If the broker refuses.
    """
    try:
        return _create_topics(bootstrap_servers, prefix, timeout_s, replication_factor, disk_budget_bytes)
    except TimeoutError as exc:
        raise _unavailable(bootstrap_servers, f"no answer within {timeout_s:g} s") from exc
    except KafkaException as exc:
        if passes(exc):
            raise _unavailable(bootstrap_servers, error_of(exc).str()) from exc
        raise BrokerRefused(error_of(exc).str()) from exc


def _unavailable(bootstrap_servers: str, reason: str) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"Kafka at {bootstrap_servers} did not create the topics: {reason}. "
        "Check that the broker runs and that KAFKA_BOOTSTRAP_SERVERS names it, then try again"
    )


def _create_topics(
    bootstrap_servers: str, prefix: str, timeout_s: float, replication_factor: int, budget_bytes: int | None
) -> TopicReport:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "socket.timeout.ms": int(timeout_s * 1000)})
    created, existing = _create(
        admin,
        [_new_topic(topic, prefix, replication_factor, budget_bytes) for topic in TOPICS.values()],
        timeout_s,
    )
    changed: list[str] = []
    if existing:
        cluster = look_at_cluster(bootstrap_servers, timeout_s)
        known = [name for name in TOPICS if qualified(name, prefix) in cluster.partitions]  # others are new
        check_topics(cluster, prefix, known)
        wanted = {
            name: topic.config | size_config(topic, budget_bytes)
            for topic in TOPICS.values()
            if (name := qualified(topic.name, prefix)) in existing
        }
        changed = _alter(admin, wanted, timeout_s)
    return TopicReport(created=tuple(sorted(created)), existing=tuple(sorted(existing)), changed=tuple(changed))


def _create(admin: AdminClient, topics: list[NewTopic], timeout_s: float) -> tuple[list[str], list[str]]:
    """Create topics; returns the names of those that were created and of those that existed."""
    created, existing = [], []
    for name, future in admin.create_topics(topics, operation_timeout=timeout_s).items():
        try:
            future.result(timeout_s)
            created.append(name)
        except KafkaException as exc:
            if error_of(exc).code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            existing.append(name)
    return created, existing


def _alter(admin: AdminClient, wanted: Mapping[str, Mapping[str, str]], timeout_s: float) -> list[str]:
    """Change settings of topics that differ from what is wanted; returns them as text."""
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in wanted])
    changes, lines = [], []
    for resource, future in asked.items():
        present = {key: entry.value for key, entry in future.result(timeout_s).items()}
        different = {key: value for key, value in wanted[resource.name].items() if present.get(key) != value}
        if different:
            settings = ", ".join(f"{key}={value} (was {present.get(key)})" for key, value in sorted(different.items()))
            lines.append(f"{resource.name}: {settings}")
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
        wanted = NewTopic(
            topic,
            num_partitions=DEFAULT_PARTITIONS,
            replication_factor=replication_factor,
            config=dict(_CHANGELOG_CONFIG),
        )
        _create(admin, [wanted], timeout_s)
        found = retry(
            lambda: look_at_cluster(bootstrap_servers, timeout_s).partitions[topic],
            lambda problem: isinstance(problem, KeyError),
            patience_s=timeout_s,
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
