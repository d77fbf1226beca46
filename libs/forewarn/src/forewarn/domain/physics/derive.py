"""Computes an asset class's derived quantities from its tags and nameplate."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forewarn.contracts.asset_class import PLATE_PREFIX, AssetClass, Derived
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.registry import Formula, Function, formula
from forewarn.domain.physics.units import Conversion, UnitMismatchError, conversion

#: Place within a derived quantity, and the problem there.
Problem = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class _Input:
    parameter: str
    source: str
    conversion: Conversion

    def of(self, values: FloatArray) -> FloatArray:
        if self.conversion.changes_nothing:
            return values
        return values * self.conversion.factor + self.conversion.offset


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    function: Function
    columns: tuple[_Input, ...]
    plates: tuple[_Input, ...]


def derive(
    asset_class: AssetClass,
    columns: Mapping[str, FloatArray],
    nameplate: Mapping[str, FloatArray | float],
    *,
    wanted: AbstractSet[str] | None = None,
) -> dict[str, FloatArray]:
    """Compute derived quantities in the class's order, converting units; if given, only ``wanted`` and their inputs.

    ``columns`` has every tag, shape (n,), NaN where unknown; ``nameplate`` holds rated values, one for all rows or one
    per row, by default those of the class. Results are NaN where an input is NaN or the result is not finite. Raises
    ValueError if the class cannot be computed, see ``derived_problems``.
    """
    known: dict[str, FloatArray] = dict(columns)
    plate = {field.name: field.default for field in asset_class.nameplate} | dict(nameplate)
    out: dict[str, FloatArray] = {}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # absurd inputs become NaN below
        for step in plan(asset_class) if wanted is None else _steps_to(asset_class, frozenset(wanted)):
            arguments = {item.parameter: item.of(known[item.source]) for item in step.columns}
            for item in step.plates:
                arguments[item.parameter] = item.of(np.asarray(plate[item.source], dtype=np.float64))
            value = step.function(**arguments)
            known[step.name] = out[step.name] = np.where(np.isfinite(value), value, np.nan)
    return out


@lru_cache(maxsize=256)
def plan(asset_class: AssetClass) -> tuple[_Step, ...]:
    """Resolve the formulae of a class; call it early to find a class that cannot be computed.

    Raises ValueError in that case, see ``derived_problems``.
    """
    units = source_units(asset_class)
    return tuple(_resolve(asset_class, item, units) for item in asset_class.derived)


@lru_cache(maxsize=256)
def _steps_to(asset_class: AssetClass, wanted: frozenset[str]) -> tuple[_Step, ...]:
    """Return the steps that these quantities need."""
    needed, steps = set(wanted), []
    for step in reversed(plan(asset_class)):  # each after its inputs
        if step.name in needed:
            needed.update(item.source for item in step.columns)
            steps.append(step)
    return tuple(reversed(steps))


def source_units(asset_class: AssetClass) -> dict[str, str]:
    """Return the unit of everything a derived quantity may be computed from."""
    return asset_class.units | {f"{PLATE_PREFIX}{field.name}": field.unit for field in asset_class.nameplate}


def derived_problems(item: Derived, units: Mapping[str, str]) -> list[Problem]:
    """Return problems that keep derived quantities from being computed, each with its place within the item.

    ``units`` are known units of sources; a source missing here is not checked.
    """
    try:
        wanted = formula(item.function)
    except ValueError as exc:
        return [(("function",), str(exc))]
    found: list[Problem] = [(("inputs",), problem) for problem in wanted.parameter_problems(item.inputs)]
    return found or _unit_problems(item, wanted, units)


def _unit_problems(item: Derived, wanted: Formula, units: Mapping[str, str]) -> list[Problem]:
    found: list[Problem] = []
    compared = {units[s] for p, s in item.inputs.items() if wanted.parameters[p] is None and s in units}
    if len(compared) > 1:
        found.append((("inputs",), f"{wanted.name} compares its inputs, so they need one unit, not {sorted(compared)}"))
    for parameter, source in item.inputs.items():
        unit = wanted.parameters[parameter]
        if unit is not None and source in units and not _fits(units[source], unit):
            text = f"{parameter} of {wanted.name} is in {unit}, but {source} is in {units[source]}"
            found.append((("inputs", parameter), text))
    gives = wanted.unit or next(iter(compared), item.unit)
    if not (_fits(item.unit, gives) and conversion(item.unit, gives).changes_nothing):
        found.append((("unit",), f"{wanted.name} gives {gives}, not {item.unit}"))
    return found


def _fits(source: str, target: str) -> bool:
    try:
        conversion(source, target)
    except UnitMismatchError:
        return False
    return True


def _resolve(asset_class: AssetClass, item: Derived, units: Mapping[str, str]) -> _Step:
    problems = derived_problems(item, units)
    if problems:
        lines = "; ".join(text for _, text in problems)
        raise ValueError(f"class {asset_class.name}, derived quantity {item.name}: {lines}")
    wanted = formula(item.function)
    inputs = [
        _Input(
            parameter,
            source.removeprefix(PLATE_PREFIX),
            conversion(units[source], wanted.parameters[parameter] or units[source]),
        )
        for parameter, source in item.inputs.items()
    ]
    on_plate = [source.startswith(PLATE_PREFIX) for source in item.inputs.values()]
    return _Step(
        name=item.name,
        function=wanted.function,
        columns=tuple(entry for entry, plate in zip(inputs, on_plate, strict=True) if not plate),
        plates=tuple(entry for entry, plate in zip(inputs, on_plate, strict=True) if plate),
    )
