"""Retraining by order: from the next readings, or from stored ones at once."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.baseline_orders import ORDER_KEY, encode_order
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.contracts.base import Contract
from forewarn.contracts.baseline import BaselineOrder
from forewarn.contracts.frames import FrameKind, Phase
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.frame import concat
from forewarn.domain.time import to_datetime
from forewarn.domain.twin.orders import learn_from, start_over
from forewarn.domain.twin.request import LearningRequest
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from forewarn.ports.lanes import Record
from forewarn_twin.lane import TwinLanes
from unit.twin.cases import DRIVEN, T0, S, assert_same_rows, driven, run_twin

ANNA = LearningRequest(by="anna", reason="new impeller", order_id="o-1")
CATALOGUE = {"driven": DRIVEN}


def test_the_next_model_says_who_asked_for_it_and_why():
    state, _, (first,) = run_twin([driven(100)])
    assert first.request.by == "automatic"
    state, _ = start_over(state, "M-1", ANNA)
    _, _, (second,) = run_twin([driven(61, start=100)], state=state)
    assert (second.version, second.request.by, second.request.reason) == (2, "anna", "new impeller")


def test_readings_measured_before_the_given_time_are_not_learned_from_and_not_held_back():
    state, _, _ = run_twin([driven(100)])
    since = T0 + 130 * S
    state, _ = start_over(state, "M-1", replace(ANNA, since_us=since))
    _, out, (card,) = run_twin([driven(91, start=100)], state=state)
    assert card.trained_from_us == since
    assert out.arrays["model_version"].tolist() == [0] * 30 + [2] * 61


def test_an_order_that_comes_twice_is_obeyed_once():
    state, _, _ = run_twin([driven(100)])
    state, _ = start_over(state, "M-1", ANNA)
    state, _, _ = run_twin([driven(30, start=100)], state=state)
    again, released = start_over(state, "M-1", ANNA)
    assert (again, released) == (state, [])
    state, _, _ = run_twin([driven(31, start=130)], state=state)
    assert start_over(state, "M-1", ANNA) == (state, [])


def test_an_order_survives_a_snapshot():
    state, _, _ = run_twin([driven(100)])
    state, _ = start_over(state, "M-1", replace(ANNA, since_us=T0 + 130 * S))
    back = load(dump([state]), CATALOGUE)["driven"]
    assert back.learning["M-1"].request == state.learning["M-1"].request
    assert dump([back]) == dump([state])


def test_a_model_can_be_learned_from_stored_readings_at_once():
    state, _, _ = run_twin([driven(100)])
    history = driven(80, seed=5, start=1000)
    state, (judged,), (card,) = learn_from(state, "M-1", history, ANNA, TwinSettings())
    assert (card.version, card.rows, card.request) == (2, 80, ANNA)
    assert judged.rows == 80
    assert set(judged.arrays["phase"].tolist()) == {Phase.BASELINE}
    assert judged.arrays["historical"].all()
    _, live, _ = run_twin([driven(5, start=2000)], state=state)
    assert set(live.arrays["phase"].tolist()) == {Phase.LIVE}
    assert set(live.arrays["model_version"].tolist()) == {2}


def test_learning_from_history_is_what_learning_from_the_same_readings_live_would_be():
    history = driven(60, seed=5)
    learned_live, _, _ = run_twin([history])
    state, _, _ = run_twin([driven(100)])
    state, _, _ = learn_from(state, "M-1", history, ANNA, TwinSettings())
    for name in ("intercept", "coefficients", "scale"):
        np.testing.assert_array_equal(getattr(state.models["M-1"], name), getattr(learned_live.models["M-1"], name))


def test_too_few_stored_readings_change_nothing():
    state, _, _ = run_twin([driven(100)])
    assert learn_from(state, "M-1", driven(49), ANNA, TwinSettings()) == (state, [], [])


def test_a_learning_asset_that_gets_a_model_from_history_releases_what_it_held_back():
    state, _, _ = run_twin([driven(30)])
    state, frames, _ = learn_from(state, "M-1", driven(60, seed=5), ANNA, TwinSettings())
    assert [frame.rows for frame in frames] == [30, 60]
    assert set(frames[0].arrays["model_version"].tolist()) == {0}
    assert not state.learning


# The lane: orders stand among the readings.


def order(order_id="o-1", history=None, since=None, asset="M-1"):
    values = {"order_id": order_id, "asset_id": asset, "requested_at": to_datetime(T0), "requested_by": "anna"}
    return encode_order(BaselineOrder.model_validate({**values, "since": since}), DRIVEN, history)


def records(messages, partition=3):
    """Messages as records of one partition; bytes of an order, or a frame."""
    return [
        Record(
            topic="readings.valid",
            partition=partition,
            offset=offset,
            received_us=T0,
            key=ORDER_KEY if isinstance(message, bytes) else None,
            value=message if isinstance(message, bytes) else encode_frame(message),
        )
        for offset, message in enumerate(messages)
    ]


def lanes(snapshot=None, partition=3):
    opened = TwinLanes(CATALOGUE, TwinSettings())
    opened.open(partition, snapshot)
    return opened


def rows_of(outputs):
    frames = [
        decode_frame(output.value, CATALOGUE, FrameKind.TWIN)
        for output in outputs
        if output.topic is TopicName.TWIN_STATES
    ]
    return concat(frames)


def cards_of(outputs) -> list[Contract | None]:
    return [
        None if output.value is None else decode_event(ModelArtefact, output.value)
        for output in outputs
        if output.topic is TopicName.MODELS
    ]


STREAM = [
    driven(40),
    driven(40, start=40),
    order(),
    driven(30, start=80),
    order("o-2", history=driven(70, seed=9, start=500)),
    driven(20, start=110),
    order("o-2", history=driven(70, seed=9, start=500)),
    order("o-3", since=to_datetime(T0 + 140 * S)),
    driven(80, start=130),
]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=6))
def test_any_cutting_into_turns_and_any_crash_between_them_gives_the_same_rows_and_state(cuts):
    whole = lanes()
    wanted = whole.process(records(STREAM)).outputs
    crashing, found = lanes(), []
    for start, stop in pairwise([0, *sorted(set(cuts)), len(STREAM)]):
        snapshot = crashing.dump(3)
        crashing.process(records(STREAM)[start:stop])  # its transaction is lost
        crashing = lanes(snapshot)
        found += crashing.process(records(STREAM)[start:stop]).outputs
    assert_same_rows(rows_of(found), rows_of(wanted))
    assert cards_of(found) == cards_of(wanted)
    assert crashing.dump(3) == whole.dump(3)


def test_a_void_model_is_withdrawn_and_the_next_one_announced():
    first, withdrawn, from_history, again, last = cards_of(lanes().process(records(STREAM)).outputs)
    assert (withdrawn, again) == (None, None)
    assert [card.version for card in (first, from_history, last)] == [1, 2, 3]
    assert [card.requested_by for card in (first, from_history, last)] == ["automatic", "anna", "anna"]
    assert from_history.trained_from == to_datetime(T0 + 500 * S)
    assert last.trained_from == to_datetime(T0 + 140 * S)


def test_orders_for_assets_and_classes_nobody_knows_change_nothing():
    empty = lanes()
    assert empty.process(records([order()])).outputs == ()
    learned = lanes()
    learned.process(records([driven(70)]))
    before = learned.dump(3)
    assert learned.process(records([order(asset="M-9")])).outputs == ()
    assert learned.dump(3) == before


@pytest.mark.parametrize("broken", [b"", b"no frame", encode_frame(driven(3)), order(history=driven(60, asset="M-2"))])
def test_a_broken_order_becomes_a_dead_letter_and_the_readings_go_on(broken):
    lane = lanes()
    result = lane.process(records([driven(30), broken, driven(31, start=30)]))
    assert result.counts["rejected"] == 1
    assert [output.topic for output in result.outputs].count(TopicName.READINGS_REJECTED) == 1
    assert rows_of(result.outputs).rows == 61
