"""Whatever is sent, a processor stays below its memory ceiling, and healthy readings get through."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest
from confluent_kafka import Producer

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import producer_config
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.limits import KIB, MAX_EXPLANATION_CHARACTERS, MEMORY_CEILING_MIB
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.lanes import Record
from forewarn.testing.hostile import Target, good_message
from integration.frames.processors import CATALOGUE, TWIN, VALIDATOR
from integration.frames.running import start_service, wait_until_drained
from support.plant import PUMPS, register
from support.stack import wait_until
from support.wire import Message, produce, read_topic, rows_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

HEALTHY = PUMPS[1:13]
JUNK_MESSAGES, JUNK_BYTES = 100, 7_900_000
TAG_NAMES, TAG_NAME_BYTES = 40, 3_900_000
HEADERS, HEADER_BYTES = 40, 7_800_000
LIST_ELEMENTS = 2_000_000


def abuse(target: Target) -> Iterator[bytes]:
    """Values that each cost a validator gigabytes, or an hour, before there were limits."""
    yield b"[" + b",".join([b"1"] * LIST_ELEMENTS) + b"]"
    yield from (b"x" * JUNK_BYTES for _ in range(JUNK_MESSAGES))
    for number in range(TAG_NAMES):
        name = f"tag_{number:03d}".ljust(TAG_NAME_BYTES, "x")
        yield json.dumps(target.at(-number).reading(metrics={**target.metrics, name: 1.0})).encode()


def among_healthy(target: Target) -> Iterator[Message]:
    for number, (value, asset) in enumerate(zip(abuse(target), cycle(HEALTHY), strict=False)):
        yield Message(key=target.key, value=value)
        healthy = Target(asset_id=asset.asset_id, metrics=target.metrics, now=target.now).at(number - 600)
        yield Message(key=healthy.key, value=good_message(healthy))


def send_headers(bootstrap: str, topic: str, count: int, size: int) -> None:
    """Nearly empty messages with large headers, which no limit on values sees."""
    producer = Producer(producer_config(bootstrap, client_id="test-headers"))
    for number in range(count):
        producer.produce(topic, value=b"x", key=b"P-000", headers=[("h", bytes(size))], partition=number % 2)
        producer.flush(30)


def peak_mib(pid: int) -> float:
    """Most resident memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / KIB


def test_a_validator_stays_below_its_ceiling_and_healthy_readings_get_through(
    kafka_broker, topic_prefix, spawn_service
):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    raw = qualified(TopicName.READINGS_RAW, topic_prefix)
    target = Target(asset_id="P-000", metrics={"flow_m3_h": 150.3, "power_kw": 41.5}, now=datetime.now(UTC))
    send_headers(bootstrap, raw, HEADERS, HEADER_BYTES)
    produce(bootstrap, raw, among_healthy(target))

    validator = start_service(spawn_service, VALIDATOR, bootstrap, topic_prefix, "1")
    wait_until_drained(VALIDATOR, bootstrap, topic_prefix)

    assert peak_mib(validator.pid) < MEMORY_CEILING_MIB["validator"]
    assert validator.terminate() < 10
    assert validator.log.count("lane_restored") == 12, "it was started once only"
    assert max(map(len, validator.log.splitlines())) < 2 * MAX_EXPLANATION_CHARACTERS

    # A commit returns before its markers stand in every partition: give readers a moment to see it.
    wait_until(lambda: len(rejected_on(bootstrap, topic_prefix)) >= JUNK_MESSAGES + HEADERS + 1, 20, interval_s=1)
    events = [decode_event(RejectedReading, record.value) for record in rejected_on(bootstrap, topic_prefix)]
    of_junk = [e for e in events if e.reason is RejectionReason.TOO_LARGE and e.index is None]
    of_list = [e for e in events if e.index is not None]
    assert len(of_junk) == JUNK_MESSAGES
    assert {len(e.original) for e in of_junk} == {JUNK_BYTES}
    assert sum(e.readings for e in of_list) == LIST_ELEMENTS
    assert sum(len(e.original) > KIB for e in of_list) == 1, "the list was kept once"
    assert len(events) == len(of_junk) + len(of_list) + HEADERS

    valid = rows_of(
        [r.value for r in read_topic(bootstrap, TopicName.READINGS_VALID, topic_prefix)], FrameKind.VALID, CATALOGUE
    )
    assert valid.duplicated == []
    assert sum(asset != "P-000" for asset, _ in valid.values) == 1 + JUNK_MESSAGES + TAG_NAMES


def test_a_twin_stays_below_its_ceiling_under_large_frames(kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    frames = [Message(key=None, value=b"x" * 15_900_000, partition=number % 12) for number in range(36)]
    produce(bootstrap, qualified(TWIN.source, topic_prefix), frames)

    twin = start_service(spawn_service, TWIN, bootstrap, topic_prefix, "1")
    wait_until_drained(TWIN, bootstrap, topic_prefix)

    assert peak_mib(twin.pid) < MEMORY_CEILING_MIB["twin"]
    assert twin.terminate() < 10
    assert twin.log.count("lane_restored") == 12, "it was started once only"
    wait_until(lambda: len(rejected_on(bootstrap, topic_prefix)) == len(frames), 20, interval_s=1)


def rejected_on(bootstrap: str, prefix: str) -> list[Record]:
    return read_topic(bootstrap, TopicName.READINGS_REJECTED, prefix, patience_s=60)
