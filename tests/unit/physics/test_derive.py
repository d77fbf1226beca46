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
        ("pump_heat", {"warm_c": "speed_rpm"}, "no formula 'pump_heat'; there are"),
        ("temperature_difference_k", {"warm_c": "speed_rpm"}, "takes .*cold_c"),
    ],
)
def test_a_class_that_cannot_be_computed_is_refused_with_the_cure(function, inputs, problem):
    broken = AssetClass.model_validate(
        {
            "name": "broken",
            "title": "Broken",
            "tags": [{"name": "speed_rpm", "title": "Speed", "unit": "1/min", "engineering_range": [0, 1]}],
            "derived": [{"name": "x", "title": "X", "unit": "1", "function": function, "inputs": inputs}],
            "twin": {"responses": ["speed_rpm"]},
        }
    )
    with pytest.raises(ValueError, match=problem):
        derive(broken, {"speed_rpm": np.zeros(1)}, {})
