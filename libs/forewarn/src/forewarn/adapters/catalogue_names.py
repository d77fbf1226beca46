"""Names in a catalogue file: those it gives must be free, and those it uses must be given."""

from collections.abc import Iterator

from forewarn.adapters.catalogue_document import Location
from forewarn.adapters.catalogue_raw import Finding, Raw, conditions, entries, listed, mapping, names_of
from forewarn.contracts.asset_class import PLATE_PREFIX
from forewarn.contracts.frames import is_reserved
from forewarn.domain.guard.findings import GENERAL_CHECKS
from forewarn.domain.physics.registry import nearest


def name_findings(raw: Raw) -> list[Finding]:
    """Names that are taken, reserved or not there."""
    return [
        *_column_name_findings(raw),
        *_alias_findings(raw),
        *_repetition_findings(raw),
        *_reference_findings(raw),
        *_twin_findings(raw),
        *_physics_findings(raw),
    ]


def _column_name_findings(raw: Raw) -> Iterator[Finding]:
    """Tags and derived quantities share one frame, and so do the platform's own columns."""
    seen: dict[str, str] = {}
    for group in ("tags", "derived"):
        for position, entry in entries(raw, group):
            name = entry.get("name")
            if not isinstance(name, str):
                continue
            at: Location = (group, position, "name")
            if name in seen:
                yield at, f"{name!r} is taken by {seen[name]}"
            elif is_reserved(name):
                yield at, f"{name!r} is reserved for the platform's own columns"
            seen.setdefault(name, f"{group}[{position}]")


def _alias_findings(raw: Raw) -> Iterator[Finding]:
    """A gateway's name must lead to one tag."""
    known = {name: name for name in names_of(raw, "tags")}
    for position, entry in entries(raw, "tags"):
        for i, alias in _texts(entry.get("aliases")).items():
            if alias in known:
                of = "a tag's name" if known[alias] == alias else f"an alias of {known[alias]!r}"
                yield ("tags", position, "aliases", i), f"{alias!r} is {of} already"
            known.setdefault(alias, str(entry.get("name")))


def _reference_findings(raw: Raw) -> Iterator[Finding]:
    tags = names_of(raw, "tags")
    columns = tags | names_of(raw, "derived")
    for location, name in _references(raw):
        known = tags if "blames" in location else columns
        if isinstance(name, str) and name not in known:
            yield location, f"there is no {'tag' if known is tags else 'column'} {name!r}{nearest(name, known)}"
    known = tags | {f"{PLATE_PREFIX}{name}" for name in names_of(raw, "nameplate")}
    for position, entry in entries(raw, "derived"):
        for parameter, source in mapping(entry.get("inputs")).items():
            if isinstance(source, str) and source not in known:
                later = "; derived quantities are computed in order, and it comes later" if source in columns else ""
                text = f"there is no source {source!r}{later or nearest(source, known)}"
                yield ("derived", position, "inputs", parameter), text
        known |= {str(entry.get("name"))}


def _references(raw: Raw) -> Iterator[tuple[Location, object]]:
    """Every place that names a column."""
    twin = mapping(raw.get("twin"))
    for group in ("drivers", "responses"):
        yield from ((("twin", group, i), name) for i, name in enumerate(listed(twin.get(group))))
    yield ("twin", "running", "column"), mapping(twin.get("running")).get("column")
    for position, rule in entries(raw, "rules"):
        yield ("rules", position, "column"), rule.get("column")
        yield ("rules", position, "minus"), rule.get("minus")
    for position, rule in entries(raw, "redundant"):
        yield from ((("redundant", position, "columns", i), name) for i, name in enumerate(listed(rule.get("columns"))))
    for section in ("rules", "redundant"):
        for position, check in entries(raw, section):
            for at, when in conditions(check, (section, position)):
                yield from (((*at, key), when.get(key)) for key in ("column", "minus"))
            yield from (((section, position, "blames", i), name) for i, name in enumerate(listed(check.get("blames"))))
    for group, field in (("health", "column"), ("failure_modes", "indicator"), ("alarms", "column")):
        for position, entry in entries(raw, group):
            yield (group, position, field), entry.get(field)
    for position, entry in entries(raw, "health"):
        others = enumerate(listed(entry.get("worst_with")))
        yield from ((("health", position, "worst_with", i), name) for i, name in others)
    yield ("economics", "power"), mapping(raw.get("economics")).get("power")


