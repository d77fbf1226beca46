from dataclasses import replace

import numpy as np
import pytest

from forewarn.adapters.boosting.lightgbm_trees import LightGbmTrees
from forewarn.domain.prognosis.fleet import interval, train
from forewarn.domain.prognosis.metrics import coverage, rmse
from forewarn.domain.prognosis.outlook import LifeOutlook
from forewarn.domain.prognosis.runs import Runs, evenly_spaced
from support.fleets import cut_off, runs_of, worn_fleet


def all_failed(runs):
    return np.ones(runs.units, dtype=bool)


def trained(runs, failed=None, *, cap=np.inf, seed=0):
    failed = all_failed(runs) if failed is None else failed
    return train(runs, failed, LightGbmTrees(rounds=80), np.random.default_rng(seed), cap=cap)


def test_the_mean_lies_between_p10_and_p90_also_where_all_of_the_distribution_is_at_the_cap():
    held_out = np.full(60, 49.9)
    outlook = LifeOutlook(
        predicted=held_out,
        actual=np.full(60, 50.0),
        known=np.ones(60, dtype=bool),
        unit=np.arange(60),
        share=0.5,
    )
    lives = interval(outlook, np.array([49.9]), 50.0)
    assert (lives.p10[0], lives.mean[0], lives.p90[0]) == (50.0, 50.0, 50.0)


@pytest.fixture(scope="module")
def fleet():
    return worn_fleet(12)


@pytest.fixture(scope="module")
def training(fleet):
    return trained(fleet, cap=50.0)


def test_life_left_is_predicted_for_units_never_seen(training):
    histories, left = cut_off(worn_fleet(60, seed=1))
    forecast = training.model.predict(histories, histories.last_rows)
    actual = np.minimum(left, 50.0)
    assert rmse(forecast.mean, actual) < 0.5 * np.std(actual)
    assert 0.7 <= coverage(forecast.p10, forecast.p90, actual) <= 0.98
    assert np.all((forecast.p10 <= forecast.p50) & (forecast.p50 <= forecast.p90))
    for lives in (forecast.p10, forecast.p50, forecast.p90, forecast.mean):
        assert lives.min() >= 0.0
        assert lives.max() <= 50.0


def test_probability_of_failure_rises_with_the_horizon_and_fits_what_happens(training):
    histories, left = cut_off(worn_fleet(60, seed=2))
    mean = training.model.mean(histories, histories.last_rows)
    chances = training.model.failure_probability(mean, [5.0, 10.0, 20.0, 40.0])
    assert np.all(np.diff(chances, axis=1) >= 0.0)
    assert chances[:, 2].mean() == pytest.approx(np.mean(left <= 20.0), abs=0.12)


def test_the_same_seed_gives_the_same_model(fleet, training):
    again = trained(fleet, cap=50.0)
    np.testing.assert_array_equal(again.held_out.mean, training.held_out.mean)
    np.testing.assert_array_equal(again.model.forest.threshold, training.model.forest.threshold)


def test_a_prediction_knows_nothing_of_later_rows(fleet, training):
    early = np.array([own.start + 9 for own in fleet.slices()])
    parts = [(fleet.time[o][:10], fleet.tags[o][:10], fleet.drivers[o][:10]) for o in fleet.slices()]
    short = runs_of(parts)
    np.testing.assert_array_equal(training.model.mean(fleet, early), training.model.mean(short, short.last_rows))


def test_one_row_of_a_unit_is_enough_to_predict(fleet, training):
    one = runs_of([(np.array([1.0]), fleet.tags[:1], fleet.drivers[:1])])
    forecast = training.model.predict(one, one.last_rows)
    assert forecast.mean[0] > 25.0


def test_missing_values_cost_little():
    runs = worn_fleet(10, noise=0.05)
    holes = np.random.default_rng(0).random(runs.tags.shape) < 0.3
    model = trained(replace(runs, tags=np.where(holes, np.nan, runs.tags))).model
    histories, left = cut_off(worn_fleet(40, seed=1, noise=0.05))
    assert rmse(model.mean(histories, histories.last_rows), left) < 0.6 * np.std(left)
    blank = replace(histories, tags=np.full(histories.tags.shape, np.nan))
    assert np.isfinite(model.mean(blank, blank.last_rows)).all()


def test_a_single_absurd_value_does_not_drown_the_rest(fleet, training):
    tags = fleet.tags.copy()
    tags[20, 0] = 1e10
    model = trained(replace(fleet, tags=tags), cap=50.0).model
    histories, left = cut_off(worn_fleet(40, seed=3))
    actual = np.minimum(left, 50.0)
    clean = rmse(training.model.mean(histories, histories.last_rows), actual)
    assert rmse(model.mean(histories, histories.last_rows), actual) < 1.3 * clean


def test_units_taken_out_alive_add_what_they_know():
    """Without the column, runs that were stopped halfway would teach that life is short."""
    runs = worn_fleet(14, seed=5)
    alive = np.arange(runs.units) % 2 == 0
    parts = []
    for unit, own in enumerate(runs.slices()):
        rows = slice(own.start, own.start + (own.stop - own.start) // 2) if alive[unit] else own
        parts.append((runs.time[rows], runs.tags[rows], runs.drivers[rows]))
    stopped = runs_of(parts)
    histories, left = cut_off(worn_fleet(40, seed=6))
    fair = trained(stopped, ~alive).model.mean(histories, histories.last_rows)
    naive = trained(stopped).model.mean(histories, histories.last_rows)
    assert rmse(fair, left) < rmse(naive, left)
    assert abs(np.mean(fair - left)) < abs(np.mean(naive - left))


def test_time_that_counts_from_birth_is_age_even_where_a_history_begins_late(fleet, training):
    assert training.model.preparation.birth == 1.0
    late = runs_of([(fleet.time[20:30], fleet.tags[20:30], fleet.drivers[20:30])])
    shifted = replace(late, time=late.time - 20.0)
    ages = [training.model.preparation.features_of(r, r.last_rows)[0, 0] for r in (late, shifted)]
    assert ages[0] > ages[1]


def test_calendar_time_counts_from_the_first_row_of_a_unit():
    runs = worn_fleet(4)
    moved = replace(runs, time=runs.time + 500.0 * runs.unit_of_row)
    assert trained(moved).model.preparation.birth is None


@pytest.mark.parametrize(("units", "failures"), [(2, 2), (5, 2), (3, 0)])
def test_too_few_failures_are_refused(units, failures):
    runs = worn_fleet(units)
    with pytest.raises(ValueError, match=f"{failures} of {units} units ran to failure; at least 3"):
        trained(runs, np.arange(units) < failures)


def test_runs_without_life_are_refused():
    one_row = runs_of([(np.array([1.0]), np.array([[float(k)]]), np.empty((1, 0))) for k in range(4)])
    with pytest.raises(ValueError, match="more than one row"):
        trained(one_row)


def test_rows_of_runs_must_fit_together():
    with pytest.raises(ValueError, match="must rise"):
        Runs(starts=np.array([0, 2]), time=np.array([2.0, 1.0]), tags=np.zeros((2, 1)), drivers=np.empty((2, 0)))


def test_rows_are_chosen_evenly_and_the_last_one_always():
    runs = worn_fleet(3)
    rows = evenly_spaced(runs, 16)
    assert rows.size == 48
    assert set(runs.last_rows) <= set(rows.tolist())
    np.testing.assert_array_equal(evenly_spaced(runs, 10_000), np.arange(runs.time.size))
