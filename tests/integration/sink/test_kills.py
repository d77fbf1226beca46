"""Nothing is lost and nothing comes twice, whoever is killed when.

The unique keys are dropped for these tests: a row written twice would stand there twice.
"""

import os
import random
import signal

import pytest

from forewarn.adapters.timescale.migrate import migrate
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
    sink = start_sink(server.url, prefix)
    choice = random.Random(20261120)
    database_kills = 0
    first, second = work.feeds(per_second=60)
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
def test_a_sink_that_was_frozen_and_replaced_writes_nothing_more(url, prefix, load, start_sink):
    drop_unique_keys(url)
    work = load(readings=3_000, per_frame=50)
    frozen = start_sink(url, prefix, "sink-1")
    wait_until(frozen.is_ready, 60)
    feeds = work.feeds(per_second=30)
    with feeds[0], feeds[1]:
        wait_until(lambda: (count(url) or 0) > 0.1 * work.total, 60)
        os.kill(frozen.service.pid, signal.SIGSTOP)
        heir = start_sink(url, prefix, "sink-2")
        wait_until(
            lambda: "readings.valid:0,1,2,3,4,5,6,7,8,9,10,11" in heir.service.log, 60, "the heir gets every partition"
        )
        wait_until(lambda: heir.metric("forewarn_sink_rows_written_total") > 0, 60)
        os.kill(frozen.service.pid, signal.SIGCONT)
    wait_until(lambda: counts(url) == (work.total, work.total), 90, lambda: f"rows: {counts(url)}")
    assert_every_number_once(url, work)
