"""Growth and remaining life against the truth: known lines, known crossings, known noise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.health import rul
from forewarn.domain.health.course import Usual, course
from forewarn.domain.health.growth import (
    BUCKETS_S,
    MEMORIES_S,
    UNSEEN,
    Growth,
    HealthyLevel,
    Regression,
    learn_healthy,
    observe,
)
from forewarn.domain.health.rul import estimate

PUMP = load_catalogue()["centrifugal_pump"]
MODES = {mode.id: mode for mode in PUMP.failure_modes}
PISTON = load_catalogue()["reciprocating_compressor"]
ROD_DROP = next(mode for mode in PISTON.failure_modes if mode.id == "rider_ring_wear")
DAY_S = 86_400.0
T0 = 1_795_204_800.0


def observe_one(growth, times, values, expected=np.nan):
    owners = np.zeros(len(times), dtype=np.intp)
    (after,) = observe([growth], owners, times, values, np.broadcast_to(expected, len(times)))
    return after


def life(mode_id, values, step_s=1.0):
    """Estimate after feeding an indicator sampled every ``step_s`` seconds."""
    mode = MODES[mode_id]
    times = T0 + step_s * np.arange(len(values))
    growth = observe_one(UNSEEN, times, np.asarray(values, dtype=float))
    return estimate(mode, growth, float(times[-1]), asset_class=PUMP)


def rising(hours, *, noise, seed, threshold=7.1, start=1.5, share=0.6, step_s=10.0):
    """Exponential growth that has gone ``share`` of the way; returns values and the true days left."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, hours * 3600, step_s)
    rate = np.log(threshold / start) / (hours * 3600 / share)
    values = start * np.exp(rate * t) * np.exp(noise * rng.normal(size=t.size))
    return values, (hours * 3600 / share - t[-1]) / DAY_S


@pytest.mark.parametrize("hours", [0.5, 4.0, 48.0])
def test_exponential_growth_is_foretold_within_a_tenth(hours):
    values, truth = rising(hours, noise=0.02, seed=1)
    found = life("bearing_wear", values, 10.0)
    assert found.p50_days == pytest.approx(truth, rel=0.1)
    assert found.p10_days < found.p50_days < found.p90_days


def test_a_falling_indicator_fails_low():
    rng = np.random.default_rng(2)
    t = np.arange(0, 7200, 5.0)
    values = 70 - 20 * t / 7200 + 0.3 * rng.normal(size=t.size)
    found = life("impeller_wear", values, 5.0)
    left = 50 - MODES["impeller_wear"].threshold
    assert found.p50_days == pytest.approx(left / (20 / 7200) / DAY_S, rel=0.1)


def test_the_interval_holds_its_nominal_share():
    inside = 0
    runs = 200
    for seed in range(runs):
        values, truth = rising(1.0, noise=0.08, seed=seed, share=0.5, step_s=20.0)
        found = life("bearing_wear", values, 20.0)
        inside += found is not None and found.p10_days <= truth <= found.p90_days
    assert 0.75 <= inside / runs <= 0.99  # a line that goes on as it did: what real growth wanders comes on top


def test_the_risk_is_of_the_same_distribution_as_the_quantiles():
    """At P10, P50 and P90 a tenth, half and nine tenths have failed; the horizons lie on the same curve."""
    passage = rul._Passage(
        distance=3.0,
        distance_var=0.04,
        speed=0.1,
        speed_var=1e-4,
        covariance=2e-4,
        memory_s=1e9,
        window_s=1e9,
        worn=0.0,
    )
    for share, z in ((0.1, -rul._QUANTILE_Z), (0.5, 0.0), (0.9, rul._QUANTILE_Z)):
        assert rul._probability(passage, rul._reached_s(passage, z)) == pytest.approx(share)


