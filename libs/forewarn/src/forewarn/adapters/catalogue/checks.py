"""What can be wrong with a class of machines, each with its place and its cure.

The schema (pydantic) looks at every field by itself. The checks here look at what fields say of each
other: names, units, formulae, limits. They take the raw values and skip what the schema refuses
anyway, so that all of a file's problems are found at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from forewarn.adapters.catalogue.document import Location
from forewarn.adapters.catalogue.names import name_findings
from forewarn.adapters.catalogue.raw import (
    Finding,
    Raw,
    conditions,
    entries,
    is_number,
    listed,
    mapping,
    names_of,
    number_pair,
)
from forewarn.contracts.asset_class import PLATE_PREFIX, Derived, PhysicsTerm
from forewarn.domain.physics.bands import STANDARDS
from forewarn.domain.physics.derive import derived_problems
from forewarn.domain.physics.registry import nearest
from forewarn.domain.physics.units import UnitMismatchError, UnknownUnitError, conversion, parse_unit
from forewarn.domain.twin.physics import term_problem


def cross_findings(raw: Raw) -> list[Finding]:
    """What fields say of each other and does not fit."""
    return [
        *_unit_findings(raw),
        *_comparison_findings(raw),
        *name_findings(raw),
        *_formula_findings(raw),
        *_term_findings(raw),
        *_fallback_findings(raw),
        *_range_findings(raw),
        *_limit_findings(raw),
        *_standard_findings(raw),
        *_power_findings(raw),
    ]


# --- units


def _unit_findings(raw: Raw) -> Iterator[Finding]:
    for group in ("tags", "derived", "nameplate"):
        for position, entry in entries(raw, group):
            problem = _unit_problem(entry.get("unit"))
            if problem is not None:
                yield (group, position, "unit"), problem


def _comparison_findings(raw: Raw) -> Iterator[Finding]:
    """What is subtracted from each other must have one unit."""
    units = {str(entry.get("name")): entry.get("unit") for g in ("tags", "derived") for _, entry in entries(raw, g)}
    differences: list[tuple[Location, Raw]] = [(("rules", position), rule) for position, rule in entries(raw, "rules")]
    for section in ("rules", "redundant"):
        for position, check in entries(raw, section):
            differences += conditions(check, (section, position))
    for at, entry in differences:
        if entry.get("minus") is not None:
            yield from _mixed_units((*at, "minus"), [entry.get("column"), entry.get("minus")], units)
    for position, group in entries(raw, "redundant"):
        yield from _mixed_units(("redundant", position, "columns"), listed(group.get("columns")), units)


def _mixed_units(location: Location, names: Iterable[object], units: Mapping[str, Any]) -> Iterator[Finding]:
    found = {units[name] for name in names if isinstance(name, str) and isinstance(units.get(name), str)}
    if len(found) > 1:
        yield location, f"what is compared needs one unit, not {sorted(found)}"


def _unit_problem(unit: object) -> str | None:
    if not isinstance(unit, str):
        return None  # the schema says so
    try:
        parse_unit(unit)
    except UnknownUnitError as exc:
        return str(exc)
    return None


# --- formulae


def _formula_findings(raw: Raw) -> Iterator[Finding]:
    units = {str(e.get("name")): e.get("unit") for g in ("tags", "derived") for _, e in entries(raw, g)}
    units |= {f"{PLATE_PREFIX}{entry.get('name')}": entry.get("unit") for _, entry in entries(raw, "nameplate")}
    known = {name: unit for name, unit in units.items() if isinstance(unit, str) and _unit_problem(unit) is None}
    for position, entry in entries(raw, "derived"):
        at: Location = ("derived", position)
        try:
            item = Derived.model_validate(entry)
        except ValidationError:
            continue
        if item.name in known:  # with a unit that is one
            yield from (((*at, *place), text) for place, text in derived_problems(item, known))


def _term_findings(raw: Raw) -> Iterator[Finding]:
    units: dict[str, str | None] = dict(_column_units(raw))
    units |= {
        f"{PLATE_PREFIX}{field.get('name')}": field["unit"]
        for _, field in entries(raw, "nameplate")
        if isinstance(field.get("unit"), str) and _unit_problem(field["unit"]) is None
    }
    for position, entry in entries(mapping(raw.get("twin")), "physics"):
        try:
            term = PhysicsTerm.model_validate(entry)
        except ValidationError:
            continue
        problem = term_problem(term, units)
        if problem is not None:
            yield ("twin", "physics", position), problem


def _fallback_findings(raw: Raw) -> Iterator[Finding]:
    plate = {f"{PLATE_PREFIX}{entry.get('name')}": entry.get("unit") for _, entry in entries(raw, "nameplate")}
    for position, tag in entries(raw, "tags"):
        source, wanted = tag.get("fallback"), tag.get("unit")
        if not isinstance(source, str):
            continue
        at: Location = ("tags", position, "fallback")
        unit = plate.get(source)
        if source not in plate:
            yield at, f"there is no nameplate field {source!r}{nearest(source, plate)}"
        elif isinstance(unit, str) and isinstance(wanted, str) and not _convertible(unit, wanted):
            yield at, f"{source} is in {unit}, but the tag is in {wanted}"


def _convertible(source: str, target: str) -> bool:
    try:
        conversion(source, target)
    except UnitMismatchError:
        return False
    except UnknownUnitError:
        return True  # said at the unit
    return True


# --- health and economics


def _standard_findings(raw: Raw) -> Iterator[Finding]:
    units = _column_units(raw)
    fields = names_of(raw, "nameplate")
    for position, entry in entries(raw, "health"):
        at: Location = ("health", position)
        unit = units.get(str(entry.get("column")))
        for i, other in enumerate(listed(entry.get("worst_with"))):
            if unit is not None and units.get(str(other), unit) != unit:
                yield (*at, "worst_with", i), f"{other} is in {units[str(other)]}, but {entry['column']} is in {unit}"
        name = entry.get("standard")
        if not isinstance(name, str):
            continue
        standard = STANDARDS.get(name)
        if standard is None:
            yield (*at, "standard"), f"there are no agreed bands {name!r}{nearest(name, STANDARDS)}"
            continue
        if unit is not None and not _same_unit(unit, standard.unit):
            yield (*at, "standard"), f"{name} grades values in {standard.unit}, but {entry['column']} is in {unit}"
        for field in standard.nameplate:
            if field not in fields:
                yield (*at, "standard"), f"{name} depends on the nameplate: it needs a field {field!r}"


def _power_findings(raw: Raw) -> Iterator[Finding]:
    name = mapping(raw.get("economics")).get("power")
    unit = _column_units(raw).get(name) if isinstance(name, str) else None
    if unit is None:
        return
    responses = [entry for entry in listed(mapping(raw.get("twin")).get("responses")) if isinstance(entry, str)]
    if name not in responses:
        yield ("economics", "power"), f"the twin does not predict {name!r}: it must be one of twin.responses"
    if not _same_unit(unit, "kW"):
        yield ("economics", "power"), f"must be in kW, but {name} is in {unit}"


def _column_units(raw: Raw) -> dict[str, str]:
    """Units of tags and derived quantities, those that are known ones."""
    units = {str(e.get("name")): e.get("unit") for g in ("tags", "derived") for _, e in entries(raw, g)}
    return {name: unit for name, unit in units.items() if isinstance(unit, str) and _unit_problem(unit) is None}


def _same_unit(unit: str, wanted: str) -> bool:
    return _convertible(unit, wanted) and conversion(unit, wanted).changes_nothing


# --- numbers


def _range_findings(raw: Raw) -> Iterator[Finding]:
    for position, tag in entries(raw, "tags"):
        inner, outer = number_pair(tag.get("engineering_range")), number_pair(tag.get("hard_range"))
        if inner and outer and not (outer[0] <= inner[0] and inner[1] <= outer[1]):
            yield ("tags", position, "hard_range"), f"{list(outer)} must contain engineering_range {list(inner)}"


def _limit_findings(raw: Raw) -> Iterator[Finding]:
    for position, rule in entries(raw, "rules"):
        low, high = rule.get("minimum"), rule.get("maximum")
        if low is None and high is None:
            yield ("rules", position), "needs 'minimum' or 'maximum': without a bound it is never broken"
        yield from _inverted(("rules", position), "minimum", low, "maximum", high)
    for position, alarm in entries(raw, "alarms"):
        low, high = alarm.get("low"), alarm.get("high")
        if alarm.get("source") == "threshold":
            if alarm.get("column") is None:
                yield ("alarms", position), "needs 'column': a threshold alarm watches one"
            if low is None and high is None:
                yield ("alarms", position), "needs 'high' or 'low': without a limit it is never raised"
        yield from _forecast_findings(raw, position, alarm)
        yield from _inverted(("alarms", position), "low", low, "high", high)


def _forecast_findings(raw: Raw, position: int, alarm: Raw) -> Iterator[Finding]:
    anticipated = alarm.get("anticipates")
    if alarm.get("source") != "forecast":
        if anticipated is not None:
            yield ("alarms", position, "anticipates"), "is for alarms with 'source: forecast'"
        return
    if anticipated is None:
        yield ("alarms", position), "needs 'anticipates': the threshold alarm that a forecast alarm comes before"
        return
    known = [str(e.get("id")) for _, e in entries(raw, "alarms") if e.get("source") == "threshold"]
    if anticipated not in known:
        there_are = ", ".join(sorted(known)) or "none"
        yield ("alarms", position, "anticipates"), f"there is no threshold alarm {anticipated!r}; there are {there_are}"


def _inverted(location: Location, low_name: str, low: object, high_name: str, high: object) -> Iterator[Finding]:
    if is_number(low) and is_number(high) and low >= high:  # type: ignore[operator]  # both are numbers
        yield location, f"{low_name} {low} must be below {high_name} {high}"
