"""The health index: condition from metrics, index from components, and the lower one of both."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset, HealthWeights
from forewarn.contracts.health import FailureRisk
from forewarn.domain.health.components import Prognosis, behaviour_score, life_score
from forewarn.domain.health.index import (
    CAP_ABOVE_WORST,
    Observation,
    concerns,
    health_index,
    impaired_columns,
    present_health,
)
from forewarn.domain.health.profile import LinearScale, class_profile, profile_of, status_of

CATALOGUE = load_catalogue()
PUMP, CHILLER = CATALOGUE["centrifugal_pump"], CATALOGUE["chiller"]
STATED = {"iso_group": 2, "iso_support": 2}
HEALTHY = {"vibration_mm_s": 1.0, "bearing_temp_c": 50.0, "wire_to_water_efficiency_pct": 70.0}
COLD = {
    "vibration_mm_s": 1.0,
    "condenser_approach_k": 1.4,
    "evaporator_approach_k": 1.2,
    "phase_imbalance_pct": 0.4,
    "kw_per_ton": 0.47,
    "chw_delta_t_k": 5.0,
}


def asset(asset_class, **more):
    return Asset(asset_id="M", asset_class=asset_class.name, name="M", nameplate=STATED, **more)


def index(values=None, anomaly=0.0, deviation=0.0, prognosis=None, **more):
    observation = Observation(values={**HEALTHY, **(values or {})}, anomaly_score=anomaly, deviation=deviation)
    return health_index(profile_of(PUMP, asset(PUMP, **more)), observation, prognosis or Prognosis())


def chiller(values=None, nameplate=True, weights=None):
    known = asset(CHILLER, health_weights=weights) if nameplate else None
    return health_index(profile_of(CHILLER, known), Observation(values={**COLD, **(values or {})}))


def foreseen(days, month):
    return Prognosis(
        life_days=days, risk=FailureRisk(within_7_days=0, within_30_days=month, within_90_days=max(month, 0.9))
    )


# --- metrics


@pytest.mark.parametrize(("value", "expected"), [(2.0, 100), (2.8, 100), (4.95, 50), (7.1, 0), (9.0, 0)])
def test_a_score_is_linear_between_good_and_bad(value, expected):
    assert LinearScale(good=2.8, bad=7.1).score(value) == pytest.approx(expected)


def test_bad_may_lie_below_good():
    assert LinearScale(good=55, bad=30).score(42.5) == pytest.approx(50)


def test_an_unknown_value_has_no_score():
    assert LinearScale(good=1, bad=0).score(math.nan) is None


def test_equal_limits_are_a_step():
    limits = LinearScale(good=5, bad=5)
    assert (limits.score(5), limits.score(6)) == (100, 0)


@pytest.mark.parametrize(
    ("health", "name"),
    [(90, "excellent"), (89.9, "good"), (70, "good"), (50, "fair"), (30, "poor"), (29.9, "critical")],
)
def test_bands_of_the_index(health, name):
    assert status_of(health) == name


@pytest.mark.parametrize(
    ("column", "edges"),
    [
        ("condenser_approach_k", (1.999, 2.0, 3.0, 4.5, 6.0, 6.001)),
        ("evaporator_approach_k", (1.999, 2.0, 3.0, 4.5, 6.0, 6.001)),
        ("kw_per_ton", (0.549, 0.55, 0.70, 0.85, 0.9999, 1.0)),
        ("phase_imbalance_pct", (0.999, 1.0, 2.0, 3.5, 4.999, 5.0)),
        ("vibration_mm_s", (2.299, 2.3, 4.5, 5.8, 7.099, 7.1)),
    ],
)
def test_the_status_of_a_chillers_metric_is_the_agreed_band(column, edges):
    names = ("excellent", "good", "fair", "poor", "poor", "critical")
    metric = "condenser_approach_k" if column.endswith("approach_k") else column
    for value, name in zip(edges, names, strict=True):
        found = next(m for m in chiller({column: value}).metrics if m.name == metric)
        assert (found.status, found.value) == (name, value)


def test_the_condition_of_a_chiller_is_the_weighted_mean_of_its_scores():
    """Scores at the middle of bands: 80, 60, 60, 80, 100 with weights 0.35, 0.25, 0.20, 0.15, 0.05."""
    found = chiller(
        {"vibration_mm_s": 3.4, "condenser_approach_k": 3.75, "phase_imbalance_pct": 2.75, "kw_per_ton": 0.625}
    )
    assert [m.score for m in found.metrics] == pytest.approx([80, 60, 60, 80, 100])
    assert found.condition == pytest.approx(0.35 * 80 + 0.25 * 60 + 0.20 * 60 + 0.15 * 80 + 0.05 * 100)
    assert found.condition == pytest.approx(72.0)


def test_the_worse_approach_counts_and_is_named():
    found = chiller({"condenser_approach_k": 2.5, "evaporator_approach_k": 5.25}).metrics[1]
    assert (found.value, found.status, found.weight) == (5.25, "poor", pytest.approx(0.25))
    assert found.message == "Evaporator approach: Heat transfer through the tubes is poor"
    known = chiller({"condenser_approach_k": None, "evaporator_approach_k": 2.5}).metrics[1]
    assert (known.value, known.status) == (2.5, "good")


def test_vibration_is_not_graded_before_the_nameplate_states_group_and_support():
    found = chiller({"vibration_mm_s": 20.0}, nameplate=False)
    vibration = found.metrics[0]
    assert (vibration.status, vibration.score, vibration.weight, vibration.value) == ("unknown", None, 0, 20.0)
    assert vibration.message == (
        "not graded: the nameplate must state iso_group and iso_support; its weight of 0.35 goes to the known metrics"
    )
    assert sum(metric.weight for metric in found.metrics) == pytest.approx(1)
    assert found.condition == pytest.approx(100)


def test_weights_of_known_metrics_sum_to_one_and_the_unknown_says_so():
    result = index({"bearing_temp_c": None})
    by_name = {metric.name: metric for metric in result.metrics}
    assert sum(metric.weight for metric in result.metrics) == pytest.approx(1)
    assert by_name["vibration_mm_s"].weight == pytest.approx(0.4 / 0.75)
    assert by_name["bearing_temp_c"].status == "unknown"
    assert by_name["bearing_temp_c"].message == "no valid value; its weight of 0.25 goes to the known metrics"
    assert result.health == pytest.approx(100)


def test_good_metrics_cannot_hide_a_dangerous_one():
    assert index({"vibration_mm_s": 20.0}).condition <= CAP_ABOVE_WORST


def test_a_metric_of_little_weight_does_not_cap_the_condition():
    assert chiller({"chw_delta_t_k": 0.1}).condition == pytest.approx(95)


# --- components


@pytest.mark.parametrize(
    ("days", "points"),
    [
        (365, 95),
        (180.1, 95),
        (180, 80),
        (90, 80),
        (89.9, 60),
        (30, 60),
        (29.9, 40),
        (7, 40),
        (6.99, 20),
        (0, 20),
    ],
)
def test_remaining_life_is_scored_in_steps(days, points):
    assert life_score(days) == points


def test_the_component_index_is_the_agreed_weighted_mean():
    found = index(anomaly=35, deviation=20, prognosis=foreseen(60, 0.3))
    assert {c.name: (c.score, c.weight) for c in found.components} == {
        "twin": (80, 0.30),
        "anomaly": (85, 0.30),
        "rul": (60, 0.25),
        "risk": (pytest.approx(70), 0.15),
    }
    assert found.component_index == pytest.approx(0.30 * 80 + 0.30 * 85 + 0.25 * 60 + 0.15 * 70)
    assert (found.health, found.limited_by) == (pytest.approx(75), "components")
    assert [c.status for c in found.components] == ["good", "good", "fair", "good"]


@pytest.mark.parametrize(
    ("anomaly", "points"), [(0, 100), (35, 85), (70, 70), (77.5, 50), (85, 30), (92.5, 15), (100, 0)]
)
def test_bands_of_the_anomaly_score_are_bands_of_its_component(anomaly, points):
    assert behaviour_score(anomaly) == pytest.approx(points)


def test_components_that_are_unknown_share_their_weight_and_say_so():
    found = index(anomaly=35, deviation=None)
    by_name = {component.name: component for component in found.components}
    assert by_name["anomaly"].weight == pytest.approx(1)
    assert found.component_index == pytest.approx(85)
    assert by_name["twin"].message.endswith("its weight of 30% goes to the known components")
    assert by_name["rul"].message.startswith("No failure mode is growing")
    assert by_name["risk"].score is None


@pytest.mark.parametrize(
    ("anomaly", "words"),
    [
        (30, "Normal behaviour"),
        (30.1, "Slight deviation"),
        (70, "Clear deviation"),
        (85, "Clear deviation"),
        (85.1, "Strong deviation"),
    ],
)
def test_the_anomaly_is_told_in_words_that_grow_with_it_and_is_a_concern_in_its_warning_band(anomaly, words):
    found = index(anomaly=anomaly).components
    assert words in found[1].message
    assert bool(concerns(found)) == (anomaly > 70)


def test_the_index_is_the_lower_view():
    bad = index({"vibration_mm_s": 6.45})
    assert (bad.limited_by, bad.health) == ("condition", bad.condition)
    odd = index(anomaly=85, deviation=70)
    assert (odd.limited_by, odd.health) == ("components", pytest.approx(30))
    assert odd.condition == pytest.approx(100)


def test_without_components_the_condition_is_the_index():
    found = index(anomaly=None, deviation=None)
    assert (found.health, found.component_index, found.limited_by) == (found.condition, None, "condition")


def test_nothing_known_gives_no_index():
    assert health_index(class_profile(PUMP), Observation(values={})).health is None


# --- weights of one's own


def test_an_assets_own_weights_replace_those_they_name():
    weights = HealthWeights(metrics={"vibration_mm_s": 0.0, "kw_per_ton": 0.5}, components={"risk": 0.0, "rul": 0.0})
    found = chiller({"kw_per_ton": 0.775}, weights=weights)
    assert {m.name: round(m.weight, 4) for m in found.metrics} == {
        "vibration_mm_s": 0,
        "condenser_approach_k": 0.25,
        "phase_imbalance_pct": 0.2,
        "kw_per_ton": 0.5,
        "chw_delta_t_k": 0.05,
    }
    assert found.condition == pytest.approx(100 - 0.5 * 40)
    both = index(
        anomaly=70,
        deviation=20,
        prognosis=foreseen(3, 1.0),
        health_weights=HealthWeights(components={"rul": 0, "risk": 0}),
    )
    assert both.component_index == pytest.approx(75)


def test_an_asset_of_another_class_is_judged_by_the_class_alone():
    assert profile_of(PUMP, asset(CHILLER)) is class_profile(PUMP)


# --- concerns


def test_the_costliest_part_is_the_first_concern():
    low = concerns(index({"vibration_mm_s": 6.0, "bearing_temp_c": 85.0}).metrics)
    assert [metric.name for metric in low] == ["vibration_mm_s", "bearing_temp_c"]


def test_what_has_left_its_best_band_is_impaired():
    profile = profile_of(CHILLER, asset(CHILLER))
    values = {**COLD, "evaporator_approach_k": 2.0, "chw_delta_t_k": 1.9, "kw_per_ton": math.nan}
    assert impaired_columns(profile, values) == {"evaporator_approach_k", "chw_delta_t_k"}


finite = st.one_of(st.none(), st.floats(-1e6, 1e6))
percent = st.one_of(st.none(), st.floats(0, 100))


@given(finite, finite, finite, percent, percent, st.one_of(st.none(), st.floats(0, 1000)), st.floats(0, 1))
def test_the_index_is_none_or_between_0_and_100(vibration, temperature, efficiency, anomaly, deviation, days, risk):
    values = dict(zip(HEALTHY, (vibration, temperature, efficiency), strict=True))
    result = index(values, anomaly, deviation, None if days is None else foreseen(days, risk))
    views = [view for view in (result.condition, result.component_index) if view is not None]
    assert result.health == min(views, default=None)
    if days is None:
        observation = Observation(values=values, anomaly_score=anomaly, deviation=deviation)
        assert present_health(profile_of(PUMP, asset(PUMP)), observation) == result.health
    assert all(0 <= view <= 100 for view in views)


@given(st.floats(0, 10), st.floats(0, 10))
def test_more_vibration_never_means_more_health(first, second):
    less, more = sorted((first, second))
    assert index({"vibration_mm_s": more}).health <= index({"vibration_mm_s": less}).health + 1e-9
