"""Notes beside committed offsets: who ended where, and what follows from it."""

from dataclasses import replace

import pytest

from forewarn.adapters.kafka.lane_note import Attempt, LaneNote, Suspicion, judged

NOTE = LaneNote(topic_id="wZxXQTrpTtCWg2F0Tthwxg", quarantined=(3, 17))


def attempt(**changes: object) -> Attempt:
    return replace(Attempt(by="before", failures=0, records=1_000, until=5_000), **changes)


@pytest.mark.parametrize("note", [LaneNote(), NOTE, replace(NOTE, attempt=attempt())])
def test_a_note_is_read_back_from_its_text(note):
    assert LaneNote.decode(note.encode()) == note


@pytest.mark.parametrize("text", [None, "", "rebalanced", "[]", '{"attempt": 5}', '{"attempt": {"by": 1}}', '"x"'])
def test_texts_of_others_say_nothing(text):
    assert LaneNote.decode(text) == LaneNote()


def test_the_longest_note_fits_beside_an_offset():
    note = replace(NOTE, attempt=attempt(until=2**62))
    for offset in range(2**33, 2**33 + 1_000):
        note = replace(note.with_quarantined(offset), attempt=note.attempt)
    assert len(note.encode()) < 4_096
    assert max(note.quarantined) == 2**33 + 999


def test_without_an_unfinished_attempt_there_is_no_suspicion():
    assert judged(NOTE, "me") == (NOTE, None)


def test_what_a_process_left_unfinished_is_narrowed_until_one_record_is_left_and_put_aside():
    note, records, until, ends = NOTE, 30_000, 40_000, 0
    while True:
        unfinished = attempt(records=records, until=until, failures=ends)
        note, suspicion = judged(replace(NOTE, attempt=unfinished), "me")
        if suspicion is None:
            break
        ends += 1
        assert suspicion.failures == ends
        records, until = suspicion.piece, until - 1  # the worst piece comes last
    assert ends <= 5
    assert note == NOTE.with_quarantined(until - 1)


def test_a_single_record_is_put_aside_only_after_three_processes_ended_at_it():
    single = attempt(records=1, until=18)
    assert judged(replace(NOTE, attempt=single), "me") == (NOTE, Suspicion(failures=1, piece=1, until=18))
    assert judged(replace(NOTE, attempt=replace(single, failures=1)), "me")[1] is not None
    assert judged(replace(NOTE, attempt=replace(single, failures=2)), "me") == (NOTE, None)  # 17 is known already


def test_outages_of_the_broker_and_own_rollbacks_are_no_attempts():
    committing = replace(NOTE, attempt=attempt(records=1, failures=2, working=False))
    own = replace(NOTE, attempt=attempt(records=1, failures=2, by="me"))
    for note in (committing, own):
        for _ in range(10):
            _, suspicion = judged(note, "me")
            assert suspicion == Suspicion(failures=2, piece=1, until=5_000)
    assert judged(replace(NOTE, attempt=attempt(working=False)), "me") == (NOTE, None)
