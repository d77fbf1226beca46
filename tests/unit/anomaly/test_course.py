"""What a baseline is worth: known levels, likenesses by chance, states seen once."""

import numpy as np
import pytest

from forewarn.domain.anomaly.course import BaselineCourse, evidence_of
from support.plants import course as wandering

NO_BREAKS = np.empty(0, dtype=np.intp)
ROWS = 500


def evidence(measured, expected, driven=False):
    ts = np.arange(len(measured), dtype=np.int64)
    spread = measured.std(axis=0)
    return evidence_of(
        BaselineCourse(
            ts=ts, residuals=(measured - expected) / spread, measured=measured, expected=expected, driven=driven
        ),
        NO_BREAKS,
    )


def test_white_readings_without_a_model_need_no_care():
    measured = np.random.default_rng(1).normal(size=(ROWS, 3))
    seen = evidence(measured, np.zeros((ROWS, 3)))
    assert not seen.wanders.any()
    assert seen.care == pytest.approx(1.0)
    assert seen.independent > 200


def test_a_response_that_drifts_through_its_baseline_wanders():
    rng = np.random.default_rng(1)
    measured = np.column_stack([np.linspace(0, 5, ROWS) + rng.normal(0, 0.3, ROWS), rng.normal(size=ROWS)])
    assert evidence(measured, np.zeros((ROWS, 2))).wanders.tolist() == [True, False]


def test_a_slow_response_that_is_explained_does_not_wander_but_asks_for_care():
    rng = np.random.default_rng(2)
    load = wandering(rng, ROWS, 1, 0.995)
    expected = load @ np.array([[1.0, 2.0, -1.0]])
    measured = expected + 0.1 * rng.normal(size=(ROWS, 3))
    seen = evidence(measured, expected)
    assert not seen.wanders.any()
    assert seen.care > 1.2
    assert seen.independent < 20
    driven = evidence(measured, expected, driven=True)
    assert driven.care - 1.0 == pytest.approx((seen.care - 1.0) / 2.0)


def test_a_likeness_of_two_slow_courses_is_no_explanation():
    rows = np.arange(ROWS)
    slow = 4.0 * rows / ROWS
    left = np.sin(2 * np.pi * rows / 100)  # what the likeness does not explain is worth more than ten readings
    measured = (slow + left)[:, None]
    assert evidence(measured, slow[:, None]).wanders.tolist() == [True]


def test_rows_of_which_nothing_is_known_are_worth_nothing():
    seen = evidence_of(
        BaselineCourse(
            ts=np.arange(5, dtype=np.int64),
            residuals=np.full((5, 1), np.nan),
            measured=np.full((5, 1), np.nan),
            expected=np.full((5, 1), np.nan),
            driven=False,
        ),
        NO_BREAKS,
    )
    assert seen.independent == 1.0
    assert seen.wanders.all()
