"""Broker outages and crashes: the processors survive unattended, with flat memory and short gaps."""

import math
import threading
import time
from itertools import islice
from typing import Self

import psutil
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition

from forewarn.adapters.frames.codec import decode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import consumer_config
from forewarn.contracts.topics import TopicName, qualified
from integration.frames.processors import CATALOGUE, PROCESSORS, VALIDATOR, Processor
from integration.frames.running import start_service, wait_until_drained
from integration.frames.test_exactly_once import assert_exactly_once
from support.plant import pump_messages, register
from support.stack import ServiceProcess, wait_until
from support.wire import Feed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MIB = 1024 * 1024


class Supervisor:
    """Starts a service again when it ends, like ``make run`` and compose do.

    A broker that comes back may refuse the transaction it was killed in, or fence a static member
    whose session ran out meanwhile: the processor then ends itself rather than guess.
    """

    def __init__(self, service: ServiceProcess) -> None:
        self._service = service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.restarts = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            if not self._service.running:
                self._service.start()
                self.restarts += 1


def test_a_broker_restart_is_survived_unattended_with_flat_memory(dedicated_broker, topic_prefix, spawn_service):
    broker = dedicated_broker()
    bootstrap = broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    service = start_service(spawn_service, VALIDATOR, bootstrap, topic_prefix, "1")
    wait_until(lambda: "partitions_assigned" in service.log, 30)
    process = psutil.Process(service.pid)
    raw = qualified(TopicName.READINGS_RAW, topic_prefix)
    with Feed(bootstrap, raw, pump_messages(1_500), 3_000) as feed, Supervisor(service) as supervisor:
        wait_until(lambda: feed.sent > 6_000, 30)
        before = process.memory_info().rss
        broker.kill()
        away_until = time.monotonic() + 8
        highest = before
        while time.monotonic() < away_until:
            highest = max(highest, process.memory_info().rss) if process.is_running() else highest
            time.sleep(0.2)
        broker.start()
        feed.join()
        # The watchdog ends a client that hangs over the outage after a minute; a slow machine needs more than 90 s.
        wait_until_drained(VALIDATOR, bootstrap, topic_prefix, timeout_s=180)

    # It may be about to end itself still; a fresh start restores the state, and its end writes it down.
    service.close()
    before_start = len(service.log)
    service.start()
    wait_until(lambda: "partitions_assigned" in service.log[before_start:], 60, "the validator got no partitions")
    assert feed.sent >= 30_000
    assert supervisor.restarts <= 2
    assert highest - before < 64 * MIB
    assert service.terminate() < 10
    assert_exactly_once(VALIDATOR, bootstrap, topic_prefix)


class LatencyWatch:
    """Follows a processor's frames live and keeps the newest and the longest time from broker to visible frame."""

    def __init__(self, bootstrap: str, prefix: str, processor: Processor) -> None:
        self._kind = processor.kind
        config = consumer_config(bootstrap, group_id="watch", client_id="watch", **{"fetch.wait.max.ms": 10})
        self._consumer = Consumer(config)
        topic = qualified(processor.output, prefix)
        self._consumer.assign([TopicPartition(topic, p, 0) for p in range(12)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.latest_s = math.inf
        self.worst_s = 0.0
        self.rows = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _follow(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error() is not None:
                continue
            frame = decode_frame(message.value(), CATALOGUE, self._kind)
            self.rows += frame.rows
            self.latest_s = time.time() - frame.arrays["received_at"].min() / 1e6
            self.worst_s = max(self.worst_s, self.latest_s)


def rows_in(frame: bytes) -> int:
    with pa.ipc.open_stream(frame) as reader:
        return reader.read_next_batch().num_rows


@pytest.mark.timing
@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.service)
def test_a_restart_after_kill_9_costs_less_than_three_seconds_of_latency(
    processor, kafka_broker, topic_prefix, spawn_service
):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    service = start_service(spawn_service, processor, bootstrap, topic_prefix, "1")
    wait_until(lambda: "partitions_assigned" in service.log, 30)
    source = qualified(processor.source, topic_prefix)
    rows: list[int] = []

    def messages():
        for message in islice(processor.feed(), int(16 * processor.per_second)):
            rows.append(1 if processor is VALIDATOR else rows_in(message.value))
            yield message

    with (
        LatencyWatch(bootstrap, topic_prefix, processor) as watch,
        Feed(bootstrap, source, messages(), processor.per_second) as feed,
    ):
        # What takes longer the first time, at the broker or when all baselines are learned, is no restart's cost.
        wait_until(lambda: watch.rows > 8_000 and watch.latest_s < 0.5, 30, lambda: f"{watch.latest_s:.2f} s late")
        calm_s, watch.worst_s = watch.latest_s, 0.0
        before = feed.sent
        service.kill()
        service.start()
        feed.join()
        wait_until(lambda: watch.rows == sum(rows), 60, lambda: f"{watch.rows} of {sum(rows)}")

    assert feed.sent - before >= 5 * processor.per_second
    assert watch.worst_s < 3.0, f"{watch.worst_s:.2f} s, and {calm_s:.2f} s just before the kill"
