"""Continuity distinguishes a lost message from the holes that transactions leave in a partition's offsets."""

import pytest
from faust.types import TP, ConsumerMessage

from forewarn.adapters.faust.continuity import Continuity, MessagesSkippedError, chain


def fetched(*, offset, follows, partition=0):
    message = ConsumerMessage(
        topic="scores",
        partition=partition,
        offset=offset,
        timestamp=0.0,
        timestamp_type=0,
        headers=None,
        key=None,
        value=b"",
        checksum=None,
        tp=TP("scores", partition),
    )
    return chain(message, follows)


def test_holes_in_the_offsets_are_no_loss():
    continuity = Continuity()
    for offset, follows in [(5, None), (7, 5), (40, 7)]:
        continuity.check(fetched(offset=offset, follows=follows))


def test_a_message_whose_predecessor_never_arrived_is_told_with_both_offsets():
    continuity = Continuity()
    continuity.check(fetched(offset=5, follows=None))
    with pytest.raises(MessagesSkippedError, match="scores/0: offset 9 arrived but 7 before it did not"):
        continuity.check(fetched(offset=9, follows=7))


def test_the_first_message_after_a_take_over_must_be_the_first_after_the_seek():
    with pytest.raises(MessagesSkippedError, match="the last to arrive was None"):
        Continuity().check(fetched(offset=9, follows=7))


def test_a_seek_back_is_a_redelivery_and_no_loss():
    continuity = Continuity()
    for offset, follows in [(5, None), (6, 5), (7, 6), (5, None), (6, 5), (7, 6), (8, 7)]:
        continuity.check(fetched(offset=offset, follows=follows))


def test_partitions_are_followed_apart_and_forgotten_together():
    continuity = Continuity()
    continuity.check(fetched(offset=5, follows=None))
    continuity.check(fetched(offset=90, follows=None, partition=1))
    continuity.check(fetched(offset=6, follows=5))
    continuity.restart()
    with pytest.raises(MessagesSkippedError):
        continuity.check(fetched(offset=91, follows=90, partition=1))
