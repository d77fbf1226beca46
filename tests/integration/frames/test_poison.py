"""Whatever a gateway sends, the validator goes on, keeps the bytes and says what was wrong."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.topics import TopicName, qualified
from forewarn.testing.hostile import HostileCase, Target, good_message, hostile_cases
from integration.frames.processors import CATALOGUE, VALIDATOR
from integration.frames.running import start_service, wait_until_drained
from support.plant import PUMPS, register
from support.wire import Message, produce, read_topic, rows_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

NEIGHBOURS_PER_CASE = 12


def among_neighbours(cases: Sequence[HostileCase], target: Target) -> Iterator[Message]:
    """Each case before healthy readings of other pumps, which rise in time."""
    seconds = itertools.count(-NEIGHBOURS_PER_CASE * len(cases) - 60)
    for case in cases:
        yield Message(key=case.key, value=case.value)
        for asset in PUMPS[1 : 1 + NEIGHBOURS_PER_CASE]:
            healthy = Target(asset_id=asset.asset_id, metrics=target.metrics, now=target.now).at(next(seconds))
            yield Message(key=healthy.key, value=good_message(healthy))


def rejected_on(bootstrap: str, prefix: str) -> list[RejectedReading]:
    records = read_topic(bootstrap, TopicName.READINGS_REJECTED, prefix)
    return [decode_event(RejectedReading, record.value) for record in records if record.value is not None]


def test_poison_lands_in_rejected_with_reason_and_bytes_and_neighbours_are_unharmed(
    kafka_broker, topic_prefix, spawn_service
):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    validator = start_service(spawn_service, VALIDATOR, bootstrap, topic_prefix, "1")
    target = Target(asset_id="P-000", metrics={"flow_m3_h": 150.3, "power_kw": 41.5}, now=datetime.now(UTC))
    cases = hostile_cases(target)
    neighbours = NEIGHBOURS_PER_CASE * len(cases)
    assert neighbours >= 1_000

    produce(bootstrap, qualified(TopicName.READINGS_RAW, topic_prefix), among_neighbours(cases, target))

    wait_until_drained(VALIDATOR, bootstrap, topic_prefix)
    assert validator.running
    assert validator.terminate() < 10
    raw = {(r.partition, r.offset): r for r in read_topic(bootstrap, TopicName.READINGS_RAW, topic_prefix)}
    rejected = rejected_on(bootstrap, topic_prefix)
    assert len({event.rejected_id for event in rejected}) == len(rejected)
    for event in rejected:
        source = raw[event.partition, event.offset]
        assert event.original in (source.value or b"")
        assert event.key == source.key
        assert event.explanation
        assert event.recommendation
    for case in cases:
        reported = [e for e in rejected if raw[e.partition, e.offset].value == case.value]
        reported = [e for e in reported if e.key == case.key]
        for refusal in case.refusals:
            assert any(e.index == refusal.index and e.reason in refusal.reasons for e in reported), case.name
    assert len(rejected) == sum(len(case.refusals) for case in cases)
    valid = rows_of(
        [r.value for r in read_topic(bootstrap, TopicName.READINGS_VALID, topic_prefix)], FrameKind.VALID, CATALOGUE
    )
    assert valid.duplicated == []
    assert sum(asset != "P-000" for asset, _ in valid.values) == neighbours
