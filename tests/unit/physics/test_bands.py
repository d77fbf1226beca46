"""Bands come out exactly as agreed, on the edges and a hair beside them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.physics.bands import (
    CATEGORIES,
    CHILLER_APPROACH_K,
    CHILLER_KW_PER_TON,
    PHASE_IMBALANCE_PCT,
    STANDARDS,
    UNKNOWN,
    Bands,
    category_of_score,
)
from forewarn.domain.physics.chiller import condenser_approach_k, kw_per_ton
from forewarn.domain.physics.constants import KW_PER_TON
from forewarn.domain.physics.motor import phase_imbalance_pct


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
        (CHILLER_APPROACH_K, 6.000001, "critical"),
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


@pytest.mark.parametrize(
    ("sat_temp_c", "water_temp_c", "category"),
    [(32.3, 30.3, "good"), (32.3, 29.3, "fair"), (32.3, 27.8, "poor"), (32.2, 26.2, "poor"), (32.2, 26.1, "critical")],
)
def test_an_approach_between_decimal_readings_is_graded_as_people_subtract(sat_temp_c, water_temp_c, category):
    approach_k = condenser_approach_k(np.array([sat_temp_c]), np.array([water_temp_c]))

    assert CHILLER_APPROACH_K.category(float(approach_k[0])) == category
    assert CATEGORIES[CHILLER_APPROACH_K.grade(approach_k)[0]] == category


@given(st.integers(100, 2000), st.sampled_from([0.55, 0.70, 0.85, 1.00]))
def test_a_computed_specific_power_on_an_edge_is_graded_as_the_edge(tons, edge):
    specific = kw_per_ton(np.array([edge * tons]), np.array([tons * KW_PER_TON]))

    assert CHILLER_KW_PER_TON.category(float(specific[0])) == CHILLER_KW_PER_TON.category(edge)


@given(st.integers(20, 2000), st.sampled_from([1.0, 2.0, 3.5, 5.0]))
def test_a_computed_imbalance_on_an_edge_is_graded_as_the_edge(mean_a, edge):
    phases = (np.array([mean_a * (1.0 + share * edge / 100.0)]) for share in (1.0, -0.5, -0.5))

    assert PHASE_IMBALANCE_PCT.grade(phase_imbalance_pct(*phases))[0] == PHASE_IMBALANCE_PCT.grade(np.array([edge]))[0]


def test_what_is_not_known_has_no_band():
    assert CHILLER_APPROACH_K.category(math.nan) is None
    np.testing.assert_array_equal(CHILLER_APPROACH_K.grade(np.array([1.0, np.nan, 9.0])), [0, UNKNOWN, 4])


ZONES = STANDARDS["iso_20816_3"]
ALL = {name: standard.of_machine({"iso_group": 2, "iso_support": 2}) for name, standard in STANDARDS.items()}
FALLING = Bands(unit="%", edges=(80.0, 60.0, 50.0, 45.0))


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=2), st.sampled_from(sorted(ALL)))
def test_more_is_never_better(values, name):
    low, high = ALL[name].grade(np.sort(np.array(values)))
    assert low <= high
    first, second = (ALL[name].score(value) for value in sorted(values))
    assert first >= second


@given(st.floats(-200, 200), st.sampled_from([*ALL.values(), FALLING]))
def test_the_category_of_a_score_is_that_of_its_value(value, bands):
    score = bands.score(value)
    assert 0 <= score <= 100
    assert category_of_score(score) == bands.category(value)


@pytest.mark.parametrize("bands", [*ALL.values(), FALLING])
def test_the_edges_have_the_points_of_the_categories(bands):
    assert [bands.score(edge) for edge in bands.edges] == pytest.approx([90, 70, 50, 30])
    for edge in bands.edges:
        assert category_of_score(bands.score(edge)) == bands.category(edge)


@pytest.mark.parametrize(
    ("value", "points"), [(1.5, 100), (0.0, 100), (2.5, 80), (3.75, 60), (5.25, 40), (7.5, 10), (8.25, 0), (20.0, 0)]
)
def test_an_approach_is_scored_linearly_from_edge_to_edge(value, points):
    assert CHILLER_APPROACH_K.score(value) == pytest.approx(points)


@pytest.mark.parametrize(("value", "points"), [(95, 100), (80, 90), (70, 80), (45, 30), (40, 10), (0, 0)])
def test_falling_edges_say_that_more_is_better(value, points):
    assert FALLING.score(value) == pytest.approx(points)
    assert FALLING.category(80) == "good"
    assert FALLING.grade(np.array([81.0, 80.0, 44.0])).tolist() == [0, 1, 4]


@pytest.mark.parametrize(
    ("group", "support", "edges"),
    [
        (1, 1, (2.3, 4.5, 5.8, 7.1)),
        (1, 2, (3.5, 7.1, 9.05, 11.0)),
        (2, 1, (1.4, 2.8, 3.65, 4.5)),
        (2, 2, (2.3, 4.5, 5.8, 7.1)),
    ],
)
def test_vibration_is_graded_by_the_zones_of_the_machines_group_and_support(group, support, edges):
    bands = ZONES.of_machine({"iso_group": group, "iso_support": support})
    assert bands.edges == pytest.approx(edges)


@pytest.mark.parametrize(
    "plate", [{}, {"iso_group": 0, "iso_support": 0}, {"iso_group": 2}, {"iso_group": 3, "iso_support": 1}]
)
def test_vibration_is_not_graded_for_a_machine_of_unknown_group(plate):
    assert ZONES.of_machine(plate) is None


@pytest.mark.parametrize("edges", [(1.0, 2.0, 2.0, 3.0), (1.0, 3.0, 2.0, 4.0), (3.0, 2.0, 2.0, 1.0)])
def test_edges_that_neither_rise_nor_fall_are_refused(edges):
    with pytest.raises(ValueError, match="must rise, or fall"):
        Bands(unit="K", edges=edges)
