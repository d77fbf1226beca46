"""Units as the catalogue writes them: codes of UCUM (ucum.org), parsed into size and dimension."""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

#: Exponents of m, g, s, A, K, mol and cd; then one each for units without a common dimension.
Dimension = tuple[tuple[str, int], ...]


class UnknownUnitError(ValueError):
    """A unit that is not UCUM; the message says how to correct it."""


class UnitMismatchError(ValueError):
    """Two units that cannot be converted into each other; the message names both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit: ``value·factor + offset`` is the value in base units of ``dimension``."""

    factor: float
    dimension: Dimension
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """``value·factor + offset`` converts a value from one unit to another."""

    factor: float = 1.0
    offset: float = 0.0

    @property
    def changes_nothing(self) -> bool:
        """Return whether both units are the same."""
        return self == Conversion()


def _of(factor: float, offset: float = 0.0, /, **exponents: int) -> Unit:
    return Unit(factor=factor, dimension=tuple(sorted(exponents.items())), offset=offset)


_FORCE: Final = {"g": 1, "m": 1, "s": -2}
_PRESSURE: Final = {"g": 1, "m": -1, "s": -2}
_ENERGY: Final = {"g": 1, "m": 2, "s": -2}
_POWER: Final = {"g": 1, "m": 2, "s": -3}
_VOLTAGE: Final = {"g": 1, "m": 2, "s": -3, "A": -1}
_G: Final = 1000.0  # gram is the base, so a kilogram in a unit is 1000

#: Units that take metric prefixes.
_METRIC: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "m": _of(1.0, m=1),
        "g": _of(1.0, g=1),
        "s": _of(1.0, s=1),
        "A": _of(1.0, A=1),
        "K": _of(1.0, K=1),
        "mol": _of(1.0, mol=1),
        "cd": _of(1.0, cd=1),
        "Hz": _of(1.0, s=-1),
        "N": _of(_G, **_FORCE),
        "Pa": _of(_G, **_PRESSURE),
        "bar": _of(_G * 1e5, **_PRESSURE),
        "J": _of(_G, **_ENERGY),
        "W": _of(_G, **_POWER),
        "V": _of(_G, **_VOLTAGE),
        "Ohm": _of(_G, g=1, m=2, s=-3, A=-2),
        "S": _of(1 / _G, g=-1, m=-2, s=3, A=2),
        "L": _of(1e-3, m=3),
        "l": _of(1e-3, m=3),
        "t": _of(1e6, g=1),
        "lm": _of(1.0, cd=1),
        "lx": _of(1.0, cd=1, m=-2),
        "cal": _of(_G * 4.184, **_ENERGY),
    }
)

#: Units without metric prefixes.
_PLAIN: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "1": _of(1.0),
        "%": _of(0.01),
        "[ppth]": _of(1e-3),
        "[ppm]": _of(1e-6),
        "[ppb]": _of(1e-9),
        "rad": _of(1.0),
        "deg": _of(math.pi / 180.0),
        "min": _of(60.0, s=1),
        "h": _of(3600.0, s=1),
        "d": _of(86400.0, s=1),
        "wk": _of(604800.0, s=1),
        "a": _of(31557600.0, s=1),
        # temperatures have an offset; temperature differences are in K
        "Cel": _of(1.0, 0.0, temperature=1),
        "[degF]": _of(5 / 9, -160 / 9, temperature=1),
        "[g]": _of(9.80665, m=1, s=-2),
        "[ton]": _of(_G * 3516.853, **_POWER),
        "[Btu_IT]": _of(_G * 1055.05585262, **_ENERGY),
        "[HP]": _of(_G * 745.69987, **_POWER),
        "[psi]": _of(_G * 6894.757293, **_PRESSURE),
        "[in_i'H2O]": _of(_G * 249.08891, **_PRESSURE),
        "atm": _of(_G * 101325.0, **_PRESSURE),
        "[lbf_av]": _of(_G * 4.4482216152605, **_FORCE),
        "[lb_av]": _of(453.59237, g=1),
        "[in_i]": _of(0.0254, m=1),
        "[mil_i]": _of(2.54e-5, m=1),
        "[ft_i]": _of(0.3048, m=1),
        "[cft_i]": _of(0.028316846592, m=3),
        "[gal_us]": _of(0.003785411784, m=3),
        "[pH]": _of(1.0, pH=1),
        "dB": _of(1.0, dB=1),
    }
)

_PREFIXES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "n": 1e-9,
        "u": 1e-6,
        "m": 1e-3,
        "c": 1e-2,
        "d": 1e-1,
        "da": 1e1,
        "h": 1e2,
        "k": 1e3,
        "M": 1e6,
        "G": 1e9,
        "T": 1e12,
    }
)

#: Common spellings and their UCUM codes.
_HABITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "°C": "Cel",
        "degC": "Cel",
        "°F": "[degF]",
        "degF": "[degF]",
        "rpm": "1/min",
        "RPM": "1/min",
        "psi": "[psi]",
        "psig": "[psi]",
        "barg": "bar",
        "bar(g)": "bar",
        "in/s": "[in_i]/s",
        "in/sec": "[in_i]/s",
        "ips": "[in_i]/s",
        "ft": "[ft_i]",
        "mil": "[mil_i]",
        "mils": "[mil_i]",
        "inH2O": "[in_i'H2O]",
        "hp": "[HP]",
        "HP": "[HP]",
        "gpm": "[gal_us]/min",
        "cfm": "[cft_i]/min",
        "CFM": "[cft_i]/min",
        "m³/h": "m3/h",
        "m^3/h": "m3/h",
        "m3/hr": "m3/h",
        "m³/s": "m3/s",
        "lpm": "L/min",
        "ton": "[ton]",
        "TR": "[ton]",
        "kW/ton": "kW/[ton]",
        "µm": "um",
        "μm": "um",
        "µS/cm": "uS/cm",
        "°": "deg",
        "C": "Cel",
        "F": "[degF]",
        "pct": "%",
        "percent": "%",
        "": "1",
        "-": "1",
        "none": "1",
        "pH": "[pH]",
        "ppm": "[ppm]",
        "mm/sec": "mm/s",
        "kWh": "kW.h",
        "MWh": "MW.h",
        "kVA": "kV.A",
        "kVAr": "kV.A",
        "hr": "h",
        "sec": "s",
        "°K": "K",
    }
)

