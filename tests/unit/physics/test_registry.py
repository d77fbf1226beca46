"""What the catalogue can rely on for every formula, and how it learns of a wrong name or parameter."""

import inspect
import warnings
from itertools import product

import numpy as np
import pytest

from forewarn.domain.physics.registry import FORMULAE, UnknownFormulaError, formula, unit_of_name
from forewarn.domain.physics.units import parse_unit
from unit.physics.examples import POINTS, at_point

INPUTS = [(name, parameter) for name, entry in sorted(FORMULAE.items()) for parameter in entry.parameters]


def test_every_formula_has_an_operating_point_in_these_tests():
    assert set(POINTS) == set(FORMULAE)
    assert all(set(point) == set(FORMULAE[name].parameters) for name, point in POINTS.items())


def test_units_are_units_and_follow_from_names(subtests):
    for name, entry in FORMULAE.items():
        with subtests.test(name):
            assert entry.function.__name__ == name
            for unit in (entry.unit, *entry.parameters.values()):
                assert unit is None or parse_unit(unit)


def test_every_formula_says_what_it_does(subtests):
    for name, entry in FORMULAE.items():
        with subtests.test(name):
            assert len(entry.summary) > 10
            assert inspect.getmodule(entry.function).__doc__


def test_an_unknown_input_makes_the_result_unknown_and_leaves_its_neighbours_alone(subtests):
    for name, parameter in INPUTS:
        with subtests.test(name, parameter=parameter):
            assert np.isfinite(at_point(name))
            inputs = {p: np.full(3, float(v)) for p, v in POINTS[name].items()}
            inputs[parameter][1] = np.nan
            np.testing.assert_array_equal(np.isnan(FORMULAE[name].function(**inputs)), [False, True, False])


def test_inputs_broadcast_and_stay_as_they_are(subtests):
    for name, parameter in INPUTS:  # one per row, all others rated values for all rows
        with subtests.test(name, parameter=parameter):
            inputs = {p: np.asarray(float(v)) for p, v in POINTS[name].items()}
            inputs[parameter] = np.full(4, float(POINTS[name][parameter]))
            before = {p: values.copy() for p, values in inputs.items()}
            np.testing.assert_allclose(FORMULAE[name].function(**inputs), np.full(4, at_point(name)), rtol=1e-12)
            assert all(np.array_equal(values, before[p]) for p, values in inputs.items())


def test_impossible_inputs_raise_nothing_and_warn_of_nothing(subtests):
    for (name, parameter), value in product(INPUTS, (0.0, -1.0, -300.0, 1e6)):
        with subtests.test(name, parameter=parameter, value=value), warnings.catch_warnings():
            warnings.simplefilter("error")
            inputs = {p: np.full(2, float(v)) for p, v in POINTS[name].items()}
            inputs[parameter][0] = value
            assert not np.isinf(FORMULAE[name].function(**inputs)).any()


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