def _repetition_findings(raw: Raw) -> Iterator[Finding]:
    for group, field in (
        ("nameplate", "name"),
        ("rules", "id"),
        ("redundant", "id"),
        ("health", "column"),
        ("failure_modes", "id"),
        ("alarms", "id"),
    ):
        seen: dict[object, int] = {}
        for position, entry in entries(raw, group):
            name = entry.get(field)
            if isinstance(name, str) and seen.setdefault(name, position) != position:
                yield (group, position, field), f"{name!r} is taken by {group}[{seen[name]}]"
    rules = {rule.get("id"): position for position, rule in entries(raw, "rules")}
    for position, entry in entries(raw, "redundant"):
        name = entry.get("id")
        if isinstance(name, str) and name in rules:
            yield ("redundant", position, "id"), f"{name!r} is taken by rules[{rules[name]}]"
    for group in ("rules", "redundant"):
        for position, entry in entries(raw, group):
            if entry.get("id") in GENERAL_CHECKS:
                yield (group, position, "id"), f"{entry['id']!r} is the name of a check that every class has"


def _twin_findings(raw: Raw) -> Iterator[Finding]:
    """What the twin's own parts say of each other."""
    twin = mapping(raw.get("twin"))
    drivers, responses = set(_texts(twin.get("drivers")).values()), _texts(twin.get("responses"))
    for position, name in responses.items():
        if name in drivers:
            yield ("twin", "responses", position), f"{name!r} is a driver; the twin would predict it from itself"
    for group in ("load", "heat"):
        for position, name in _texts(twin.get(group)).items():
            if name not in drivers:
                yield ("twin", group, position), f"{name!r} is none of twin.drivers{nearest(name, drivers)}"


def _physics_findings(raw: Raw) -> Iterator[Finding]:
    """What the terms of the twin's physics are computed from, and what its priors are sums of."""
    twin = mapping(raw.get("twin"))
    drivers, responses = (frozenset(_texts(twin.get(group)).values()) for group in ("drivers", "responses"))
    plate = {f"{PLATE_PREFIX}{name}" for name in names_of(raw, "nameplate")}
    columns, terms = names_of(raw, "tags") | names_of(raw, "derived"), set(drivers)
    for position, term in entries(twin, "physics"):
        for field, key, source in _term_sources(term):
            if source not in terms | plate:
                text = f"{source!r} is no driver, earlier term or nameplate field{nearest(source, terms | plate)}"
                yield ("twin", "physics", position, field, key), text
        name = str(term.get("name"))
        if name in terms | columns:
            yield ("twin", "physics", position, "name"), f"{name!r} is the name of a column or an earlier term"
        terms.add(name)
    for response, sources in mapping(twin.get("priors")).items():
        if response not in responses:
            hint = nearest(str(response), responses)
            yield ("twin", "priors", str(response)), f"{response!r} is none of twin.responses{hint}"
        for position, source in _texts(sources).items():
            if source not in terms:
                text = f"{source!r} is neither a driver nor a term of twin.physics{nearest(source, terms)}"
                yield ("twin", "priors", str(response), position), text


def _term_sources(term: Raw) -> Iterator[tuple[str, str, str]]:
    """Field, key and name of everything a term is computed from."""
    inputs = mapping(term.get("inputs")).items()
    yield from (("inputs", str(parameter), source) for parameter, source in inputs if isinstance(source, str))
    yield from (("powers", str(source), str(source)) for source in mapping(term.get("powers")))


def _texts(value: object) -> dict[int, str]:
    """Texts of a list by their places."""
    return {i: entry for i, entry in enumerate(listed(value)) if isinstance(entry, str)}
