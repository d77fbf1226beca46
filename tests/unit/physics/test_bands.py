"""Bands come out exactly as agreed, on the edges and a hair beside them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.physics.bands import (
    BANDS,
    CHILLER_APPROACH_K,
    CHILLER_KW_PER_TON,
    PHASE_IMBALANCE_PCT,
    UNKNOWN,
    Bands,
)
from forewarn.domain.physics.registry import FORMULAE


@pytest.mark.parametrize(
    ("bands", "value", "category"),
    [
        (CHILLER_APPROACH_K, -0.2, "excellent"),
        (CHILLER_APPROACH_K, 1.999, "excellent"),
        (CHILLER_APPROACH_K, 2.0, "good"),
        (CHILLER_APPROACH_K, 2.999, "good"),
        (CHILLER_APPROACH_K, 3.0, "fair"),
        (CHILLER_APPROACH_K, 4.499, "fair"),
        (CHILLER_APPROACH_K, 4.5, "poor"),
        (CHILLER_APPROACH_K, 6.0, "poor"),
        (CHILLER_APPROACH_K, math.nextafter(6.0, 7.0), "critical"),
        (CHILLER_KW_PER_TON, 0.549, "excellent"),
        (CHILLER_KW_PER_TON, 0.55, "good"),
        (CHILLER_KW_PER_TON, 0.70, "fair"),
        (CHILLER_KW_PER_TON, 0.849, "fair"),
        (CHILLER_KW_PER_TON, 0.85, "poor"),
        (CHILLER_KW_PER_TON, 1.00, "critical"),
        (PHASE_IMBALANCE_PCT, 0.0, "excellent"),
        (PHASE_IMBALANCE_PCT, 1.0, "good"),
        (PHASE_IMBALANCE_PCT, 2.0, "fair"),
        (PHASE_IMBALANCE_PCT, 3.5, "poor"),
        (PHASE_IMBALANCE_PCT, 4.999, "poor"),
        (PHASE_IMBALANCE_PCT, 5.0, "critical"),
    ],
)
def test_the_agreed_bands(bands, value, category):
    assert bands.category(value) == category


def test_what_is_not_known_has_no_band():
    assert CHILLER_APPROACH_K.category(math.nan) is None
    np.testing.assert_array_equal(CHILLER_APPROACH_K.grade(np.array([1.0, np.nan, 9.0])), [0, UNKNOWN, 4])


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=2), st.sampled_from(sorted(BANDS)))
def test_more_is_never_better(values, name):
    low, high = BANDS[name].grade(np.sort(np.array(values)))
    assert low <= high


@pytest.mark.parametrize("name", sorted(BANDS))
def test_bands_grade_results_of_a_formula_in_its_unit(name):
    assert FORMULAE[name].unit == BANDS[name].unit


def test_edges_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="must rise"):
        Bands(unit="K", edges=(1.0, 2.0, 2.0, 3.0))
