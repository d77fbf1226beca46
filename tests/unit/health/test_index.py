"""The health index and what makes it up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.health.index import (
    CAP_ABOVE_WORST,
    Observation,
    category,
    concerns,
    health_index,
    score,
)

PUMP = load_catalogue()["centrifugal_pump"]
HEALTHY = {"vibration_mm_s": 1.0, "bearing_temp_c": 50.0, "wire_to_water_efficiency_pct": 70.0}


def index(values=None, anomaly=0.0, deviation=0.0):
    observation = Observation(values={**HEALTHY, **(values or {})}, anomaly_score=anomaly, deviation=deviation)
    return health_index(PUMP, observation)


@pytest.mark.parametrize(("value", "expected"), [(2.0, 100), (2.8, 100), (4.95, 50), (7.1, 0), (9.0, 0)])
def test_a_score_is_linear_between_good_and_bad(value, expected):
    assert score(value, good=2.8, bad=7.1) == pytest.approx(expected)


def test_bad_may_lie_below_good():
    assert score(42.5, good=55, bad=30) == pytest.approx(50)


def test_an_unknown_value_has_no_score():
    assert score(None, 1, 0) is None
    assert score(math.nan, 1, 0) is None


def test_equal_limits_are_a_step():
    assert (score(5, 5, 5), score(6, 5, 5)) == (100, 0)


@pytest.mark.parametrize(
    ("health", "name"),
    [(90, "excellent"), (89.9, "good"), (70, "good"), (50, "fair"), (30, "poor"), (29.9, "critical")],
)
def test_bands(health, name):
    assert category(health).value == name


def test_a_healthy_machine_has_the_full_index():
    assert index().health == pytest.approx(100)


def test_weights_of_known_parts_sum_to_one_and_the_unknown_says_so():
    result = index({"bearing_temp_c": None})
    by_name = {metric.name: metric for metric in result.metrics}
    assert sum(metric.weight for metric in result.metrics) == pytest.approx(1)
    assert by_name["bearing_temp_c"].weight == 0
    assert by_name["bearing_temp_c"].status == "unknown"
    assert "shared among the known parts" in by_name["bearing_temp_c"].message
    assert result.health == pytest.approx(100)


def test_nothing_known_gives_no_index():
    assert health_index(PUMP, Observation(values={})).health is None


def test_good_metrics_cannot_hide_a_dangerous_one():
    assert index({"vibration_mm_s": 20.0}).health <= CAP_ABOVE_WORST


def test_the_costliest_metric_is_the_first_concern():
    low = concerns(index({"vibration_mm_s": 6.0, "bearing_temp_c": 85.0}).metrics)
    assert [metric.name for metric in low] == ["vibration_mm_s", "bearing_temp_c"]


finite = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(finite, finite, finite, st.one_of(st.none(), st.floats(0, 100)), st.one_of(st.none(), st.floats(0, 100)))
def test_the_index_is_none_or_between_0_and_100(vibration, temperature, efficiency, anomaly, deviation):
    values = dict(zip(HEALTHY, (vibration, temperature, efficiency), strict=True))
    result = index(values, anomaly, deviation)
    assert result.health is None or 0 <= result.health <= 100


@given(st.floats(0, 10), st.floats(0, 10))
def test_more_vibration_never_means_more_health(first, second):
    less, more = sorted((first, second))
    assert index({"vibration_mm_s": more}).health <= index({"vibration_mm_s": less}).health + 1e-9
