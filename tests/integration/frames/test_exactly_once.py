"""Frame processors under fire: killed, joined and left by others, they lose and duplicate nothing."""

import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.snapshots import SnapshotAssembly
from forewarn.contracts.topics import qualified
from integration.frames.processors import CATALOGUE, PROCESSORS, Processor
from integration.frames.running import start_service, wait_until_drained
from support.plant import register
from support.stack import wait_until
from support.wire import Feed, Rows, assert_same_rows, by_partition, read_topic, recompute, rows_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

#: Fewer records than this prove nothing.
ENOUGH = 1_500

#: Messages that still arrive before each kill -9.
KILL_AFTER = (300, 60, 350, 200)


def assert_exactly_once(processor: Processor, bootstrap: str, prefix: str) -> None:
    """Compare output and last snapshots with an offline recomputation from the source topic."""
    source = read_topic(bootstrap, processor.source, prefix)
    assert len(source) >= ENOUGH
    expected = recompute(source, processor.make_lanes)
    wanted = rows_of(expected.outputs[processor.output], processor.kind, CATALOGUE)
    assert len(wanted.values) >= ENOUGH

    # A commit returns before its markers stand in every partition: give readers a moment to see it.
    found = wait_until(lambda: complete(processor, bootstrap, prefix, len(wanted.values)), 20, "output is incomplete")
    assert found.duplicated == []
    assert set(found.values) == set(wanted.values)
    assert_same_rows(found.values, wanted.values)
    wait_until(lambda: states(processor, bootstrap, prefix) == expected.states, 20, "state differs from recomputation")


def complete(processor: Processor, bootstrap: str, prefix: str, rows: int) -> Rows | None:
    output = read_topic(bootstrap, processor.output, prefix)
    found = rows_of([r.value for r in output], processor.kind, CATALOGUE)
    return found if sum(found.counts.values()) >= rows else None


def states(processor: Processor, bootstrap: str, prefix: str) -> dict[int, bytes]:
    """Newest snapshot of each partition."""
    found = {}
    for partition, records in by_partition(read_topic(bootstrap, processor.checkpoint, prefix)).items():
        assembly = SnapshotAssembly()
        for record in records:
            assembly.take(record.value)
        assert assembly.newest is not None
        found[partition] = assembly.newest.state
    return found


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.service)
def test_kill_9_under_load_loses_and_duplicates_nothing(processor, kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    service = start_service(spawn_service, processor, bootstrap, topic_prefix, "1")
    source = qualified(processor.source, topic_prefix)
    with Feed(bootstrap, source, processor.feed(), processor.per_second) as feed:
        for kill, more in enumerate(KILL_AFTER, start=1):
            # Killed once in the middle of restoring its lanes, otherwise at work.
            wait_until(lambda kill=kill: service.log.count("partitions_assigned") >= kill - 1, 60)
            wanted = feed.sent + more
            wait_until(lambda wanted=wanted: feed.sent >= wanted, 60)
            service.kill()
            service.start()
        wait_until(lambda: feed.sent >= ENOUGH, 60)
        feed.finish()

    wait_until_drained(processor, bootstrap, topic_prefix)
    assert service.terminate() < 10
    assert service.returncode == 0
    assert_exactly_once(processor, bootstrap, topic_prefix)


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.service)
def test_a_rebalance_storm_loses_and_duplicates_nothing(processor, kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    steady = start_service(spawn_service, processor, bootstrap, topic_prefix, "steady")
    source = qualified(processor.source, topic_prefix)
    with Feed(bootstrap, source, processor.feed(), processor.per_second) as feed:
        for number in range(3):
            # Every second guest is nameless: it leaves the group at once instead of being waited for.
            name = f"guest-{number}" if number % 2 else ""
            guest = start_service(spawn_service, processor, bootstrap, topic_prefix, name)
            wait_until(lambda guest=guest: "lane_restored" in guest.log, 60)
            lanes = steady.log.count("lane_restored")
            assert guest.terminate() < 10
            if not name:  # else the next guest might inherit from this one, and the steady member would not notice
                wait_until(lambda lanes=lanes: steady.log.count("lane_restored") > lanes, 60)
        wait_until(lambda: feed.sent >= ENOUGH, 60)
        feed.finish()

    wait_until_drained(processor, bootstrap, topic_prefix)
    assert steady.terminate() < 10
    assert steady.log.count("partitions_revoked") >= 2
    assert_exactly_once(processor, bootstrap, topic_prefix)
