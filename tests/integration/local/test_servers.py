"""The real broker and database keep what they promised through stops and kills."""

import socket

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from forewarn_local.kafka import KafkaBroker
from forewarn_local.postgres import PostgresServer, processes_in, timescaledb_version
from support.stack import wait_until

pytestmark = pytest.mark.integration


def _create(broker: KafkaBroker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    for future in admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)]).values():
        future.result(timeout=20)


def _produce(broker: KafkaBroker, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "message.max.bytes": 16 * 1024 * 1024})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def _read(broker: KafkaBroker, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": f"{topic}.reader"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    got: list[bytes] = []
    try:
        wait_until(
            lambda: got.extend(m.value() for m in consumer.consume(100, 0.5) if not m.error()) or len(got) >= count,
            30,
            lambda: f"{count} messages of {topic}, got {len(got)}",
        )
    finally:
        consumer.close()
    return got


def test_the_session_broker_takes_messages_up_to_sixteen_mebibytes(kafka_broker, topic_prefix):
    topic = f"{topic_prefix}big"
    _create(kafka_broker, topic)
    big = b"x" * (15 * 1024 * 1024)
    _produce(kafka_broker, topic, [big])
    assert _read(kafka_broker, topic, 1) == [big]


def test_a_topic_that_does_not_exist_is_not_made_by_asking_for_it(kafka_broker, topic_prefix):
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap_servers})
    admin.list_topics(f"{topic_prefix}absent", timeout=10)
    assert f"{topic_prefix}absent" not in admin.list_topics(timeout=10).topics


def test_a_killed_broker_comes_back_on_its_port_with_its_messages(dedicated_broker):
    broker = dedicated_broker()
    port, first_pid = broker.port, broker.pid
    _create(broker, "kept")
    sent = [str(number).encode() for number in range(1000)]
    _produce(broker, "kept", sent)
    broker.kill()
    assert broker.pid is None
    broker.start()
    assert broker.port == port
    assert broker.pid not in {None, first_pid}
    assert _read(broker, "kept", len(sent)) == sent
    broker.restart()
    assert _read(broker, "kept", len(sent)) == sent


def test_a_killed_database_server_keeps_committed_rows(dedicated_postgres):
    server: PostgresServer = dedicated_postgres()
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE numbers AS SELECT generate_series(1, 10000) AS number")
    busy = psycopg.connect(server.url)  # a backend that outlives its postmaster for a moment
    busy.execute("SELECT count(*) FROM numbers")
    server.kill()
    server.start()
    busy.close()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (10000,)
    server.restart()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (10000,)


def test_a_stopped_database_server_leaves_no_process(dedicated_postgres):
    server: PostgresServer = dedicated_postgres()
    assert processes_in(server.data_dir)
    server.stop()
    assert processes_in(server.data_dir) == []


def test_a_port_that_is_taken_before_the_server_binds_it_is_replaced(tmp_path_factory):
    server = PostgresServer(tmp_path_factory.mktemp("postgres") / "data")
    with socket.create_server(("127.0.0.1", server.port)) as thief:
        server.start()
        try:
            assert server.port != thief.getsockname()[1]
            assert server.why_not_ready() is None
        finally:
            server.stop()


def test_a_broker_is_not_ready_while_another_one_answers_on_its_port(kafka_broker, tmp_path):
    other = KafkaBroker(tmp_path / "other", port=kafka_broker.port)
    other.prepare()
    assert kafka_broker.why_not_ready() is None
    assert other.why_not_ready() == f"another broker answers at {kafka_broker.bootstrap_servers}"


def test_the_database_wants_its_password(postgres_server):
    wrong = postgres_server.url.replace(postgres_server.password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_timescaledb_is_reported_as_the_server_has_it(postgres_server):
    assert (timescaledb_version(postgres_server.url) is not None) == postgres_server.programs.has_timescaledb


def test_each_module_has_a_database_of_its_own(database_url):
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row == (0,)


def test_a_database_is_created_while_a_session_is_on_the_template(postgres_server):
    with psycopg.connect(postgres_server.url_of("template1")):
        postgres_server.create_database("beside_a_session")
    postgres_server.drop_database("beside_a_session")
