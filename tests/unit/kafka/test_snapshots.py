"""Snapshots in parts: only complete ones are read, in any state of compaction."""

import random

import pytest

from forewarn.adapters.kafka.snapshots import LaneSnapshot, SnapshotAssembly
from forewarn.contracts.limits import KIB, MAX_SNAPSHOT_CHUNK_BYTES

Message = tuple[bytes, bytes | None]


def snapshot(next_offset: int, parts: float) -> LaneSnapshot:
    state = random.Random(next_offset).randbytes(int(parts * MAX_SNAPSHOT_CHUNK_BYTES))
    return LaneSnapshot(next_offset=next_offset, state=state, topic_id="wZxXQTrpTtCWg2F0Tthwxg")


def assembled(messages: list[Message]) -> LaneSnapshot | None:
    assembly = SnapshotAssembly()
    for _, value in messages:
        assembly.take(value)
    return assembly.newest


def compacted(messages: list[Message]) -> list[Message]:
    last = {key: position for position, (key, _) in enumerate(messages)}
    return [message for position, message in enumerate(messages) if last[message[0]] == position]


@pytest.mark.parametrize("parts", [0, 0.001, 1, 1.5, 3])
def test_a_snapshot_of_any_size_is_read_back_from_messages_of_bounded_size(parts):
    written = snapshot(41, parts)
    messages = list(written.messages(7))
    assert max(len(value) for _, value in messages) <= MAX_SNAPSHOT_CHUNK_BYTES + KIB
    assert len({key for key, _ in messages}) == len(messages) == written.parts
    assert assembled(messages) == written


@pytest.mark.parametrize("sizes", [(3, 2.5), (4, 0.5), (1, 5), (3, 2, 4, 1)])
def test_the_newest_replaces_all_before_it_also_after_compaction(sizes):
    messages: list[Message] = []
    parts_before = 0
    for number, size in enumerate(sizes):
        newest = snapshot(number, size)
        messages += newest.messages(7, parts_before)
        parts_before = newest.parts
    assert assembled(messages) == assembled(compacted(messages)) == newest
    alive = [key for key, value in compacted(messages) if value is not None]
    assert len(alive) == newest.parts


def test_incomplete_and_damaged_snapshots_are_passed_over():
    old, new = snapshot(1, 3), snapshot(2, 3)
    whole, cut = list(old.messages(0)), list(new.messages(0))
    assert assembled(cut[1:]) is None
    assert assembled([*whole, *cut[:2]]) == old
    damaged = [(key, value[:-1] + b"?") for key, value in cut]
    assert assembled([*whole, *damaged]) == old


def test_what_earlier_versions_wrote_is_read():
    old = b"FWS1" + (99).to_bytes(8, "big") + b"state"
    assert assembled([(b"0", old)]) == LaneSnapshot(next_offset=99, state=b"state")
    assert assembled([(b"0", old), *snapshot(100, 2).messages(0)]) == snapshot(100, 2)
    assert assembled([(b"0", b"something else"), (b"0", None)]) is None
