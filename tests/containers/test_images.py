"""The public images under their tags do what the platform needs of them, each by itself."""

import socket
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from testcontainers.core.container import DockerContainer

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.timescale.migrate import migrate
from forewarn.contracts.topics import TOPICS, TopicName
from support.stack import wait_until

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.containers, pytest.mark.timeout(180)]


def _log(container):
    return b"\n".join(container.get_logs()).decode(errors="replace")


@pytest.fixture
def kafka():
    """A broker whose address is known before it starts, so that it can advertise it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    container = (
        DockerContainer("apache/kafka:4.3.0")
        .with_bind_ports(9092, port)
        .with_volume_mapping(str(ROOT / "infra/kafka"), "/mnt/shared/config", "ro")
        .with_env("KAFKA_NODE_ID", "1")
        .with_env("KAFKA_PROCESS_ROLES", "broker,controller")
        .with_env("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093")
        .with_env("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER")
        # The broker writes transaction markers to itself, through a listener that it can reach from the inside.
        .with_env("KAFKA_LISTENERS", "INTERNAL://:9094,EXTERNAL://:9092,CONTROLLER://:9093")
        .with_env("KAFKA_ADVERTISED_LISTENERS", f"INTERNAL://localhost:9094,EXTERNAL://127.0.0.1:{port}")
        .with_env("KAFKA_INTER_BROKER_LISTENER_NAME", "INTERNAL")
        .with_env("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT")
        .with_env("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        .with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
    )
    with container:
        wait_until(lambda: "Kafka Server started" in _log(container), 60, lambda: _log(container)[-2000:], 0.5)
        yield f"127.0.0.1:{port}"


@pytest.fixture
def database_url():
    container = DockerContainer("timescale/timescaledb:2.19.3-pg17").with_exposed_ports(5432)
    with container.with_env("POSTGRES_PASSWORD", "forewarn").with_env("LANG", "C.UTF-8"):
        url = f"postgresql://postgres:forewarn@127.0.0.1:{container.get_exposed_port(5432)}/postgres"

        def answers():
            try:
                with psycopg.connect(url, connect_timeout=2) as connection:
                    return connection.execute("SELECT 1").fetchone()
            except psycopg.OperationalError:
                return None

        wait_until(answers, 60, lambda: _log(container)[-2000:], 0.5)
        yield url


def test_the_kafka_image_takes_our_topics_and_transactions(kafka):
    report = create_topics(kafka, "image.")
    assert len(report.created) == len(TOPICS)
    topic = f"image.{TopicName.READINGS_VALID.value}"
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": "image-test"})
    producer.init_transactions(30)
    for value, finish in ((b"dropped", producer.abort_transaction), (b"kept", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=3)
        producer.flush(10)
        finish(10)
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "image-test", "isolation.level": "read_committed"})
    try:
        consumer.assign([TopicPartition(topic, 3, 0)])
        message = wait_until(lambda: consumer.poll(1.0), 30, "the committed message", interval_s=0)
        assert (message.error(), message.value()) == (None, b"kept")
    finally:
        consumer.close()


def test_the_timescaledb_image_takes_our_schema_as_hypertables(database_url):
    report = migrate(database_url, load_catalogue())
    assert report.server.edition.has_hypertables, str(report.server)
    with psycopg.connect(database_url) as connection:
        tables = {
            row[0] for row in connection.execute("SELECT hypertable_name FROM timescaledb_information.hypertables")
        }
    assert {"readings_centrifugal_pump", "results_centrifugal_pump", "asset_health"} <= tables
    assert migrate(database_url, load_catalogue()).changes == ()
