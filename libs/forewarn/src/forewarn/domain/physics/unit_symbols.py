"""Units and quantities as engineers write them, from the UCUM codes of the asset classes."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

#: Codes with a usual form that their parts do not give.
_WHOLE: Final[Mapping[str, str]] = MappingProxyType(
    {"1": "", "1/min": "min⁻¹", "kJ/(kW.h)": "kJ/kWh", "kW.s/m3": "kW/(m³/s)"}
)
_ATOMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cel": "°C",
        "[degF]": "°F",
        "deg": "°",
        "Ohm": "Ω",
        "[ppth]": "‰",
        "[HP]": "hp",
        "[Btu_IT]": "Btu",
        "[in_i'H2O]": "inH₂O",
        "[lbf_av]": "lbf",
        "[lb_av]": "lb",
        "[in_i]": "in",
        "[mil_i]": "mil",
        "[ft_i]": "ft",
        "[cft_i]": "ft³",
        "[gal_us]": "gal",
    }
)
#: Products read as one unit.
_JOINED: Final[Mapping[str, str]] = MappingProxyType({"W·h": "Wh", "V·A": "VA"})
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+")
_PART: Final = re.compile(r"\{(?P<note>[^{}]*)\}|(?P<atom>\[[^\]]+\]|[A-Za-z%]+)(?P<power>[+-]?\d+)?|\.")


@lru_cache(maxsize=1024)
def unit_symbol(unit: str) -> str:
    """Return a UCUM code as engineers write it (``m3/h`` → m³/h); nothing for a plain number."""
    if unit in _WHOLE:
        return _WHOLE[unit]
    text = _PART.sub(_part, unit)
    for product, name in _JOINED.items():
        text = text.replace(product, name)
    return text


def quantity(value: float, unit: str, digits: int = 4) -> str:
    """Return a value with its unit, rounded to this many digits: 124.3 °C."""
    return f"{float(f'{value:.{digits}g}'):g} {unit_symbol(unit)}".rstrip()


def unit_of_difference(unit: str) -> str:
    """Return the unit of a difference: of two temperatures it is K, not °C."""
    return "K" if unit == "Cel" else unit


def _part(match: re.Match[str]) -> str:
    note, atom, power = match.group("note", "atom", "power")
    if note is not None:  # a name for what has no unit: {pieces}
        return str(note)
    if atom is None:
        return "·"
    return _atom(atom) + (power or "").translate(_SUPERSCRIPTS)


def _atom(code: str) -> str:
    if code in _ATOMS:
        return _ATOMS[code]
    if code.startswith("u"):  # the prefix of a millionth: no unit of its own begins like this
        return f"µ{code[1:]}"
    return code.strip("[]")
