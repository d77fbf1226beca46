import numpy as np

from forewarn.domain.prognosis.target_leakage import target_leakage
from support.fleets import worn_fleet

RUNS = worn_fleet(6)
FAILED = np.ones(RUNS.units, dtype=bool)


def reason(column, failed=FAILED):
    return target_leakage(column, RUNS, failed)


def test_a_column_with_the_life_left_is_found_also_when_capped_or_shifted():
    for column in (RUNS.to_the_end, np.minimum(RUNS.to_the_end, 30.0), RUNS.to_the_end + 1.0):
        assert "counts down" in reason(column)
    unknown = RUNS.to_the_end.copy()
    unknown[5] = np.nan
    assert "counts down" in reason(unknown)


def test_a_column_that_marks_the_failure_is_found():
    mark = np.zeros(RUNS.time.size)
    mark[RUNS.last_rows] = 1.0
    assert "last rows" in reason(mark)


def test_tags_age_and_noise_are_no_target_leakage():
    rng = np.random.default_rng(0)
    noisy_life = RUNS.to_the_end + 0.01 * rng.normal(size=RUNS.time.size)
    for column in (*RUNS.tags.T, RUNS.time, -RUNS.time, noisy_life, rng.normal(size=RUNS.time.size)):
        assert reason(column) is None


def test_units_that_did_not_fail_prove_nothing():
    assert reason(RUNS.to_the_end, ~FAILED) is None
