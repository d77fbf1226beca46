"""A message that the event plane cannot handle is set aside; its neighbours pass, in order."""

import json
import os
from pathlib import Path

import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.readings import RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from integration.alerting.event_plane import environment, rejected_on
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TESTS = str(Path(__file__).parents[2])
MOST_STARTS = 8


def answered(bootstrap, prefix, partition):
    values = [json.loads(record.value) for record in read_topic(bootstrap, TopicName.COMMANDS_ANSWERS, prefix)]
    return [value["command_id"] for value in values if value["asset_id"] == f"A-{partition}"]


def test_what_raises_and_what_kills_is_set_aside_and_the_neighbours_pass(kafka_broker, topic_prefix, spawn_service):
    bootstrap, prefix = kafka_broker.bootstrap_servers, topic_prefix
    create_topics(bootstrap, prefix)
    said = {
        0: ["a-1", "a-2", "kill", "a-3", "raise", "a-4"],
        1: ["b-1", "raise", "b-2"],
        2: [f"c-{number}" for number in range(30)],
    }
    produce(
        bootstrap,
        qualified(TopicName.COMMANDS, prefix),
        [
            Message(key=f"A-{partition}".encode(), value=value.encode(), partition=partition)
            for partition, values in said.items()
            for value in values
        ],
    )
    env = environment(bootstrap, prefix) | {"PYTHONPATH": os.pathsep.join([TESTS, os.environ.get("PYTHONPATH", "")])}
    service = spawn_service("support.fragile_service", env)
    starts = 1

    def all_passed():
        nonlocal starts
        if not service.running:  # what a supervisor does
            assert starts < MOST_STARTS, "it is not set aside"
            service.start()
            starts += 1
        return len(rejected_on(bootstrap, prefix)) >= 3 and set(answered(bootstrap, prefix, 0)) >= {"a-4"}

    wait_until(all_passed, 120, "all messages are handled or set aside", interval_s=0.2)
    wait_until(lambda: len(set(answered(bootstrap, prefix, 2))) == 30, 30)
    rejected = {item["rejected_id"]: item for item in rejected_on(bootstrap, prefix)}
    topic = qualified(TopicName.COMMANDS, prefix)
    assert set(rejected) == {f"{topic}/0/2", f"{topic}/0/4", f"{topic}/1/1"}
    assert {item["reason"] for item in rejected.values()} == {RejectionReason.QUARANTINED}
    assert "process ended" in rejected[f"{topic}/0/2"]["explanation"]
    assert "ZeroDivisionError" in rejected[f"{topic}/1/1"]["explanation"]
    for partition, values in said.items():
        good = [value for value in values if value not in ("kill", "raise")]
        seen = answered(bootstrap, prefix, partition)
        assert list(dict.fromkeys(seen)) == good, "each neighbour passed, in its order"
    assert starts == 4, "the process ended once before anything was suspected, and twice with the message in hand"
