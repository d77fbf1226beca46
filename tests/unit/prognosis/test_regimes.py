from dataclasses import replace

import numpy as np
import pytest

from forewarn.domain.prognosis.regimes import find_regimes, learn_conditions
from support.fleets import runs_of, worn_fleet


@pytest.mark.parametrize("regimes", [2, 6])
def test_few_settings_are_regimes(regimes):
    rng = np.random.default_rng(regimes)
    settings = rng.uniform(size=(regimes, 2))
    drivers = settings[rng.integers(regimes, size=900)] + 0.001 * rng.normal(size=(900, 2))
    centres = find_regimes(drivers)
    assert len(centres) == regimes
    for setting in settings:
        assert np.min(np.abs(centres - setting).sum(axis=1)) < 0.01


def test_a_continuum_is_no_set_of_regimes():
    rng = np.random.default_rng(0)
    assert len(find_regimes(rng.uniform(size=(900, 1)))) == 1
    assert len(find_regimes(rng.normal(size=(900, 2)))) == 1


def test_tags_are_standardised_within_their_regime():
    rng = np.random.default_rng(1)
    setting = rng.integers(3, size=600)
    tags = np.column_stack([10.0 * setting + (1.0 + setting) * rng.normal(size=600), np.full(600, 7.0) + setting])
    runs = runs_of([(np.arange(600.0), tags, setting[:, None].astype(float))])
    clean = learn_conditions(runs).remove(runs.tags, runs.drivers)
    for regime in range(3):
        np.testing.assert_allclose(clean[setting == regime, 0].mean(), 0.0, atol=1e-9)
        np.testing.assert_allclose(clean[setting == regime, 0].std(), 1.0, atol=1e-9)
    np.testing.assert_allclose(clean[:, 1], 0.0, atol=1e-9)


def test_a_smooth_influence_of_a_driver_is_taken_out_and_wear_stays():
    runs = worn_fleet(20, load=True, noise=0.02)
    clean = learn_conditions(runs).remove(runs.tags, runs.drivers)
    assert abs(np.corrcoef(runs.tags[:, 0], runs.drivers[:, 0])[0, 1]) > 0.9
    assert abs(np.corrcoef(clean[:, 0], runs.drivers[:, 0])[0, 1]) < 0.1
    assert np.corrcoef(clean[:, 0], -runs.to_the_end)[0, 1] > 0.6


def test_drivers_without_influence_change_nothing():
    runs = worn_fleet(20)
    idle = replace(runs, drivers=np.random.default_rng(0).uniform(size=(runs.time.size, 1)))
    assert not np.any(learn_conditions(idle).weights)


def test_rows_outside_the_learned_range_are_counted_and_rows_without_driver_are_unknown():
    runs = worn_fleet(8, load=True)
    conditions = learn_conditions(runs)
    drivers = np.array([[0.5], [3.0], [np.nan]])
    assert conditions.outside(drivers) == 1
    clean = conditions.remove(np.zeros((3, 2)), drivers)
    assert np.isfinite(clean[:2]).all()
    assert np.isnan(clean[2]).all()
