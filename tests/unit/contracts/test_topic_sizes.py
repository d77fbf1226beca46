"""Topics keep within the disk they are given."""

import pytest

from forewarn.contracts.topics import LEAST_DISK_BUDGET_BYTES, TOPICS, size_config

_DELETED = [topic for topic in TOPICS.values() if topic.cleanup == "delete"]
GB = 10**9


def _most_bytes(topic, budget):
    """What a partition can take: what is retained, and the segment that is written to."""
    config = {key: int(value) for key, value in size_config(topic, budget).items()}
    return topic.partitions * (config["retention.bytes"] + config["segment.bytes"])


@pytest.mark.parametrize("budget", [10 * GB, 100 * GB])
def test_all_topics_together_stay_within_the_budget(budget):
    assert 0.8 * budget < sum(_most_bytes(topic, budget) for topic in _DELETED) <= 1.06 * budget


def test_the_least_budget_holds_two_segments_a_partition():
    total = sum(_most_bytes(topic, LEAST_DISK_BUDGET_BYTES) for topic in _DELETED)
    assert LEAST_DISK_BUDGET_BYTES <= total < 1.4 * LEAST_DISK_BUDGET_BYTES
    with pytest.raises(ValueError, match="at least"):
        size_config(_DELETED[0], LEAST_DISK_BUDGET_BYTES - 1)


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_every_segment_holds_the_largest_message(topic):
    for budget in (None, LEAST_DISK_BUDGET_BYTES, 10 * GB):
        assert int(size_config(topic, budget)["segment.bytes"]) > topic.max_message_bytes


def test_without_a_budget_nothing_is_deleted_for_its_size():
    assert {size_config(topic, None)["retention.bytes"] for topic in _DELETED} == {"-1"}
