import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.physics.derive import derive, plan

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_formula_and_parameter_the_catalogue_names_exists(name):
    assert [step.name for step in plan(CATALOGUE[name])] == list(CATALOGUE[name].derived_names)


def columns(name: str, value: float) -> dict[str, np.ndarray]:
    return {tag: np.array([value, np.nan]) for tag in CATALOGUE[name].tag_names}


def test_derived_quantities_build_on_each_other_and_on_the_nameplate():
    tags = columns("centrifugal_pump", 1.0)
    tags["flow_m3_h"][0], tags["discharge_pressure_bar"][0], tags["power_kw"][0] = 100.0, 5.0, 20.0
    light = derive(CATALOGUE["centrifugal_pump"], tags, {"fluid_density_kg_m3": 500.0})
    water = derive(CATALOGUE["centrifugal_pump"], tags, {})
    assert light["head_m"][0] == pytest.approx(2 * 998 / 1000 * water["head_m"][0])
    # the power does not depend on the density: half the weight is lifted twice as high
    assert light["hydraulic_power_kw"][0] == pytest.approx(water["hydraulic_power_kw"][0]) == 100 * 4 / 36
    assert all(np.isnan(values[1]) for values in water.values())


def test_a_nameplate_may_differ_from_row_to_row():
    tags = {tag: np.array([1.0, 1.0]) for tag in CATALOGUE["centrifugal_pump"].tag_names}
    tags["discharge_pressure_bar"] += 1
    head = derive(CATALOGUE["centrifugal_pump"], tags, {"fluid_density_kg_m3": np.array([500.0, 1000.0])})["head_m"]
    assert head[0] == pytest.approx(2 * head[1])


def test_absurd_values_give_unknown_results_and_no_warning():
    for value in (1e308, -1e308, 0.0):
        results = derive(CATALOGUE["chiller"], columns("chiller", value), {})
        assert not any(np.isinf(values).any() for values in results.values())


@pytest.mark.parametrize(
    ("function", "inputs", "problem"),
    [
        ("pump_heat_m", {"warm_c": "speed_rpm"}, "no formula 'pump_heat_m'; did you mean 'pump_head_m'"),
        ("temperature_difference_k", {"warm_c": "speed_rpm"}, "needs parameter 'cold_c'"),
        (
            "vapour_pressure_pa",
            {"temp_c": "speed_rpm"},
            "temp_c of vapour_pressure_pa is in Cel, but speed_rpm is in 1/min",
        ),
        (
            "synchronous_speed_rpm",
            {"line_frequency_hz": "speed_rpm", "pole_count": "speed_rpm"},
            "pole_count .* is in 1",
        ),
        ("affinity_flow", {"flow_m3_h": "flow_l_min", "speed_ratio": "share"}, "affinity_flow gives m3/h, not 1"),
    ],
)
def test_a_class_that_cannot_be_computed_is_refused_with_the_cure(function, inputs, problem):
    broken = AssetClass.model_validate(
        {
            "name": "broken",
            "title": "Broken",
            "tags": [
                {"name": "speed_rpm", "title": "Speed", "unit": "1/min", "engineering_range": [0, 1]},
                {"name": "flow_l_min", "title": "Flow", "unit": "L/min", "engineering_range": [0, 1]},
                {"name": "share", "title": "Share", "unit": "%", "engineering_range": [0, 100]},
            ],
            "derived": [{"name": "x", "title": "X", "unit": "1", "function": function, "inputs": inputs}],
            "twin": {"responses": ["speed_rpm"]},
        }
    )
    with pytest.raises(ValueError, match=problem):
        derive(broken, {"speed_rpm": np.zeros(1)}, {})


def a_class(function: str, unit: str, inputs: dict[str, str], **tags: str) -> AssetClass:
    """A class with tags of these units and one derived quantity."""
    return AssetClass.model_validate(
        {
            "name": "mixed",
            "title": "Mixed units",
            "tags": [{"name": n, "title": n, "unit": u, "engineering_range": [0, 1]} for n, u in tags.items()],
            "nameplate": [{"name": "density_g_l", "unit": "g/L", "default": 998}],
            "derived": [{"name": "x", "title": "X", "unit": unit, "function": function, "inputs": inputs}],
            "twin": {"responses": [next(iter(tags))]},
        }
    )


def test_inputs_in_other_units_are_converted():
    american = a_class(
        "water_duty_kw",
        "kW",
        {"flow_m3_h": "flow", "warm_c": "warm", "cold_c": "cold"},
        flow="[gal_us]/min",
        warm="[degF]",
        cold="[degF]",
    )
    tags = {"flow": np.array([1000.0]), "warm": np.array([54.0]), "cold": np.array([44.0])}
    assert derive(american, tags, {})["x"] == pytest.approx([1465.36], rel=5e-3)


def test_rated_values_in_other_units_are_converted():
    inputs = {"suction_pressure_bar": "low", "discharge_pressure_bar": "high", "density_kg_m3": "nameplate.density_g_l"}
    pump = a_class("pump_head_m", "m", inputs, low="kPa", high="kPa")
    assert derive(pump, {"low": np.array([0.0]), "high": np.array([391.481])}, {})["x"] == pytest.approx(
        [40.0], abs=1e-3
    )


def test_phases_may_have_any_unit_but_only_one():
    inputs = {"phase_r": "r", "phase_y": "y", "phase_b": "b"}
    in_ma = a_class("phase_imbalance_pct", "%", inputs, r="mA", y="mA", b="mA")
    assert derive(in_ma, {n: np.array([100.0]) for n in "ryb"}, {})["x"] == pytest.approx([0.0])
    with pytest.raises(ValueError, match="need one unit"):
        plan(a_class("phase_imbalance_pct", "%", inputs, r="mA", y="A", b="A"))


def test_a_mean_has_the_unit_of_what_it_is_taken_of():
    inputs = {"phase_r": "r", "phase_y": "y", "phase_b": "b"}
    assert plan(a_class("mean_of_phases", "A", inputs, r="A", y="A", b="A"))
    with pytest.raises(ValueError, match="mean_of_phases gives A, not V"):
        plan(a_class("mean_of_phases", "V", inputs, r="A", y="A", b="A"))
