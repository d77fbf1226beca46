"""A record that ends or fails the process is found, put aside and kept; all others get through exactly once."""

import json
from pathlib import Path

import pytest

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.limits import MAX_SNAPSHOT_CHUNK_BYTES, MIB
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from integration.frames.processors import CATALOGUE, VALIDATOR
from integration.frames.running import wait_until_drained
from support.plant import pump_messages
from support.stack import wait_until
from support.wire import Message, produce, read_topic, rows_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

ROUNDS = 50
DEADLY = {"ends the process": 300, "raises": 700}  # position among the readings
TESTS = Path(__file__).parents[2]


def with_poison() -> list[Message]:
    messages = list(pump_messages(ROUNDS))
    for source, position in DEADLY.items():
        reading = json.loads(messages[position].value)
        value = json.dumps({**reading, "source": source}).encode()
        messages[position] = Message(key=messages[position].key, value=value)
    return messages


def test_what_ends_or_fails_the_process_is_put_aside_and_the_others_get_through_once(
    kafka_broker, topic_prefix, spawn_service
):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    messages = with_poison()
    produce(bootstrap, qualified(TopicName.READINGS_RAW, topic_prefix), messages)
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "SERVICE_INSTANCE": "1",
        "SNAPSHOT_INTERVAL_S": "3600",  # what was put aside lies in what is replayed after each start
        "LOG_FORMAT": "console",
        "PYTHONPATH": str(TESTS),
    }
    service = spawn_service("support.deadly_validator", environment)

    def ends_if_it_must() -> bool:
        return not service.running or service.log.count("record_quarantined") == len(DEADLY)

    ends = 0
    while wait_until(ends_if_it_must, 60) and not service.running:
        ends += 1
        assert service.returncode == 9, service.log[-2000:]
        assert ends < 7, "the record that ends the process was not put aside"
        service.start()
    wait_until_drained(VALIDATOR, bootstrap, topic_prefix)
    assert ends >= 3

    service.kill()
    restored = service.log.count("lane_restored")
    service.start()
    wait_until(lambda: service.log.count("lane_restored") == restored + 12, 60)
    assert service.terminate() < 10
    assert_all_there_once(bootstrap, topic_prefix, messages)

    # The state of partition 0 does not fit into one message.
    parts = [r.value for r in read_topic(bootstrap, VALIDATOR.checkpoint, topic_prefix) if r.partition == 0]
    assert sum(map(len, parts)) > 18 * MIB
    assert max(map(len, parts)) < MAX_SNAPSHOT_CHUNK_BYTES + 1_000
    service.start()
    wait_until(lambda: service.log.count("partitions_assigned") >= ends + 3, 60)
    assert "snapshot_ignored" not in service.log


def assert_all_there_once(bootstrap: str, prefix: str, messages: list[Message]) -> None:
    events = [
        decode_event(RejectedReading, r.value) for r in read_topic(bootstrap, TopicName.READINGS_REJECTED, prefix)
    ]
    assert {event.original for event in events} == {messages[position].value for position in DEADLY.values()}
    assert len(events) == len(DEADLY)
    assert {event.reason for event in events} == {RejectionReason.QUARANTINED}
    raw = {(r.partition, r.offset): r.value for r in read_topic(bootstrap, TopicName.READINGS_RAW, prefix)}
    assert all(raw[event.partition, event.offset] == event.original for event in events)
    valid = rows_of(
        [r.value for r in read_topic(bootstrap, TopicName.READINGS_VALID, prefix)], FrameKind.VALID, CATALOGUE
    )
    assert valid.duplicated == []
    assert len(valid.values) == len(messages) - len(DEADLY)
