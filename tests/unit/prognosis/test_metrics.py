import numpy as np
import pytest

from forewarn.domain.prognosis.metrics import (
    alpha_lambda,
    coverage,
    phm08_score,
    prognostic_horizon,
    relative_accuracy,
    rmse,
)

TIME = np.arange(11.0)
LEFT = 10.0 - TIME


def test_the_phm08_score_has_the_values_of_its_definition():
    zero = np.zeros(1)
    assert phm08_score(zero - 10.0, zero) == pytest.approx(1.15811, abs=1e-5)
    assert phm08_score(zero + 10.0, zero) == pytest.approx(1.71828, abs=1e-5)
    assert phm08_score(zero, zero) == 0.0


def test_errors_coverage_and_relative_accuracy():
    actual = np.array([10.0, 20.0, 0.0])
    predicted = np.array([13.0, 16.0, 0.0])
    assert rmse(predicted, actual) == pytest.approx(np.sqrt(25 / 3))
    assert coverage(np.array([10, 21, -1]), np.array([12, 30, 1]), actual) == pytest.approx(2 / 3)
    np.testing.assert_allclose(relative_accuracy(predicted, actual), [0.7, 0.8, np.nan])


def test_alpha_lambda_judges_one_moment():
    assert alpha_lambda(TIME, LEFT * 1.1, LEFT, alpha=0.2, lambda_=0.5)
    assert not alpha_lambda(TIME, LEFT * 1.3, LEFT, alpha=0.2, lambda_=0.5)


def test_the_horizon_begins_where_predictions_are_right_for_good():
    predicted = LEFT.copy()
    predicted[[0, 4]] += 5.0
    assert prognostic_horizon(TIME, predicted, LEFT, tolerance=1.0) == LEFT[5]
    assert prognostic_horizon(TIME, LEFT, LEFT, tolerance=1.0) == LEFT[0]
    assert prognostic_horizon(TIME, LEFT + 5.0, LEFT, tolerance=1.0) is None