@pytest.mark.parametrize(("hours", "week", "month"), [(48.0, 1.0, 1.0), (24 * 40.0, 0.0, 0.6)])
def test_risk_follows_the_horizon(hours, week, month):
    values, truth = rising(hours, noise=0.05, seed=11, step_s=hours)
    risk = life("bearing_wear", values, hours).risk
    assert risk.within_7_days <= risk.within_30_days <= risk.within_90_days
    assert risk.within_7_days == pytest.approx(week, abs=0.01)
    assert (risk.within_30_days > 0.5) == (truth < 30) == (month > 0.5)
    assert risk.within_90_days == pytest.approx(1, abs=0.01)


def test_the_risk_is_calibrated():
    """Of machines that wear out at different times as many fail within 30 days as was said, also of the unsure."""
    said, happened = [], []
    for seed in range(160):
        share = np.random.default_rng(1000 + seed).uniform(0.42, 0.7)
        values, truth = rising(24 * 30.0, noise=0.2, seed=seed, share=share, step_s=10_800.0)
        found = life("bearing_wear", values, 10_800.0)
        if found is not None:
            said.append(found.risk.within_30_days)
            happened.append(truth <= 30.0)
    said, happened = np.array(said), np.array(happened)
    unsure = (said > 0.1) & (said < 0.9)
    assert unsure.sum() >= 30
    assert said.mean() == pytest.approx(happened.mean(), abs=0.1)  # noise of 20 % leaves little to see a bend by
    assert said[unsure].mean() == pytest.approx(happened[unsure].mean(), abs=0.15)


@pytest.mark.parametrize("seed", range(20))
def test_steady_noise_has_no_remaining_life(seed):
    values = 2.0 * np.exp(0.05 * np.random.default_rng(seed).normal(size=3_000))
    assert life("bearing_wear", values, 2.0) is None


def test_recovery_has_no_remaining_life():
    values, _ = rising(1.0, noise=0.02, seed=3)
    assert life("bearing_wear", values[::-1], 10.0) is None


def test_too_few_readings_have_none():
    values, _ = rising(0.02, noise=0.0, seed=4)
    assert life("bearing_wear", values, 10.0) is None


def test_no_line_is_prolonged_far_beyond_what_it_was_fitted_on():
    t = np.arange(0, 600, 1.0)
    assert life("impeller_wear", 70 - 1e-4 * t, 1.0) is None


def test_beyond_the_threshold_no_life_is_left():
    found = life("bearing_wear", np.full(600, 9.0) + 0.05 * np.random.default_rng(5).normal(size=600))
    assert (found.p10_days, found.p50_days, found.p90_days) == (0, 0, 0)
    assert found.risk.within_7_days == 1


def test_values_without_logarithm_and_gaps_are_left_out():
    values, truth = rising(1.0, noise=0.02, seed=6)
    values[::7] = np.nan
    values[3::50] = -1.0
    assert life("bearing_wear", values, 10.0).p50_days == pytest.approx(truth, rel=0.1)


def test_all_unknown_changes_nothing():
    assert observe_one(UNSEEN, np.array([T0]), np.array([np.nan])) == UNSEEN


def test_a_later_fault_is_not_hidden_by_a_long_healthy_past():
    rng = np.random.default_rng(7)
    healthy = 1.5 * np.exp(0.02 * rng.normal(size=6 * 360))
    growing, truth = rising(1.0, noise=0.02, seed=8)
    found = life("bearing_wear", np.concatenate([healthy, growing]), 10.0)
    assert found.p50_days == pytest.approx(truth, rel=0.35)


@given(st.lists(st.integers(1, 499), max_size=10, unique=True))
def test_growth_does_not_depend_on_how_readings_are_cut(cuts):
    rng = np.random.default_rng(9)
    times = T0 + np.cumsum(rng.uniform(0.5, 900.0, 500))
    values, expected = rng.normal(size=(2, 500))
    expected[rng.random(500) < 0.2] = np.nan
    growth = UNSEEN
    for part in np.split(np.arange(500), sorted(cuts)):
        growth = observe_one(growth, times[part], values[part], expected[part])
    assert growth == observe_one(UNSEEN, times, values, expected)


