"""What the catalogue can rely on for every formula, and what it is told when it asks for a wrong one."""

import inspect
import warnings

import numpy as np
import pytest

from forewarn.domain.physics.registry import FORMULAE, UnknownFormulaError, formula, unit_of_name
from forewarn.domain.physics.units import parse_unit
from unit.physics.examples import POINTS, at_point

NAMES = sorted(FORMULAE)


def test_every_formula_has_an_operating_point_in_these_tests():
    assert set(POINTS) == set(FORMULAE)
    assert all(set(point) == set(FORMULAE[name].parameters) for name, point in POINTS.items())


@pytest.mark.parametrize("name", NAMES)
def test_units_are_units_and_follow_from_names(name):
    entry = FORMULAE[name]
    assert entry.function.__name__ == name
    for unit in (entry.unit, *entry.parameters.values()):
        assert unit is None or parse_unit(unit)


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_says_what_it_does(name):
    assert len(FORMULAE[name].summary) > 10
    assert inspect.getmodule(FORMULAE[name].function).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_input_makes_the_result_unknown_and_leaves_its_neighbours_alone(name):
    entry = FORMULAE[name]
    assert np.isfinite(at_point(name))
    for parameter in entry.parameters:
        inputs = {p: np.full(3, float(v)) for p, v in POINTS[name].items()}
        inputs[parameter][1] = np.nan
        np.testing.assert_array_equal(np.isnan(entry.function(**inputs)), [False, True, False], err_msg=parameter)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_broadcast_and_stay_as_they_are(name):
    entry = FORMULAE[name]
    for parameter in entry.parameters:  # one per row, all others rated values for all rows
        inputs = {p: np.asarray(float(v)) for p, v in POINTS[name].items()}
        inputs[parameter] = np.full(4, float(POINTS[name][parameter]))
        before = {p: values.copy() for p, values in inputs.items()}
        np.testing.assert_allclose(entry.function(**inputs), np.full(4, at_point(name)), rtol=1e-12)
        assert all(np.array_equal(values, before[p]) for p, values in inputs.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, -1.0, -300.0, 1e6])
def test_impossible_inputs_raise_nothing_and_warn_of_nothing(name, value):
    entry = FORMULAE[name]
    for parameter in entry.parameters:
        inputs = {p: np.full(2, float(v)) for p, v in POINTS[name].items()}
        inputs[parameter][0] = value
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = entry.function(**inputs)
        assert not np.isinf(result).any(), parameter


def test_a_wrong_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownFormulaError, match=r"no formula 'pump_heat_m'; did you mean 'pump_head_m'\?"):
        formula("pump_heat_m")
    with pytest.raises(UnknownFormulaError, match=r"no formula 'x'; there are .*pump_head_m"):
        formula("x")


def test_wrong_parameters_are_answered_with_the_right_ones():
    head = formula("pump_head_m")
    right = list(head.parameters)
    assert head.parameter_problems(right) == []
    assert head.parameter_problems(right[:2]) == ["pump_head_m needs parameter 'density_kg_m3'"]
    assert head.parameter_problems([*right[:2], "density"]) == [
        "pump_head_m has no parameter 'density'; did you mean 'density_kg_m3'?"
    ]
    assert head.parameter_problems([*right, "colour"]) == ["pump_head_m has no parameter 'colour'"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("flow_m3_h", "m3/h"),
        ("mass_flow_kg_s", "kg/s"),
        ("heat_capacity_kj_kg_k", "kJ/kg/K"),
        ("kw_per_ton", "kW/[ton]"),
        ("power_kw", "kW"),
        ("exponent", "1"),
        ("bar", "1"),
    ],
)
def test_the_unit_stands_at_the_end_of_a_name(name, unit):
    assert unit_of_name(name) == unit
