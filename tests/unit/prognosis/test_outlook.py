import numpy as np
import pytest

from forewarn.domain.prognosis.outlook import LifeSpread, learn_outlook


def held_out(units, rows, rng, *, scale=lambda predicted: 0.1 * predicted):
    predicted = np.tile(np.linspace(1.0, 100.0, rows), units)
    unit = np.repeat(np.arange(units), rows)
    error = np.repeat(rng.normal(size=units), rows)
    return predicted, np.maximum(0.0, predicted + scale(predicted) * error), unit


def test_quantiles_without_censoring_are_those_of_the_sample():
    spread = LifeSpread(excess=np.arange(1.0, 11.0), reached=np.arange(1.0, 11.0) / 10.0)
    assert spread.quantiles([0.1, 0.5, 0.9]).tolist() == [1.0, 5.0, 9.0]
    assert spread.probability(0.5) == 0.0
    assert spread.probability(3.0) == pytest.approx(0.3)
    assert spread.probability(99.0) == pytest.approx(1.0)


def test_intervals_hold_for_new_units_and_widen_where_errors_grow():
    rng = np.random.default_rng(1)
    predicted, actual, unit = held_out(60, 40, rng)
    outlook = learn_outlook(predicted, actual, np.ones(unit.size, dtype=bool), unit)
    new, truth, _ = held_out(60, 40, rng)
    low, _, high = np.array([value + outlook.around(value).quantiles([0.1, 0.5, 0.9]) for value in new]).T
    assert 0.74 <= np.mean((low <= truth) & (truth <= high)) <= 0.88
    near, far = new < 20.0, new > 80.0
    assert np.mean((high - low)[far]) > 3.0 * np.mean((high - low)[near])


def test_units_still_alive_push_the_upper_quantiles_up():
    rng = np.random.default_rng(2)
    predicted, actual, unit = held_out(40, 20, rng)
    alive = np.isin(unit, np.unique(unit)[::2])
    seen = np.where(alive, 0.6 * actual, actual)
    naive = learn_outlook(predicted, seen, np.ones(unit.size, dtype=bool), unit).around(50.0)
    fair = learn_outlook(predicted, seen, ~alive, unit).around(50.0)
    truth = learn_outlook(predicted, actual, np.ones(unit.size, dtype=bool), unit).around(50.0)
    levels = [0.5, 0.9]
    assert np.all(naive.quantiles([0.5]) < truth.quantiles([0.5]) - 3.0)
    np.testing.assert_allclose(fair.quantiles(levels), truth.quantiles(levels), atol=4.0)


def test_the_probability_of_failure_by_p10_is_ten_percent():
    rng = np.random.default_rng(3)
    predicted, actual, unit = held_out(50, 30, rng)
    spread = learn_outlook(predicted, actual, np.ones(unit.size, dtype=bool), unit).around(60.0)
    assert spread.probability(float(spread.quantiles([0.1])[0])) == pytest.approx(0.1, abs=0.03)


def test_few_units_give_wide_intervals():
    rng = np.random.default_rng(4)
    predicted, actual, unit = held_out(4, 40, rng)
    spread = learn_outlook(predicted, actual, np.ones(unit.size, dtype=bool), unit).around(50.0)
    low, high = spread.quantiles([0.1, 0.9])
    worst = np.ptp((actual - predicted)[np.isclose(predicted, 50.0, atol=2.0)])
    assert high - low >= worst


def test_a_unit_seen_alive_is_expected_to_live_longer_than_it_was_seen():
    spread = LifeSpread(excess=np.array([-10.0, 0.0, 10.0]), reached=np.array([1 / 3, 2 / 3, 1.0]))
    assert spread.mean_beyond(50.0, 45.0, np.inf) == pytest.approx(55.0)
    assert spread.mean_beyond(50.0, 45.0, 52.0) == pytest.approx(51.0)
    assert spread.mean_beyond(50.0, 70.0, np.inf) == 70.0