def a_machine_with_load(days, wear, *, seed, noise=0.02):
    """Vibration that half a load cycle doubles, with wear on top; times, measured and expected values."""
    times = T0 + np.arange(0.0, days * DAY_S, 600.0)
    load = 1.0 + 0.3 * np.sin(2 * np.pi * times / DAY_S) + 0.1 * np.sin(2 * np.pi * times / (5.3 * DAY_S))
    healthy = 1.5 * load
    noise = noise * np.random.default_rng(seed).normal(size=times.size)
    return times, healthy + wear(times - T0) * load + noise, healthy


def worn_life(days, wear, *, suspected, expected=True, seed=21):
    times, values, healthy = a_machine_with_load(days, wear, seed=seed)
    start = replace(UNSEEN, healthy=HealthyLevel(version=1, count=10, total=15.0))
    growth = observe_one(start, times, values, healthy if expected else np.nan)
    return estimate(MODES["bearing_wear"], growth, float(times[-1]), asset_class=PUMP, suspected=suspected)


def exponential_wear(seconds):
    return 0.2 * np.expm1(0.1 * seconds / DAY_S)


@pytest.mark.parametrize("days", [26.3, 29.9, 30.6])
def test_load_is_told_from_wear_by_what_the_twin_expects(days):
    """Wear of 0.2·(e^(0.1 d) − 1) over 1.5 mm/s passes 7.1 mm/s at the mean load after 33.7 days."""
    truth = 10.0 * np.log1p(5.6 / 0.2) - days
    assert worn_life(days, exponential_wear, suspected=True).p50_days == pytest.approx(truth, rel=0.2)


def test_a_load_that_rises_is_no_wear():
    for days in np.arange(8.0, 12.0, 0.25):
        assert worn_life(days, np.zeros_like, suspected=True) is None


def test_growth_that_nothing_points_to_counts_once_a_fifth_of_the_way_is_gone():
    assert worn_life(14.0, exponential_wear, suspected=True) is not None  # 0.6 of 5.6 mm/s
    assert worn_life(14.0, exponential_wear, suspected=False) is None
    assert worn_life(26.0, exponential_wear, suspected=False) is not None


def test_the_recursive_regression_on_time_and_expectation_equals_weighted_least_squares():
    times = bucket_times(60)
    t, rng = times - times[-1], np.random.default_rng(15)
    expected = 2.0 + rng.normal(size=t.size)
    values = 3 + 0.01 * t + 2e-5 * t**2 + 1.5 * expected + 1e-4 * rng.normal(size=t.size)
    regression = shortest(times, values, expected)
    usual = Usual(at_s=float(times[0]), level=2.0, slope_per_s=0.0, slope_var=0.0)
    seen = course(regression, float(times[-1]), usual=usual)
    assert seen.level == pytest.approx(3 + 1.5 * 2.0, rel=1e-3)
    assert seen.slope_per_s == pytest.approx(0.01, rel=1e-2)
    assert seen.bend_per_s2 == pytest.approx(4e-5, rel=1e-2)


def test_a_gap_in_the_expectation_changes_nothing_else():
    times = bucket_times(60)
    values = 3 + 0.01 * (times - times[0])
    expected = np.where(np.arange(60) % 3, 5.0, np.nan)
    assert shortest(times, values, expected).s_ee == 0.0
    assert shortest(times, values, expected).s_ty == shortest(times, values).s_ty


def test_the_healthy_level_is_that_of_the_readings_the_twin_learned_from():
    values, baseline = np.array([1.0, 2.0, np.nan, 3.0, 9.0]), np.array([True, True, True, True, False])
    growth, first = learn_healthy(UNSEEN, values, baseline, np.full(5, 7, dtype=np.uint32))
    assert (growth.healthy, first) == (HealthyLevel(version=7, count=3, total=6.0), 0)
    again, first = learn_healthy(growth, values[:1], baseline[:1], np.full(1, 7, dtype=np.uint32))
    assert (again.healthy.level, first) == (7.0 / 4.0, 0)


