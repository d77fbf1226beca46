"""What can be wrong with a class, as one list of rules.

The schema (pydantic) checks each field alone; the rules check fields against each other: names, units, formulae,
limits. They take raw values and skip what the schema refuses, so one run finds all problems of a file, each once.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from pydantic import ValidationError

from forewarn.adapters.catalogue import names
from forewarn.adapters.catalogue.document import Location
from forewarn.adapters.catalogue.draft import Draft, Finding, Raw, conditions, is_number, listed, texts, unit_problem
from forewarn.contracts.asset_class import Derived, PhysicsTerm
from forewarn.domain.physics.bands import STANDARDS
from forewarn.domain.physics.derive import derived_problems
from forewarn.domain.physics.registry import nearest
from forewarn.domain.physics.units import UnitMismatchError, conversion
from forewarn.domain.twin.physics import term_problem

Rule = Callable[[Draft], Iterable[Finding]]


def rule_findings(raw: Raw) -> list[Finding]:
    """Return what is inconsistent between fields, with its place."""
    draft = Draft(raw)
    return [finding for rule in RULES for finding in rule(draft)]


# --- units


def _units_are_known(draft: Draft) -> Iterator[Finding]:
    for group in ("tags", "derived", "nameplate"):
        for at, entry in draft.entries(group):
            if (problem := unit_problem(entry.get("unit"))) is not None:
                yield (*at, "unit"), problem


def _compared_columns_have_one_unit(draft: Draft) -> Iterator[Finding]:
    for section in ("rules", "redundant"):
        for at, check in draft.entries(section):
            for place, holder in ((at, check), *conditions(check, at)):
                if holder.get("minus") is not None:
                    yield from _mixed_units(draft, (*place, "minus"), [holder.get("column"), holder.get("minus")])
            yield from _mixed_units(draft, (*at, "columns"), listed(check.get("columns")))


def _mixed_units(draft: Draft, location: Location, compared: Iterable[object]) -> Iterator[Finding]:
    found = {draft.units[name] for name in compared if isinstance(name, str) and name in draft.units}
    if len(found) > 1:
        yield location, f"what is compared needs one unit, not {sorted(found)}"


# --- formulae


def _formulae_can_be_computed(draft: Draft) -> Iterator[Finding]:
    known = {**draft.units, **{name: unit for name, unit in draft.plate.items() if unit}}
    for at, entry in draft.entries("derived"):
        try:
            item = Derived.model_validate(entry)
        except ValidationError:
            continue
        if item.name in known:
            yield from (((*at, *place), text) for place, text in derived_problems(item, known))


def _terms_can_be_computed(draft: Draft) -> Iterator[Finding]:
    units: dict[str, str | None] = {**draft.units, **{name: unit for name, unit in draft.plate.items() if unit}}
    for at, entry in draft.entries("twin", "physics"):
        try:
            term = PhysicsTerm.model_validate(entry)
        except ValidationError:
            continue
        if (problem := term_problem(term, units)) is not None:
            yield at, problem


def _fallbacks_fit(draft: Draft) -> Iterator[Finding]:
    for at, tag in draft.entries("tags"):
        source, wanted = tag.get("fallback"), tag.get("unit")
        if not isinstance(source, str):
            continue
        unit = draft.plate.get(source)
        if unit is None:
            yield (*at, "fallback"), f"there is no nameplate field {source!r}{nearest(source, draft.plate)}"
        elif unit and isinstance(wanted, str) and unit_problem(wanted) is None and not _convertible(unit, wanted):
            yield (*at, "fallback"), f"{source} is in {unit}, but the tag is in {wanted}"


def _convertible(source: str, target: str) -> bool:
    try:
        conversion(source, target)
    except UnitMismatchError:
        return False
    return True


def _same_unit(unit: str, wanted: str) -> bool:
    return _convertible(unit, wanted) and conversion(unit, wanted).changes_nothing


# --- health and economics


def _metrics_fit(draft: Draft) -> Iterator[Finding]:
    fields = draft.names("nameplate")
    for at, entry in draft.entries("health"):
        unit = draft.units.get(str(entry.get("column")))
        for i, other in texts(entry.get("worst_with")).items():
            if unit is not None and draft.units.get(other, unit) != unit:
                yield (*at, "worst_with", i), f"{other} is in {draft.units[other]}, but {entry['column']} is in {unit}"
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


def _power_is_predicted(draft: Draft) -> Iterator[Finding]:
    at, name = ("economics", "power"), draft.section("economics").get("power")
    unit = draft.units.get(name) if isinstance(name, str) else None
    if unit is None:
        return
    if name not in texts(draft.section("twin").get("responses")).values():
        yield at, f"the twin does not predict {name!r}: it must be one of twin.responses"
    if not _same_unit(unit, "kW"):
        yield at, f"must be in kW, but {name} is in {unit}"


# --- numbers


def _hard_ranges_contain_engineering_ranges(draft: Draft) -> Iterator[Finding]:
    for at, tag in draft.entries("tags"):
        inner, outer = (_pair(tag.get(name)) for name in ("engineering_range", "hard_range"))
        if inner and outer and not (outer[0] <= inner[0] and inner[1] <= outer[1]):
            yield (*at, "hard_range"), f"{list(outer)} must contain engineering_range {list(inner)}"


def _pair(value: object) -> tuple[float, float] | None:
    pair = listed(value)
    return (pair[0], pair[1]) if len(pair) == 2 and all(map(is_number, pair)) else None


def _limits_can_be_crossed(draft: Draft) -> Iterator[Finding]:
    for at, rule in draft.entries("rules"):
        yield from _bounds(
            at, rule, ("minimum", "maximum"), "'minimum' or 'maximum': without a bound it is never broken"
        )
    for at, alarm in draft.entries("alarms"):
        if alarm.get("source") == "threshold" and alarm.get("column") is None:
            yield at, "needs 'column': a threshold alarm watches one"
        wanted = "'high' or 'low': without a limit it is never raised" if alarm.get("source") == "threshold" else None
        yield from _bounds(at, alarm, ("low", "high"), wanted)


def _bounds(at: Location, entry: Raw, keys: tuple[str, str], wanted: str | None) -> Iterator[Finding]:
    low, high = (entry.get(key) for key in keys)
    if wanted is not None and low is None and high is None:
        yield at, f"needs {wanted}"
    if is_number(low) and is_number(high) and low >= high:  # type: ignore[operator]  # both are numbers
        yield at, f"{keys[0]} {low} must be below {keys[1]} {high}"


def _forecast_alarms_anticipate_one(draft: Draft) -> Iterator[Finding]:
    known = [str(e.get("id")) for _, e in draft.entries("alarms") if e.get("source") == "threshold"]
    for at, alarm in draft.entries("alarms"):
        anticipated = alarm.get("anticipates")
        if alarm.get("source") != "forecast":
            if anticipated is not None:
                yield (*at, "anticipates"), "is for alarms with 'source: forecast'"
        elif anticipated is None:
            yield at, "needs 'anticipates': the threshold alarm that a forecast alarm comes before"
        elif anticipated not in known:
            there_are = ", ".join(sorted(known)) or "none"
            yield (*at, "anticipates"), f"there is no threshold alarm {anticipated!r}; there are {there_are}"


#: Every rule on how fields fit together.
RULES: Final[tuple[Rule, ...]] = (
    _units_are_known,
    _compared_columns_have_one_unit,
    names.column_names_are_free,
    names.aliases_lead_to_one_tag,
    names.identities_are_unique,
    names.references_exist,
    names.sources_exist,
    names.twin_fits_its_drivers,
    names.terms_have_sources,
    _formulae_can_be_computed,
    _terms_can_be_computed,
    _fallbacks_fit,
    _metrics_fit,
    _power_is_predicted,
    _hard_ranges_contain_engineering_ranges,
    _limits_can_be_crossed,
    _forecast_alarms_anticipate_one,
)
