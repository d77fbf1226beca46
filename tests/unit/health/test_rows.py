"""Rows of many assets at once do what they do one by one, in any order and cut."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.health.rows import observe_frame
from forewarn.testing.frames import START_US, anomaly_frame

PUMP = load_catalogue()["centrifugal_pump"]
LEVELS = [1.0, 3.0, 6.5, float("nan")]


@st.composite
def courses(draw):
    """Readings of three pumps, some late, some not newer than others, some of a pump at rest."""
    count = draw(st.integers(1, 60))
    seconds = np.cumsum(draw(st.lists(st.integers(-5, 40), min_size=count, max_size=count)))
    assets = draw(st.lists(st.sampled_from(["P-1", "P-2", "P-3"]), min_size=count, max_size=count))
    columns = {
        "vibration_mm_s": draw(st.lists(st.sampled_from(LEVELS), min_size=count, max_size=count)),
        "speed_rpm": draw(st.lists(st.sampled_from([0.0, 1480.0]), min_size=count, max_size=count)),
        "late": draw(st.lists(st.booleans(), min_size=count, max_size=count)),
    }
    return anomaly_frame(PUMP, assets, START_US + seconds * 1_000_000, columns)


def apply(frames):
    states, applied = {}, 0
    for frame in frames:
        result = observe_frame(states, frame)
        states.update(result.states)
        applied += result.applied
        assert result.applied + result.skipped == frame.rows
    return states, applied


def cut(frame, bounds):
    return [frame.take(np.arange(a, b)) for a, b in itertools.pairwise([0, *bounds, frame.rows])]


@given(courses(), st.sets(st.integers(1, 59), max_size=6))
def test_a_frame_does_what_its_rows_do_one_after_the_other_however_it_is_cut(frame, bounds):
    one_by_one = apply(cut(frame, range(1, frame.rows)))
    assert apply([frame]) == one_by_one
    assert apply(cut(frame, sorted(bound for bound in bounds if bound < frame.rows))) == one_by_one


@given(courses())
def test_what_is_redelivered_changes_nothing(frame):
    states, _ = apply([frame])
    assert observe_frame(states, frame).states == {}