def test_growth_begins_anew_where_the_twin_learned_anew():
    growth = observe_one(UNSEEN, T0 + 60.0 * np.arange(500), np.linspace(2, 6, 500))
    growth, _ = learn_healthy(growth, np.ones(1), np.ones(1, dtype=bool), np.ones(1, dtype=np.uint32))
    worn = observe_one(growth, T0 + 60.0 * np.arange(500), np.linspace(2, 6, 500))
    repaired, first = learn_healthy(
        worn, np.array([6.0, 2.0, 2.0]), np.array([False, True, True]), np.array([1, 2, 2], dtype=np.uint32)
    )
    assert first == 1
    assert repaired == replace(UNSEEN, healthy=HealthyLevel(version=2, count=2, total=4.0))


def test_a_state_stored_with_other_memories_begins_anew():
    old = Growth(regressions=(Regression(memory_s=180.0, buckets=40, weight=3.0),) * 4, healthy=HealthyLevel(version=1))
    assert observe_one(old, np.array([T0]), np.array([np.nan])) == replace(UNSEEN, healthy=HealthyLevel(version=1))


def test_the_recursive_fit_equals_weighted_least_squares():
    rng = np.random.default_rng(10)
    memory = MEMORIES_S[0]
    width = BUCKETS_S[0]
    times = np.ceil(T0 / width) * width + width * (np.arange(40) + 0.5)
    values = 3 + 0.01 * (times - times[0]) + 0.2 * rng.normal(size=40)
    seen = course(shortest(times, values), float(times[-1]))
    weights = np.exp((times[:-1] - times[-2]) / memory)  # the last bucket is still filling
    slope, _ = np.polyfit(times[:-1] - T0, values[:-1], 1, w=np.sqrt(weights))
    assert seen.mean_slope_per_s == pytest.approx(slope, rel=1e-6)


def shortest(times, values, expected=np.nan):
    """The shortest memory's regression over all but the last of buckets of one reading."""
    return observe_one(UNSEEN, times, values, expected).regressions[0]


def bucket_times(number):
    width = BUCKETS_S[0]
    return np.ceil(T0 / width) * width + width * (np.arange(number) + 0.5)


def test_the_recursive_parabola_equals_weighted_least_squares():
    times = bucket_times(60)
    t = times - times[-1]
    values = 3 + 0.01 * t + 2e-5 * t**2 + 1e-3 * np.random.default_rng(12).normal(size=t.size)
    seen = course(shortest(times, values), float(times[-1]))
    weights = np.exp(t[:-1] / MEMORIES_S[0])
    bend, slope, level = np.polyfit(t[:-1], values[:-1], 2, w=np.sqrt(weights))
    assert seen.bend_per_s2 == pytest.approx(2 * bend, rel=1e-2)  # a little of it is not trusted
    assert seen.slope_per_s == pytest.approx(slope, rel=1e-2)
    assert seen.level == pytest.approx(level, rel=1e-3)


def test_a_bend_within_its_error_is_not_believed():
    times = bucket_times(60)
    noise = np.random.default_rng(13).normal(size=times.size)
    regression = shortest(times, 3 + 0.01 * (times - times[0]) + 0.3 * noise)
    seen = course(regression, float(times[-1]))
    assert seen.slope_per_s == pytest.approx(seen.mean_slope_per_s, rel=0.1)


@pytest.mark.parametrize(("shape", "left"), [(0.8, 0.25), (-0.5, 0.4)])
def test_growth_that_bends_is_foretold_within_a_fifth(shape, left):
    """Efficiency that falls faster and faster, or slower and slower: a straight line misses by half and more."""
    hours, limit = 48.0, MODES["impeller_wear"].threshold
    way = np.arange(0.0, 1.0 - left, 1.0 / (hours * 360))
    course_of = (lambda x: np.expm1(3 * x) / np.expm1(3)) if shape > 0 else (lambda x: x / (x + 1) * 2)
    values = 70 - (70 - limit) * course_of(way) + 0.05 * np.random.default_rng(14).normal(size=way.size)
    found = life("impeller_wear", values, 10.0)
    truth = (1.0 - way[-1]) * hours * 3600 / DAY_S
    assert found.p50_days == pytest.approx(truth, rel=0.2)


