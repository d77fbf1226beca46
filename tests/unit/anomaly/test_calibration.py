import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.anomaly.calibration import calibrate
from forewarn.domain.anomaly.ensemble import combine_p_values
from forewarn.domain.anomaly.scale import FLAG_SCORE, band_of, score_of

FIRST = np.zeros(1, dtype=np.intp)


def healthy(rows=2000, seed=1):
    return np.sqrt(np.random.default_rng(seed).chisquare(4, rows) / 4)


def p_of(calibration, values):
    values = np.asarray(values, dtype=np.float64)
    return calibration.p_values(np.zeros(values.size, dtype=np.intp), values)


@given(st.integers(0, 500), st.integers(60, 3000))
def test_p_values_fall_as_scores_rise_and_never_reach_zero(seed, rows):
    p = p_of(calibrate(healthy(rows, seed), 1e6, 10.0), np.linspace(0, 1e6, 2000))
    assert (np.diff(p) <= 0).all()
    assert 0 < p[-1] < p[0] <= 1


def test_the_threshold_is_exceeded_by_the_wanted_share_of_new_healthy_scores():
    calibration = calibrate(healthy(5000), 1e6, 10.0)
    share = np.mean(healthy(100_000, 2) > calibration.threshold(0.005))
    assert 0.0005 < share < 0.005  # the tail is a little heavier than a normal one: to the safe side


def test_the_threshold_has_the_p_value_it_was_made_for():
    calibration = calibrate(healthy(), 1e6, 10.0)
    assert p_of(calibration, calibration.threshold(0.005)) == pytest.approx(0.005)


@given(st.floats(1e-12, 0.099))
def test_scores_of_tail_p_values_are_their_inverse(p):
    calibration = calibrate(healthy(), 1e6, 10.0)
    assert p_of(calibration, calibration.scores(FIRST, np.array([p])))[0] == pytest.approx(p, rel=1e-6)


def test_scores_of_common_p_values_lie_in_the_body():
    calibration = calibrate(healthy(), 1e6, 10.0)
    scores = calibration.scores(np.zeros(4, dtype=np.intp), np.array([0.9, 0.5, 0.2, np.nan]))
    assert scores[0] < scores[1] < scores[2] <= calibration.tail_start[0]
    assert np.isnan(scores[3])


def test_combining_one_p_value_gives_it_back():
    p = np.array([1e-12, 0.01, 0.5, 0.99])
    np.testing.assert_allclose(combine_p_values([p]), p, rtol=1e-6)


def test_combining_ignores_what_is_unknown():
    p = combine_p_values([np.array([0.01, np.nan]), np.array([np.nan, np.nan])])
    assert p[0] == pytest.approx(0.01)
    assert np.isnan(p[1])


def test_one_alarmed_detector_among_many_is_heard():
    p = combine_p_values([np.array([1e-8]), *[np.array([0.5])] * 3])
    assert p[0] == pytest.approx(4e-8, rel=1e-3)


def test_combined_healthy_p_values_are_valid():
    rng = np.random.default_rng(1)
    p = combine_p_values([rng.uniform(size=100_000) for _ in range(3)])
    assert np.mean(p < 0.01) == pytest.approx(0.01, abs=0.002)


@pytest.mark.parametrize(("ratio", "score"), [(0.4, 14), (1 / 1.3, 53), (1.0, FLAG_SCORE), (1.4, 85), (10.0, 99.2)])
def test_the_anchors_of_the_score(ratio, score):
    assert score_of(np.array([ratio]))[0] == pytest.approx(score, abs=0.6)


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0.0, "monitoring"),
        (69.999, "monitoring"),
        (FLAG_SCORE, "warning"),
        (85.0, "warning"),
        (85.001, "critical"),
        (100.0, "critical"),
    ],
)
def test_a_score_is_for_monitoring_below_70_a_warning_to_85_critical_above(score, band):
    assert band_of(score) == band
