"""Provisioning against a real broker and database, and when one of them is missing."""

import os
import socket
import subprocess
import sys

import psycopg
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from forewarn.contracts.topics import TOPICS, TopicName, qualified, size_config
from support.stack import SERVICE_ENV

pytestmark = pytest.mark.integration


def _provision(**environment):
    return subprocess.run(
        [sys.executable, "-m", "forewarn.runtime.provision"],
        env={**os.environ, **SERVICE_ENV, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _set(admin, resource, values):
    """Change settings of a topic by hand."""
    entries = [ConfigEntry(k, v, incremental_operation=AlterConfigOpType.SET) for k, v in values.items()]
    change = ConfigResource(ResourceType.TOPIC, resource.name, incremental_configs=entries)
    (done,) = admin.incremental_alter_configs([change]).values()
    done.result(10)


@pytest.fixture
def closed_port():
    """A port that was free a moment ago; nobody listens there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_topics_and_tables_are_made_once(kafka_broker, database_url, topic_prefix):
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "DATABASE_URL": database_url,
    }
    first = _provision(**environment)
    assert first.returncode == 0, first.stderr
    assert "database: " in first.stdout
    assert "PostgreSQL" in first.stdout

    metadata = AdminClient({"bootstrap.servers": kafka_broker.bootstrap_servers}).list_topics(timeout=10).topics
    for topic in TOPICS.values():
        assert len(metadata[qualified(topic.name, topic_prefix)].partitions) == topic.partitions
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM readings_centrifugal_pump").fetchone() == (0,)

    again = _provision(**environment)
    assert again.returncode == 0, again.stderr
    assert f"nothing to create; {len(TOPICS)} were there already" in again.stdout
    assert "0 changes" in again.stdout
    assert "changed" not in again.stdout

    smaller = _provision(**environment, KAFKA_DISK_BUDGET_GB="3")
    assert f"changed {topic_prefix}readings.raw: retention.bytes=" in smaller.stdout
    raw = ConfigResource(ResourceType.TOPIC, f"{topic_prefix}readings.raw")
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap_servers})
    (found,) = admin.describe_configs([raw]).values()
    wanted = size_config(TOPICS[TopicName.READINGS_RAW], 3_000_000_000)
    assert {key: found.result(10)[key].value for key in wanted} == wanted

    _set(admin, raw, {"retention.ms": "3600000", "message.timestamp.type": "CreateTime", "flush.messages": "7"})
    restored = _provision(**environment, KAFKA_DISK_BUDGET_GB="3")
    assert restored.returncode == 0, restored.stderr
    changes = [line for line in restored.stdout.splitlines() if "changed" in line]
    assert changes == [
        f"provision: topics:   changed {topic_prefix}readings.raw: message.timestamp.type=LogAppendTime "
        "(was CreateTime), retention.ms=604800000 (was 3600000)"
    ]
    (found,) = admin.describe_configs([raw]).values()
    assert found.result(10)["retention.ms"].value == "604800000"
    assert found.result(10)["flush.messages"].value == "7", "what the table says nothing about stays"


def test_a_broker_that_does_not_come_ends_it_with_the_reason(closed_port):
    run = _provision(
        KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{closed_port}",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        PROVISION_TIMEOUT_S="1",
    )
    assert run.returncode == 1
    assert "waiting for Kafka" in run.stdout
    assert "KAFKA_BOOTSTRAP_SERVERS" in run.stderr
    assert "Connection refused" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_database_that_does_not_come_ends_it_with_the_reason(kafka_broker, topic_prefix, closed_port):
    run = _provision(
        KAFKA_BOOTSTRAP_SERVERS=kafka_broker.bootstrap_servers,
        KAFKA_TOPIC_PREFIX=topic_prefix,
        DATABASE_URL=f"postgresql://nobody:hidden@127.0.0.1:{closed_port}/none",
        PROVISION_TIMEOUT_S="1",
    )
    assert run.returncode == 1
    assert "DATABASE_URL" in run.stderr
    assert "hidden" not in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}, "DATABASE_URL"),
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "k:9092", "DATABASE_URL": "postgresql://x", "KAFKA_DISK_BUDGET_GB": "0.5"},
            "KAFKA_DISK_BUDGET_GB",
        ),
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
    ],
)
def test_wrong_settings_are_named_and_nothing_is_tried(environment, complaint):
    run = _provision(**environment)
    assert run.returncode == 2
    assert complaint in run.stderr


def test_servers_without_a_port_are_refused():
    run = _provision(KAFKA_BOOTSTRAP_SERVERS="kafka", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert run.returncode == 1
    assert "'kafka' is not of the form host:port" in run.stderr
