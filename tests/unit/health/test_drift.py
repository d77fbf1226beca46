"""A settled change of how a machine runs is distinguished from a fault that grows."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.frames import residual_column
from forewarn.domain.anomaly.scale import score_of
from forewarn.domain.health.asset import RETRAIN_ADVICE, HealthState, judge
from forewarn.domain.health.change import differs
from forewarn.domain.health.drift import MAX_SAMPLES, SLOT_S
from forewarn.domain.health.rows import observe_frame
from forewarn.testing.frames import anomaly_frame, timestamps_us

PUMP = load_catalogue()["centrifugal_pump"]
TAGS = PUMP.twin.responses
FLAG_AT_SD, QUIET_SD = 2.0, 0.7  #: magnitude that is flagged, and that of a healthy machine
STATES = TypeAdapter(HealthState)


def course(shifts, *, step_s=SLOT_S, seed=1, asset="P-1", **columns):
    """Rows of a machine whose residuals leave zero by ``shifts``: by tag the course in SD, each of the same length."""
    rng = np.random.default_rng(seed)
    count = len(next(iter(shifts.values())))
    moved = {tag: np.zeros(count) for tag in TAGS} | {tag: np.asarray(values) for tag, values in shifts.items()}
    size = np.sqrt(QUIET_SD**2 + np.mean([values**2 for values in moved.values()], axis=0))
    residuals = {residual_column(tag): values + rng.normal(size=count) for tag, values in moved.items()}
    ratio = size / FLAG_AT_SD
    given_columns = {**residuals, "score": score_of(ratio), "flag": ratio >= 1.0, "speed_rpm": 1480.0, **columns}
    return anomaly_frame(PUMP, [asset] * count, timestamps_us(count, step_s=step_s), given_columns)


def after(*frames, states=None):
    states = dict(states or {})
    for frame in frames:
        states.update(observe_frame(states, frame).states)
    return states


def drift_of(*frames):
    return judge(after(*frames)["P-1"], PUMP).process_drift


def cut(frame, bounds):
    return [frame.take(np.arange(a, b)) for a, b in itertools.pairwise([0, *bounds, frame.rows])]


def stepped(quiet, changed, size=8.0):
    return np.repeat([0.0, size], [quiet, changed])


def growing(shape, rows, at_end):
    """Growth over 300 rows after 20 healthy ones, as far as it got in ``rows``."""
    share = np.arange(rows) / 300
    curve = {"linear": share, "exponential": np.expm1(4 * share) / np.expm1(4), "square": share**2, "root": share**0.5}
    return np.concatenate([np.zeros(20), at_end * curve[shape]])


BOTH = {TAGS[0]: stepped(20, 60), TAGS[1]: -stepped(20, 60)}


def test_two_tags_that_moved_together_and_stay_are_a_drift_of_the_process():
    health = judge(after(course(BOTH))["P-1"], PUMP)
    assert set(health.process_drift.tags) == {TAGS[0], TAGS[1]}
    assert health.process_drift.since.timestamp() == timestamps_us(80, step_s=SLOT_S)[20] / 1e6
    assert "healthy standard deviations" in health.process_drift.explanation
    assert health.recommendations[-1] == RETRAIN_ADVICE


def test_it_is_said_only_after_some_hours():
    one, two = stepped(20, 23), -stepped(20, 23)
    assert drift_of(course({TAGS[0]: one, TAGS[1]: two})) is None


def test_one_tag_that_moves_alone_is_no_drift_of_the_process():
    assert drift_of(course({TAGS[0]: stepped(20, 200, 12.0)})) is None


@settings(max_examples=25)
@given(
    st.sampled_from(["linear", "exponential", "square", "root"]),
    st.integers(30, 300),
    st.sampled_from([600.0, 3600.0, 21_600.0]),
    st.floats(8, 60),
    st.integers(0, 99),
)
@example("root", 245, 21_600.0, 10.7, 23)  # rows farther apart than samples
def test_a_fault_that_grows_is_never_taken_for_a_new_normal(shape, rows, step_s, at_end, seed):
    curve = growing(shape, rows, at_end)
    frame = course({TAGS[0]: curve, TAGS[1]: 0.7 * curve, TAGS[2]: -0.5 * curve}, step_s=step_s, seed=seed)
    states = {}
    for part in cut(frame, range(5, frame.rows, 5)):
        states = after(part, states=states)
        assert judge(states["P-1"], PUMP).process_drift is None


def test_a_change_that_came_slowly_must_stay_the_longer():
    ramp = np.concatenate([np.zeros(20), np.linspace(0, 8, 60)])
    for held, said in ((60, False), (400, True)):
        curve = np.concatenate([ramp, np.full(held, 8.0)])
        assert (drift_of(course({TAGS[0]: curve, TAGS[1]: curve})) is not None) is said


@pytest.mark.parametrize(("days", "said"), [(1.0, False), (1.5, False), (5.0, True)])
def test_a_level_that_swings_with_the_day_is_settled_once_the_mean_of_days_is(days, said):
    count = round(days * 144)
    swing = stepped(20, count) * (1 + 0.5 * np.sin(np.arange(20 + count) * 2 * np.pi / 144))
    assert (drift_of(course({TAGS[0]: swing, TAGS[1]: swing})) is not None) is said


def test_a_fault_that_grows_on_top_takes_it_back():
    curve = np.concatenate([stepped(20, 60), 8.0 + np.linspace(0, 16, 40)])
    assert drift_of(course(BOTH)) is not None
    assert drift_of(course({TAGS[0]: curve, TAGS[1]: -curve})) is None


def test_a_return_to_normal_takes_it_back_at_once():
    back = np.concatenate([stepped(20, 60), [0.0]])
    assert drift_of(course({TAGS[0]: back, TAGS[1]: -back})) is None


def test_a_new_twin_takes_it_back():
    frame = course(BOTH, model_version=np.repeat([1, 2], [79, 1]))
    assert drift_of(frame) is None


def test_without_a_time_when_it_was_like_itself_nothing_is_said():
    assert drift_of(course({TAGS[0]: stepped(0, 80), TAGS[1]: stepped(0, 80)})) is None


def test_a_metric_that_is_poor_speaks_of_a_fault_instead():
    health = judge(after(course(BOTH, bearing_temp_c=np.repeat([50.0, 94.0], [20, 60])))["P-1"], PUMP)
    assert any(metric.status in {"poor", "critical"} for metric in health.metrics)
    assert health.process_drift is None
    assert RETRAIN_ADVICE not in health.recommendations


def test_an_indicator_of_failure_that_moved_the_way_it_fails_speaks_of_a_fault_instead():
    assert drift_of(course({"vibration_mm_s": stepped(20, 60), "power_kw": stepped(20, 60)})) is None
    assert drift_of(course({"vibration_mm_s": -stepped(20, 60), "power_kw": stepped(20, 60)})) is not None


def test_tags_that_are_not_known_do_not_keep_it_from_being_said():
    frame = course(BOTH, **{residual_column(TAGS[2]): np.nan})
    assert set(drift_of(frame).tags) == {TAGS[0], TAGS[1]}


@pytest.mark.parametrize("step_s", [1.0, 60.0, 3600.0])
def test_its_memory_stays_small_however_often_readings_come(step_s):
    frame = course({TAGS[0]: stepped(20, 3000), TAGS[1]: stepped(20, 3000)}, step_s=step_s)
    state = after(frame)["P-1"]
    assert len(state.judged.drift.departure.times_us) <= MAX_SAMPLES
    assert len(STATES.dump_json(state)) < 20_000


@settings(max_examples=20)
@given(st.sets(st.integers(1, 219), max_size=8))
def test_any_cut_and_a_restart_at_each_give_the_same(bounds):
    curve = np.concatenate([stepped(20, 120), np.zeros(20), stepped(0, 60)])
    frame = course({TAGS[0]: curve, TAGS[1]: curve}, step_s=250.0)
    states = {}
    for part in cut(frame, sorted(bounds)):
        restored = {name: STATES.validate_json(STATES.dump_json(state)) for name, state in states.items()}
        states = after(part, states=restored)
    assert states == after(frame)


def test_its_coming_is_news():
    (before,), (now,) = ([judge(after(course(BOTH).take(np.arange(n)))["P-1"], PUMP)] for n in (30, 80))
    assert before.process_drift is None
    assert differs(now.model_copy(update={"process_drift": None}), now)


def test_a_state_from_before_drift_was_looked_for_can_be_read():
    state = STATES.dump_python(after(course(BOTH))["P-1"], mode="json")
    del state["judged"]["drift"]
    assert STATES.validate_python(state).judged.drift is None
