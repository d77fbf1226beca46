"""Nothing is lost and nothing comes twice, whoever is killed when.

The unique keys are dropped for these tests: a row written twice would stand there twice.
"""

import os
import random
import signal
from dataclasses import replace

import psycopg
import pytest
from confluent_kafka import Consumer

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.timescale.migrate import migrate
from forewarn.contracts.topics import TopicName, qualified
from support.sink_plant import assert_every_number_once, count, counts, drop_unique_keys
from support.stack import wait_until

pytestmark = pytest.mark.integration

READINGS = 8_400  # × 12 partitions = 100,800
ROUNDS = 12


@pytest.mark.timeout(400)
def test_100k_readings_survive_kills_of_sink_and_database(dedicated_postgres, catalogue, prefix, load, start_sink):
    server = dedicated_postgres()
    migrate(server.url, catalogue)
    drop_unique_keys(server.url)
    work = load(readings=READINGS, per_frame=100)
    # Small transactions back to back: most kills then hit one that is under way.
    sink = start_sink(server.url, prefix, SINK_MAX_ROWS="200", SINK_LINGER_S="0.02")
    choice = random.Random(20261120)
    database_kills = 0
    first, second = work.feeds(per_second=200)
    with first, second:
        for round_number in range(1, ROUNDS + 1):
            target = round_number * work.total // (ROUNDS + 2)
            wait_until(lambda t=target: (count(server.url) or 0) > t, 90, lambda: f"rows: {counts(server.url)}")
            if round_number % 2:
                sink.service.kill()
            else:
                server.kill()
                database_kills += 1
                if choice.random() < 0.5:
                    sink.service.kill()
                server.start()
            if not sink.service.running:
                sink.service.start()
    done = (work.total, work.total)
    wait_until(lambda: counts(server.url) == done, 90, lambda: f"rows: {counts(server.url)}, sent: {work.total}")
    assert_every_number_once(server.url, work)
    assert database_kills >= 5
    assert sink.service.log.count("service_starting") >= 6


@pytest.mark.timeout(300)
def test_a_broker_s_crash_and_restart_is_survived_unattended(dedicated_broker, url, topic_prefix, load, start_sink):
    drop_unique_keys(url)
    broker = dedicated_broker()
    create_topics(broker.bootstrap_servers, topic_prefix)
    work = replace(load(readings=2_000, per_frame=100), bootstrap=broker.bootstrap_servers)
    sink = start_sink(url, topic_prefix, KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers)
    feeds = work.feeds(per_second=20)
    with feeds[0], feeds[1]:
        for share in (0.1, 0.5):
            wait_until(lambda t=share: (count(url) or 0) > t * work.total, 60)
            broker.kill()
            broker.start()
    done = (work.total, work.total)
    wait_until(lambda: counts(url) == done, 90, lambda: f"{counts(url)}, {sink.service.log[-2000:]}")
    assert_every_number_once(url, work)
    wait_until(
        lambda: sink.is_ready() and sink.metric("forewarn_sink_lag_messages") == 0,
        40,
        lambda: f"the lag is known again: {sink.get('/readyz')}, {sink.get('/metrics')}, {sink.service.log[-2000:]}",
    )
    assert sink.service.log.count("service_starting") == 1


@pytest.mark.timeout(300)
def test_a_sink_whose_name_another_took_joins_anew_and_goes_on(kafka_broker, url, prefix, load, start_sink):
    drop_unique_keys(url)
    work = load(readings=1_000, per_frame=50)
    sink = start_sink(url, prefix)
    wait_until(sink.is_ready, 60)
    group = group_id("sink", prefix)
    feeds = work.feeds(per_second=20)
    with feeds[0], feeds[1]:
        wait_until(lambda: (count(url) or 0) > 0.1 * work.total, 60)
        double = Consumer(
            {
                "bootstrap.servers": kafka_broker.bootstrap_servers,
                "group.id": group,
                "group.instance.id": f"{group}.sink-1",
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )
        double.subscribe([qualified(TopicName.READINGS_VALID, prefix)])
        wait_until(lambda: (double.poll(0.1), "joining again" in sink.service.log)[1], 60, "it is fenced")
        double.close()
    done = (work.total, work.total)
    wait_until(lambda: counts(url) == done, 90, lambda: f"{counts(url)}, {sink.service.log[-2000:]}")
    assert_every_number_once(url, work)
    assert sink.service.log.count("service_starting") == 1


@pytest.mark.timeout(300)
def test_two_sinks_that_come_and_go_share_the_work(url, prefix, load, start_sink):
    drop_unique_keys(url)
    work = load(readings=4_000, per_frame=100)
    first_sink = start_sink(url, prefix, "sink-1")
    wait_until(first_sink.is_ready, 60)
    feeds = work.feeds(per_second=30)
    with feeds[0], feeds[1]:
        second_sink = start_sink(url, prefix, "sink-2")
        wait_until(lambda: second_sink.metric("forewarn_sink_rows_written_total") > 0, 60, "both write")
        assert first_sink.is_ready()
        second_sink.service.kill()
        wait_until(lambda: (count(url) or 0) > 0.5 * work.total, 60)
        second_sink.service.start()
        first_sink.service.terminate()
        first_sink.service.start()
    wait_until(lambda: counts(url) == (work.total, work.total), 90, lambda: f"rows: {counts(url)}")
    assert_every_number_once(url, work)


@pytest.mark.timeout(300)
def test_a_sink_frozen_inside_a_transaction_is_replaced_and_writes_nothing_more(url, prefix, load, start_sink):
    drop_unique_keys(url)
    work = load(readings=3_000, per_frame=50)
    feeds = work.feeds(per_second=200)
    with feeds[0], feeds[1]:
        frozen = start_sink(url, prefix, "sink-1", SINK_MAX_ROWS="200", SINK_LINGER_S="0.02")
        wait_until(lambda: freeze_inside_a_transaction(frozen.service.pid, url), 60, interval_s=0.01)
    rows = counts(url)
    assert max(rows) < work.total, "it was too quick to be frozen at work"
    heir = start_sink(url, prefix, "sink-2")
    wait_until(
        lambda: counts(url) == (work.total, work.total), 90, lambda: f"{counts(url)}, {heir.service.log[-1500:]}"
    )
    os.kill(frozen.service.pid, signal.SIGCONT)
    wait_until(lambda: "waited" in frozen.service.log, 60, "it notices that it was cut off")
    wait_until(frozen.is_ready, 60)
    assert frozen.service.log.count("service_starting") == 1
    assert_every_number_once(url, work)


def freeze_inside_a_transaction(pid, url):
    """SIGSTOP the sink; let it go again if that was not while it wrote."""
    os.kill(pid, signal.SIGSTOP)
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'forewarn-sink%' "
        "AND datname = current_database() AND xact_start IS NOT NULL AND wait_event = 'ClientRead'"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(20):
            if connection.execute(query).fetchone() == (1,):
                return True
    os.kill(pid, signal.SIGCONT)
    return False
