import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.physics.units import UnitMismatchError, UnknownUnitError, conversion, parse_unit

UNITS = ["m3/h", "L/min", "bar", "kPa", "Cel", "[degF]", "kW", "[ton]", "1/min", "Hz", "mm/s", "%", "1", "kJ/(kg.K)"]


@pytest.mark.parametrize(
    ("value", "source", "target", "result"),
    [
        (100.0, "kPa", "bar", 1.0),
        (14.503774, "[psi]", "bar", 1.0),
        (212.0, "[degF]", "Cel", 100.0),
        (-40.0, "Cel", "[degF]", -40.0),
        (1000.0, "[gal_us]/min", "m3/h", 227.1247),
        (50.0, "Hz", "1/min", 3000.0),
        (1.0, "[ton]", "kW", 3.516853),
        (85.0, "%", "1", 0.85),
        (1.0, "kW.h", "MJ", 3.6),
        (1.0, "[in_i'H2O]", "Pa", 249.08891),
        (60.0, "{pulses}/min", "1/s", 1.0),
        (60.0, "/min", "Hz", 1.0),
        (4.186, "kJ/(kg.K)", "kJ/kg/K", 4.186),
        (25.4, "mm/s", "[in_i]/s", 1.0),
    ],
)
def test_values_are_converted_between_units_of_one_quantity(value, source, target, result):
    turned = conversion(source, target)
    assert value * turned.factor + turned.offset == pytest.approx(result, rel=1e-6)


@given(source=st.sampled_from(UNITS), target=st.sampled_from(UNITS), value=st.floats(-1e3, 1e3))
def test_a_conversion_there_and_back_changes_nothing(source, target, value):
    try:
        there, back = conversion(source, target), conversion(target, source)
    except UnitMismatchError:
        with pytest.raises(UnitMismatchError):
            conversion(target, source)
        return
    returned = (value * there.factor + there.offset) * back.factor + back.offset
    assert returned == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_turned_into_itself_changes_nothing(unit):
    assert conversion(unit, unit).changes_nothing


@pytest.mark.parametrize(("source", "target"), [("bar", "kW"), ("Cel", "K"), ("m3/h", "kg/h"), ("[g]", "g")])
def test_different_quantities_are_not_mixed(source, target):
    with pytest.raises(UnitMismatchError, match="cannot be turned into"):
        conversion(source, target)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("°C", "Cel"),
        ("C", "Cel"),
        ("rpm", "1/min"),
        ("m³/h", "m3/h"),
        ("KW", "kW"),
        ("Bar", "bar"),
        ("gpm", r"\[gal_us\]/min"),
        ("", "1"),
        ("kW/ton", r"kW/\[ton\]"),
    ],
)
def test_habits_are_answered_with_the_right_code(text, cure):
    with pytest.raises(UnknownUnitError, match=f"did you mean {cure}\\?"):
        parse_unit(text)


@pytest.mark.parametrize("text", ["foo", "m//s", "m/", "(m", "m)", "kJ/(kg.K", "kW h", ".", "m[", "{x"])
def test_what_is_no_unit_is_refused(text):
    with pytest.raises(UnknownUnitError, match="is not known"):
        parse_unit(text)


@given(st.text(alphabet="mkWhs/.()123%[]{}g-+", max_size=12))
def test_any_text_is_a_unit_or_is_refused(text):
    try:
        unit = parse_unit(text)
    except UnknownUnitError:
        return
    assert unit.factor > 0


def test_every_unit_of_the_catalogue_is_one():
    for asset_class in load_catalogue().values():
        for unit in (*asset_class.units.values(), *(field.unit for field in asset_class.nameplate)):
            parse_unit(unit)