def test_errors_that_last_make_the_level_less_sure():
    """The same errors, in an order in which neighbours are alike, say less than shuffled ones."""
    rng, times = np.random.default_rng(16), bucket_times(60)
    lasting = np.convolve(rng.normal(size=times.size + 7), np.ones(8), mode="valid")
    line = 3 + 0.01 * (times - times[0])
    shuffled, alike = (
        course(shortest(times, line + error), float(times[-1])) for error in (rng.permutation(lasting), lasting)
    )
    assert alike.level_var > 3.0 * shuffled.level_var


def test_steps_of_the_expected_part_are_no_noise():
    """A load that comes and goes within each bucket is taken out of the steps as it is out of the errors."""
    times = bucket_times(60)
    rng = np.random.default_rng(17)
    expected = 2.0 + np.resize([-1.0, 1.0], times.size)
    lasting = np.convolve(rng.normal(size=times.size + 7), np.ones(8), mode="valid")
    values = 3 + 0.01 * (times - times[0]) + 0.1 * lasting + 1.5 * expected
    usual = Usual(at_s=float(times[0]), level=2.0, slope_per_s=0.0, slope_var=0.0)
    loaded = course(shortest(times, values, expected), float(times[-1]), usual=usual)
    plain = course(shortest(times, values - 1.5 * expected), float(times[-1]))
    assert loaded.level_var == pytest.approx(plain.level_var, rel=0.2)


def test_memories_are_pooled_by_their_certainty():
    """A day that sees 8 days left and a week that sees 12 say something between, nearer to the surer one."""
    growth = observe_one(UNSEEN, *_kinked())
    found = estimate(ROD_DROP, growth, T0 + 30 * DAY_S, asset_class=PISTON).p50_days
    day, week = (_alone(growth, place) for place in (2, 4))
    assert min(day, week) < found < max(day, week)
    assert abs(found - day) < abs(found - week)  # growth changed its pace four days ago


def _kinked():
    """Rods that drop by 0.02 mm a day, and by 0.04 mm in the last four of 30 days."""
    times = T0 + np.arange(0.0, 30 * DAY_S, 600.0)
    t = (times - T0) / DAY_S
    noise = 0.002 * np.random.default_rng(18).normal(size=t.size)
    return times, 0.4 + 0.02 * t + 0.02 * np.maximum(t - 26.0, 0.0) + noise


def _alone(growth, place):
    """P50 of one memory."""
    regressions = (item if k == place else replace(item, buckets=0) for k, item in enumerate(growth.regressions))
    alone = replace(growth, regressions=tuple(regressions))
    return estimate(ROD_DROP, alone, T0 + 30 * DAY_S, asset_class=PISTON).p50_days


@pytest.mark.parametrize("followed", [0.0, 0.3, 1.0])
def test_an_expectation_that_follows_the_fault_hides_no_life(followed):
    """What a fault does to the operating point, the twin expects: of a part of growth, or of all of it."""
    times, values, healthy = a_machine_with_load(28.0, exponential_wear, seed=22)
    start = replace(UNSEEN, healthy=HealthyLevel(version=1, count=10, total=15.0))
    growth = observe_one(start, times, values, healthy + followed * (values - healthy))
    found = estimate(MODES["bearing_wear"], growth, float(times[-1]), asset_class=PUMP)
    assert found.p50_days == pytest.approx(10.0 * np.log1p(5.6 / 0.2) - 28.0, rel=0.3)


def test_a_memory_from_before_there_were_parabolas_has_none_yet():
    times = bucket_times(60)
    old = replace(shortest(times, 3 + 0.01 * (times - times[0])), s_ttt=0.0, s_tttt=0.0, s_tty=0.0)
    assert course(old, float(times[-1])) is None
