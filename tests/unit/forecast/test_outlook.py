"""Back-test, choice and intervals: causal, calibrated, and no better than they claim."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.forecasting.statsmodels_methods import StatsmodelsForecaster
from forewarn.domain.forecast.backtest import LEAST_ORIGINS, MAX_HORIZON_SHARE, BacktestPlan, back_test
from forewarn.domain.forecast.baselines import moving_average
from forewarn.domain.forecast.choice import choose, crps_by_origin
from forewarn.domain.forecast.outlook import look_ahead
from forewarn.domain.forecast.series import NotForecastable
from forewarn.domain.forecast.spread import learn_spread
from unit.forecast.cases import PER_DAY, course, series, simple_tune

TUNE = StatsmodelsForecaster().tune


@given(st.integers(36, 700), st.integers(1, 400))
def test_every_origin_has_its_horizon_measured_and_enough_history(steps, horizon):
    plan = BacktestPlan.of(steps, horizon)
    assert len(plan.origins) >= LEAST_ORIGINS
    assert plan.origins[-1] + plan.horizon == steps
    assert plan.horizon <= max(1, steps * MAX_HORIZON_SHARE)
    assert plan.origins[0] >= 0.5 * steps


def test_a_forecast_sees_nothing_of_what_comes_after_its_origin():
    """A back-test of a longer history, cut at an origin, says the same up to there."""
    seen = []

    def tune(training, seasons, horizon):
        seen.append(training.size)

        def forecast(history, horizon):
            seen.append(history.size)
            return {"average": moving_average(history, PER_DAY, horizon)}

        return forecast

    values = course(200)
    test = back_test(series(values), 24, tune)
    assert seen == [test.plan.origins[0], *test.plan.origins]
    spoiled = values.copy()
    spoiled[test.plan.origins[3] :] += 1e6
    again = back_test(series(spoiled), 24, tune)
    for k, origin in enumerate(test.plan.origins[:4]):
        ahead = slice(origin, origin + 24)
        np.testing.assert_allclose(
            values[ahead] - test.errors["average"][k], spoiled[ahead] - again.errors["average"][k], atol=1e-6
        )


def test_what_was_filled_in_is_not_counted_as_measured():
    whole = series(course(120))
    holes = series(whole.values)
    holes.observed[100:110] = False
    errors = back_test(holes, 20, simple_tune).errors["line"]
    assert np.isnan(errors).any()
    assert np.isfinite(back_test(whole, 20, simple_tune).errors["line"]).all()


def test_the_methods_fit_the_course():
    flat = look_ahead(series(course(256, noise=1.0)), 24, TUNE)
    assert flat.method in {"moving_average", "daily_level", "level"}
    daily = look_ahead(series(course(256, daily=5.0, noise=0.3)), 24, TUNE)
    assert daily.method.startswith(("daily", "weekly"))
    rising = look_ahead(series(course(256, slope_per_day=1.0, daily=5.0, noise=0.3)), 24, TUNE)
    assert rising.method in {"daily_line", "daily_damped_trend", "daily_growth", "weekly_line"}
    truth = course(24, slope_per_day=1.0, daily=5.0, noise=0.0, start=256)
    assert np.abs(rising.expected - truth).max() < 1.5


def test_a_simpler_method_wins_a_tie():
    rng = np.random.default_rng(1)
    errors = rng.standard_normal((12, 20))
    assert choose({"simple": errors, "rich": errors + 1e-9}) == "simple"
    assert choose({"simple": errors + 5.0 * rng.standard_normal((12, 1)), "rich": errors}) == "rich"


def test_the_crps_of_a_sharp_and_true_distribution_is_lower():
    rng = np.random.default_rng(2)
    sharp, wide = rng.normal(0, 1, (60, 10)), rng.normal(0, 3, (60, 10))
    ratio = np.nanmean(crps_by_origin(wide)) / np.nanmean(crps_by_origin(sharp))
    assert ratio == pytest.approx(3.0, rel=0.2)
    assert np.nanmean(crps_by_origin(sharp)) == pytest.approx(1 / np.sqrt(np.pi), rel=0.1)


def test_crps_is_unknown_where_nothing_was_measured():
    errors = np.zeros((6, 4))
    errors[2] = np.nan
    scores = crps_by_origin(errors)
    assert np.isnan(scores[2])
    assert scores[0] == 0.0


def test_a_method_that_leans_to_one_side_pays_for_it():
    rng = np.random.default_rng(3)
    errors = rng.standard_normal((12, 20))
    assert choose({"leaning": errors + 2.0, "upright": 1.2 * errors}) == "upright"


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_spread_never_falls_with_the_lead_and_quantiles_never_cross(seed):
    rng = np.random.default_rng(seed)
    errors = rng.standard_normal((10, 30)) * rng.uniform(0.1, 3.0, 30)
    errors[rng.random(errors.shape) < 0.2] = np.nan
    errors[0] = 1.0
    spread = learn_spread(errors, 1e-9)
    assert (np.diff(spread.scale) >= -1e-12).all()
    quantiles = [spread.quantile(p) for p in (0.05, 0.3, 0.5, 0.8, 0.95)]
    assert all((b >= a).all() for a, b in pairwise(quantiles))


@settings(max_examples=20)
@given(st.floats(-1e3, 1e3), st.floats(1e-2, 1e3))
def test_a_change_of_unit_changes_nothing_but_the_unit(offset, factor):
    values = course(120, slope_per_day=0.4, daily=1.0)
    plain = look_ahead(series(values), 16, simple_tune)
    other = look_ahead(series(factor * values + offset), 16, simple_tune)
    assert other.method == plain.method
    np.testing.assert_allclose(other.expected, factor * plain.expected + offset, rtol=1e-6, atol=1e-6 * factor)
    np.testing.assert_allclose(other.interval(0.8)[1], factor * plain.interval(0.8)[1] + offset, rtol=1e-5)


def test_intervals_hold_as_often_as_they_say():
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        values = course(160, noise=0.5, seed=seed) + np.cumsum(0.1 * rng.standard_normal(160))
        outlook = look_ahead(series(values[:140]), 20, simple_tune)
        lower, upper = outlook.interval(0.8)
        inside.append(((values[140:] >= lower) & (values[140:] <= upper)).mean())
    assert 0.7 < np.mean(inside) < 0.95


def test_a_dead_constant_column_is_forecast_as_what_it_is():
    outlook = look_ahead(series(np.full(100, 7.0)), 16, TUNE)
    lower, upper = outlook.interval(0.8)
    np.testing.assert_allclose(outlook.expected, 7.0)
    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    assert (upper - lower).max() < 1e-3


def test_the_same_history_gives_the_same_forecast():
    values = course(180, slope_per_day=0.1, daily=2.0, noise=0.5)
    first, second = (look_ahead(series(values), 20, TUNE) for _ in range(2))
    np.testing.assert_array_equal(first.expected, second.expected)
    assert first.tested == second.tested


def test_no_method_no_forecast():
    with pytest.raises(NotForecastable, match="no method"):
        look_ahead(series(course(100)), 10, lambda *_: lambda *_: {})
