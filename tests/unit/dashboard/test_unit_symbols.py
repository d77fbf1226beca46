"""Units as engineers write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.physics.unit_symbols import unit_symbol

#: What only codes have: brackets, ASCII powers and points, ``u`` for a millionth, names nobody writes.
CODE = re.compile(r"[\[\]{}_.]|[A-Za-z]\d|\bu[A-Z]|\bum\b|Cel|Ohm")


@pytest.mark.parametrize(
    ("code", "symbol"),
    [
        ("1", ""),
        ("%", "%"),
        ("Cel", "°C"),
        ("[degF]", "°F"),
        ("m2", "m²"),
        ("m3/h", "m³/h"),
        ("kg/m3", "kg/m³"),
        ("mm/s2", "mm/s²"),
        ("m.s-2", "m·s⁻²"),
        ("1/min", "min⁻¹"),
        ("um", "µm"),
        ("uS/cm", "µS/cm"),
        ("[g]", "g"),
        ("[ton]", "ton"),
        ("kW/[ton]", "kW/ton"),
        ("kJ/(kg.K)", "kJ/(kg·K)"),
        ("m2.K/W", "m²·K/W"),
        ("kJ/(kW.h)", "kJ/kWh"),
        ("kW.h/m3", "kWh/m³"),
        ("kV.A", "kVA"),
        ("kW.s/m3", "kW/(m³/s)"),
        ("[gal_us]/min", "gal/min"),
        ("[in_i'H2O]", "inH₂O"),
        ("{pieces}/min", "pieces/min"),
    ],
)
def test_a_code_becomes_the_symbol_engineers_write(code, symbol):
    assert unit_symbol(code) == symbol


def test_no_unit_of_a_class_that_ships_is_shown_as_a_code(subtests):
    asset_classes = load_catalogue().values()
    for unit in {u for a in asset_classes for u in (*a.units.values(), *(field.unit for field in a.nameplate))}:
        with subtests.test(unit):
            assert bool(unit_symbol(unit)) == (unit != "1")
            assert not CODE.search(unit_symbol(unit))


@given(st.text())
def test_any_text_can_be_shown(unit):
    assert isinstance(unit_symbol(unit), str)
