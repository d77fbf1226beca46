"""Frame processors under fire: killed, joined and left by others, they lose and duplicate nothing."""

import itertools
import time

import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.history import Snapshot
from forewarn.contracts.topics import qualified
from integration.frames.processors import CATALOGUE, PROCESSORS, Processor
from integration.frames.running import start_service, wait_until_drained
from support.plant import register
from support.stack import wait_until
from support.wire import Feed, by_partition, read_topic, recompute, rows_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

#: Fewer records than this prove nothing.
ENOUGH = 1_000


def assert_exactly_once(processor: Processor, bootstrap: str, prefix: str) -> None:
    """Compare output and last snapshots with an offline recomputation from the source topic."""
    source = read_topic(bootstrap, processor.source, prefix)
    assert len(source) >= ENOUGH
    expected = recompute(source, processor.factory)
    wanted = rows_of(expected.outputs[processor.output], processor.kind, CATALOGUE)
    assert len(wanted.values) >= ENOUGH

    output = read_topic(bootstrap, processor.output, prefix)
    found = rows_of([r.value for r in output], processor.kind, CATALOGUE)

    assert found.duplicated == []
    assert set(found.values) == set(wanted.values)
    assert found.values == wanted.values
    states = {
        partition: Snapshot.decode(records[-1].value).state
        for partition, records in by_partition(read_topic(bootstrap, processor.checkpoint, prefix)).items()
    }
    assert states == expected.states


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.service)
def test_kill_9_under_load_loses_and_duplicates_nothing(processor, kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    service = start_service(spawn_service, processor, bootstrap, topic_prefix, "1")
    kills = 0
    messages = processor.feed(2_500)
    with Feed(bootstrap, qualified(processor.source, topic_prefix), messages, processor.per_second) as feed:
        for pause_s in itertools.cycle((2.2, 0.9, 3.1, 1.4)):
            end = time.monotonic() + pause_s
            wait_until(lambda end=end, feed=feed: time.monotonic() > end or not feed.running, 60)
            if not feed.running:
                break
            service.kill()
            service.start()
            kills += 1

    wait_until_drained(processor, bootstrap, topic_prefix)
    assert service.terminate() < 10
    assert service.returncode == 0
    assert kills >= 3
    assert_exactly_once(processor, bootstrap, topic_prefix)


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.service)
def test_a_rebalance_storm_loses_and_duplicates_nothing(processor, kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    steady = start_service(spawn_service, processor, bootstrap, topic_prefix, "steady")
    guests = 0
    messages = processor.feed(2_500)
    with Feed(bootstrap, qualified(processor.source, topic_prefix), messages, processor.per_second) as feed:
        while feed.running:
            guest = start_service(spawn_service, processor, bootstrap, topic_prefix, f"guest-{guests}")
            wait_until(lambda g=guest: "partitions_assigned" in g.log or not feed.running, 60)
            if feed.running:
                guests += 1
            guest.terminate(10)

    wait_until_drained(processor, bootstrap, topic_prefix)
    assert steady.terminate() < 10
    assert guests >= 2
    assert_exactly_once(processor, bootstrap, topic_prefix)
