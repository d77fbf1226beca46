"""Preparation: equal steps from irregular readings, gaps filled, refusals in plain words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.forecast.series import MIN_STEPS, NotForecastable, Season, complete, resample
from unit.forecast.cases import PER_DAY, STEP_S, course


def test_a_step_holds_the_mean_of_its_readings_weighted_by_what_they_stand_for():
    times = np.arange(2 * MIN_STEPS) * 5.0
    values = np.where(np.arange(times.size) % 2 == 0, 1.0, 4.0)
    counts = np.where(np.arange(times.size) % 2 == 0, 2.0, 1.0)
    even = resample(times, values, counts, step_s=10.0, steps=1000)
    assert even.values == pytest.approx(np.full(MIN_STEPS, 2.0))
    assert (even.start_s, even.end_s) == (0.0, 10.0 * MIN_STEPS)


@given(st.randoms())
def test_the_order_of_readings_does_not_matter(random):
    times = np.arange(100) * 7.0
    values = np.sin(times)
    order = list(range(100))
    random.shuffle(order)
    first = resample(times, values, np.ones(100), step_s=14.0, steps=64)
    second = resample(times[order], values[order], np.ones(100), step_s=14.0, steps=64)
    np.testing.assert_allclose(first.values, second.values)


def test_only_the_newest_steps_are_kept():
    even = resample(np.arange(500.0), np.arange(500.0), np.ones(500), step_s=5.0, steps=40)
    assert even.values.size == 40
    assert even.end_s == 500.0


def test_a_gap_follows_the_usual_course_of_the_day():
    values = course(12 * PER_DAY, daily=5.0, noise=0.0)
    holes = values.copy()
    holes[50:56] = np.nan
    filled = complete(holes, start_s=0.0, step_s=STEP_S)
    assert np.abs(filled.values - values).max() < 1e-9
    assert filled.observed.sum() == values.size - 6


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full(MIN_STEPS - 1, 1.0), "covers 35 steps of 3 h, a forecast needs 36"),
        (np.where(np.arange(90) % 3 == 0, 1.0, np.nan), "only 33% of the steps of 3 h have readings"),
    ],
)
def test_a_hopeless_history_is_refused_with_the_reason(values, words):
    with pytest.raises(NotForecastable, match=words):
        complete(values, start_s=0.0, step_s=STEP_S)


def test_readings_of_bad_quality_alone_are_no_history():
    with pytest.raises(NotForecastable, match="no readings of good quality"):
        resample(np.arange(100.0), np.full(100, np.nan), np.ones(100), step_s=1.0, steps=100)


def test_a_season_counts_when_the_series_holds_it_often_enough():
    day, week = Season("daily", PER_DAY), Season("weekly", 7 * PER_DAY)
    assert complete(course(4 * PER_DAY + 4), start_s=0.0, step_s=STEP_S).seasons == (day,)
    assert complete(course(20 * PER_DAY), start_s=0.0, step_s=STEP_S).seasons == (day, week)
    assert complete(course(40), start_s=0.0, step_s=86_400.0).seasons == (Season("weekly", 7),)