_TOKEN: Final = re.compile(r"(?P<sign>[./()])|(?P<unit>\[[^\]]+\]|[A-Za-z%]+|\d+)(?P<power>[+-]?\d+)?")
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_ONE: Final = Unit(factor=1.0, dimension=())


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit:
    """Parse a unit; text in braces has no size: ``{pieces}/min`` is ``1/min``.

    Raises UnknownUnitError for anything that is not a known UCUM code; the message names the nearest one.
    """
    plain = _ANNOTATION.sub("1", text)
    tokens = list(_TOKEN.finditer(plain))
    if not tokens or "".join(token.group() for token in tokens) != plain:
        raise _unknown(text, text)
    unit, rest = _product(tokens, text)
    if rest:
        raise _unknown(text, text)
    return unit


def conversion(source: str, target: str) -> Conversion:
    """Return the conversion between two units; ``Cel`` does not convert to the difference ``K``.

    Raises UnknownUnitError if one is no unit, UnitMismatchError if they measure different things.
    """
    have, want = parse_unit(source), parse_unit(target)
    if have.dimension != want.dimension:
        raise UnitMismatchError(f"{source} cannot be turned into {target}")
    if math.isclose(have.factor, want.factor) and have.offset == want.offset:
        return Conversion()
    return Conversion(factor=have.factor / want.factor, offset=(have.offset - want.offset) / want.factor)


def ucum_of(text: str) -> str | None:
    """Return the UCUM code of a common spelling, ``m³/h`` or ``°F``; None if unknown."""
    for candidate in (text.strip(), _HABITS.get(text.strip())):
        if candidate is None:
            continue
        try:
            parse_unit(candidate)
        except UnknownUnitError:
            continue
        return candidate
    return None


def _product(tokens: list[re.Match[str]], text: str) -> tuple[Unit, list[re.Match[str]]]:
    """Parse factors up to the end or a closing bracket; return the unit and the rest."""
    if tokens[0]["sign"] == "/":
        unit = _ONE  # UCUM writes "per minute" as /min
    else:
        unit, tokens = _factor(tokens, text)
    while tokens and tokens[0]["sign"] in (".", "/"):
        divide = tokens[0]["sign"] == "/"
        factor, tokens = _factor(tokens[1:], text)
        unit = _times(unit, _raised(factor, -1 if divide else 1))
    return unit, tokens


def _factor(tokens: list[re.Match[str]], text: str) -> tuple[Unit, list[re.Match[str]]]:
    if tokens and tokens[0]["sign"] == "(" and len(tokens) > 1:
        unit, rest = _product(tokens[1:], text)
        if rest and rest[0]["sign"] == ")":
            return unit, rest[1:]
    if not tokens or tokens[0]["unit"] is None:
        raise _unknown(text, text)
    name, exponent = tokens[0]["unit"], int(tokens[0]["power"] or 1)
    unit = Unit(factor=float(name), dimension=()) if name.isdigit() else _atom(name, text)
    return (unit if exponent == 1 else _raised(unit, exponent)), tokens[1:]


def _times(left: Unit, right: Unit) -> Unit:
    exponents = dict(left.dimension)
    for base, exponent in right.dimension:
        exponents[base] = exponents.get(base, 0) + exponent
    dimension = tuple(sorted((base, exponent) for base, exponent in exponents.items() if exponent))
    return Unit(factor=left.factor * right.factor, dimension=dimension)


def _raised(unit: Unit, exponent: int) -> Unit:
    dimension = tuple((base, power * exponent) for base, power in unit.dimension)
    return Unit(factor=unit.factor**exponent, dimension=dimension)


def _atom(name: str, text: str) -> Unit:
    unit = _PLAIN.get(name) or _METRIC.get(name)
    if unit is not None:
        return unit
    for prefix, size in _PREFIXES.items():
        stem = _METRIC.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if stem is not None:
            return Unit(factor=stem.factor * size, dimension=stem.dimension)
    raise _unknown(text, name)


def _unknown(text: str, part: str) -> UnknownUnitError:
    where = f"unit {text!r}" if part == text else f"unit {text!r}: {part!r}"
    cure = _HABITS.get(text) or _HABITS.get(part) or _nearest(part)
    if cure is not None:
        return UnknownUnitError(f"{where} is not known; did you mean {cure}?")
    return UnknownUnitError(f"{where} is not known; units are UCUM codes, others go into braces: {{pieces}}")


def _nearest(part: str) -> str | None:
    known = [*_PLAIN, *_METRIC, *(prefix + stem for prefix in _PREFIXES for stem in _METRIC)]
    same = [name for name in known if name.lower() == part.lower()]
    near = same or difflib.get_close_matches(part, known, n=1, cutoff=0.7)
    return near[0] if near else None
