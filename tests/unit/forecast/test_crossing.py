"""When a limit is reached, and the cheap look before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.forecast.crossing import crossed_by, crossing
from forewarn.domain.forecast.outlook import Outlook, look_ahead
from forewarn.domain.forecast.screen import may_reach
from forewarn.domain.forecast.spread import learn_spread
from unit.forecast.cases import PER_DAY, course, series, simple_tune

DAY_S = 86_400.0


def outlook_of(expected, sd=0.1, seed=0):
    expected = np.asarray(expected, dtype=np.float64)
    errors = sd * np.random.default_rng(seed).standard_normal((16, expected.size))
    return Outlook(
        start_s=0.0, step_s=10_800.0, expected=expected, spread=learn_spread(errors, 1e-9), method="line", tested=()
    )


def test_a_sure_rise_crosses_when_its_line_does():
    found = crossing(outlook_of(np.linspace(0.0, 10.0, 57)[1:]), 5.0, rising=True)
    assert found.probability > 0.95
    assert found.earliest_s <= found.likely_s <= found.latest_s
    assert found.likely_s == pytest.approx(28 * 10_800, rel=0.06)


@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_up_and_down_are_mirror_images(seed, limit):
    up = outlook_of(np.random.default_rng(seed).normal(0, 1, 20).cumsum(), seed=seed)
    down = Outlook(
        start_s=0.0,
        step_s=up.step_s,
        expected=-up.expected,
        spread=learn_spread(-0.1 * np.random.default_rng(seed).standard_normal((16, 20)), 1e-9),
        method="line",
        tested=(),
    )
    np.testing.assert_allclose(crossed_by(up, limit, rising=True), crossed_by(down, -limit, rising=False), atol=0.01)


@given(st.integers(0, 10_000))
def test_the_probability_never_falls_with_time_nor_rises_with_the_limit(seed):
    outlook = outlook_of(np.random.default_rng(seed).normal(0, 1, 30).cumsum(), sd=1.0, seed=seed)
    near, far = crossed_by(outlook, 1.0, rising=True), crossed_by(outlook, 2.0, rising=True)
    assert (np.diff(near) >= 0).all()
    assert (near >= far).all()


def test_what_is_out_of_reach_has_no_times():
    found = crossing(outlook_of(np.zeros(20)), 50.0, rising=True)
    assert found.probability < 0.05
    assert (found.earliest_s, found.likely_s, found.latest_s) == (None, None, None)


def test_stated_probabilities_come_true():
    """Of many lines with noise, the share that crosses is about the mean probability that was stated."""
    stated, came = [], []
    for seed in range(60):
        slope = 0.01 * seed
        values = course(176, slope_per_day=slope, noise=0.3, level=0.0, seed=seed)
        outlook = look_ahead(series(values[:120]), 56, simple_tune)
        limit = float(values[:120][-PER_DAY:].mean()) + 0.8
        stated.append(crossing(outlook, limit, rising=True).probability)
        came.append(bool((values[120 : 120 + outlook.horizon] >= limit).any()))
    stated, came = np.array(stated), np.array(came)
    assert abs(stated.mean() - came.mean()) < 0.1
    assert came[stated >= 0.8].mean() > 0.8
    assert came[stated <= 0.2].mean() < 0.35


def test_a_healthy_column_is_not_looked_at_closer():
    values = course(256, daily=3.0, noise=0.5)
    assert not may_reach(values, 60.0, rising=True, per_day=PER_DAY, horizon_days=7.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_column_on_its_way_to_the_limit_is(sign):
    values = sign * course(256, slope_per_day=0.3, daily=3.0, noise=0.5, level=0.0)
    limit = float(values[-PER_DAY:].mean()) + sign * 1.5
    assert may_reach(values, limit, rising=sign > 0, per_day=PER_DAY, horizon_days=7.0)
    assert not may_reach(values, -limit, rising=sign < 0, per_day=PER_DAY, horizon_days=7.0)
    assert not may_reach(values, limit + sign * 50.0, rising=sign > 0, per_day=PER_DAY, horizon_days=7.0)


def test_a_young_or_a_silent_column_is_not():
    rising = course(4 * PER_DAY, slope_per_day=1.0)
    assert not may_reach(rising, 55.0, rising=True, per_day=PER_DAY, horizon_days=7.0)
    assert not may_reach(np.full(256, np.nan), 55.0, rising=True, per_day=PER_DAY, horizon_days=7.0)


def test_chance_seldom_passes_the_cheap_look():
    passed = 0
    for seed in range(200):
        values = course(256, noise=1.0, seed=seed)
        passed += may_reach(values, 54.0, rising=True, per_day=PER_DAY, horizon_days=7.0)
    assert passed < 12
