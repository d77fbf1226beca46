"""Rules on names: defined ones must be free, used ones must exist."""

from collections.abc import Iterator

from forewarn.adapters.catalogue.document import Location
from forewarn.adapters.catalogue.draft import Draft, Finding, Raw, conditions, listed, mapping, texts
from forewarn.contracts.frames import is_reserved
from forewarn.domain.guard.findings import GENERAL_CHECKS
from forewarn.domain.physics.registry import nearest

#: Lists whose entries differ in a field.
_IDENTITIES = (
    ("nameplate", "name"),
    ("rules", "id"),
    ("redundant", "id"),
    ("health", "column"),
    ("failure_modes", "id"),
    ("alarms", "id"),
)


def column_names_are_free(draft: Draft) -> Iterator[Finding]:
    """Check that tags and derived quantities leave the platform's own column names alone."""
    seen: dict[str, str] = {}
    for at, entry in (*draft.entries("tags"), *draft.entries("derived")):
        name = entry.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield (*at, "name"), f"{name!r} is taken by {seen[name]}"
        elif is_reserved(name):
            yield (*at, "name"), f"{name!r} is reserved for the platform's own columns"
        seen.setdefault(name, f"{at[0]}[{at[1]}]")


def aliases_lead_to_one_tag(draft: Draft) -> Iterator[Finding]:
    """Check that each name a gateway may send leads to one tag."""
    known = {name: name for name in draft.tags}
    for at, entry in draft.entries("tags"):
        for i, alias in texts(entry.get("aliases")).items():
            if alias in known:
                of = "a tag's name" if known[alias] == alias else f"an alias of {known[alias]!r}"
                yield (*at, "aliases", i), f"{alias!r} is {of} already"
            known.setdefault(alias, str(entry.get("name")))


def identities_are_unique(draft: Draft) -> Iterator[Finding]:
    """Check that names in a list are unique, and ids of checks across all classes."""
    for group, field in _IDENTITIES:
        seen: dict[str, str] = {}
        if group == "redundant":
            seen = {str(rule.get("id")): f"rules[{at[-1]}]" for at, rule in draft.entries("rules")}
        for at, entry in draft.entries(group):
            name, place = entry.get(field), f"{group}[{at[-1]}]"
            if isinstance(name, str) and seen.setdefault(name, place) != place:
                yield (*at, field), f"{name!r} is taken by {seen[name]}"
            if group in {"rules", "redundant"} and name in GENERAL_CHECKS:
                yield (*at, field), f"{name!r} is the name of a check that every class has"


def references_exist(draft: Draft) -> Iterator[Finding]:
    """Check that every column referred to exists."""
    for location, name in _references(draft):
        known = draft.tags if "blames" in location else draft.columns
        if isinstance(name, str) and name not in known:
            yield location, f"there is no {'tag' if known is draft.tags else 'column'} {name!r}{nearest(name, known)}"


def sources_exist(draft: Draft) -> Iterator[Finding]:
    """Check that derived quantities are computed only from what comes before them."""
    known = draft.tags | draft.plate.keys()
    for at, entry in draft.entries("derived"):
        for parameter, source in mapping(entry.get("inputs")).items():
            if isinstance(source, str) and source not in known:
                later = "; derived quantities are computed in order, and it comes later"
                hint = later if source in draft.columns else nearest(source, known)
                yield (*at, "inputs", parameter), f"there is no source {source!r}{hint}"
        known |= {str(entry.get("name"))}


def _references(draft: Draft) -> Iterator[tuple[Location, object]]:
    twin = draft.section("twin")
    for group in ("drivers", "responses"):
        yield from _each(("twin", group), twin.get(group))
    yield ("twin", "running", "column"), mapping(twin.get("running")).get("column")
    for section in ("rules", "redundant"):
        for at, check in draft.entries(section):
            yield from _each((*at, "columns"), check.get("columns"))
            for place, holder in ((at, check), *conditions(check, at)):
                yield from (((*place, key), holder.get(key)) for key in ("column", "minus"))
            yield from _each((*at, "blames"), check.get("blames"))
    for group, field in (("health", "column"), ("failure_modes", "indicator"), ("alarms", "column")):
        for at, entry in draft.entries(group):
            yield (*at, field), entry.get(field)
            yield from _each((*at, "worst_with"), entry.get("worst_with"))
    yield ("economics", "power"), draft.section("economics").get("power")


def _each(at: Location, value: object) -> Iterator[tuple[Location, object]]:
    yield from (((*at, i), name) for i, name in enumerate(listed(value)))


def twin_fits_its_drivers(draft: Draft) -> Iterator[Finding]:
    """Check that no response is a driver, and that load and heat are drivers."""
    twin = draft.section("twin")
    drivers = set(texts(twin.get("drivers")).values())
    for position, name in texts(twin.get("responses")).items():
        if name in drivers:
            yield ("twin", "responses", position), f"{name!r} is a driver; the twin would predict it from itself"
    for group in ("load", "heat"):
        for position, name in texts(twin.get(group)).items():
            if name not in drivers:
                yield ("twin", group, position), f"{name!r} is not one of twin.drivers{nearest(name, drivers)}"


def terms_have_sources(draft: Draft) -> Iterator[Finding]:
    """Check that terms of the twin's physics have their sources, and that priors are sums of terms."""
    twin, columns, plate = draft.section("twin"), draft.columns, draft.plate.keys()
    drivers, responses = (frozenset(texts(twin.get(group)).values()) for group in ("drivers", "responses"))
    terms = set(drivers)
    for at, term in draft.entries("twin", "physics"):
        for field, key, source in _term_sources(term):
            if source not in terms | plate:
                text = f"{source!r} is no driver, earlier term or nameplate field{nearest(source, terms | plate)}"
                yield (*at, field, key), text
        name = str(term.get("name"))
        if name in terms | columns:
            yield (*at, "name"), f"{name!r} is the name of a column or an earlier term"
        terms.add(name)
    for response, sources in mapping(twin.get("priors")).items():
        at = ("twin", "priors", str(response))
        if response not in responses:
            yield at, f"{response!r} is not one of twin.responses{nearest(str(response), responses)}"
        for position, source in texts(sources).items():
            if source not in terms:
                text = f"{source!r} is neither a driver nor a term of twin.physics{nearest(source, terms)}"
                yield (*at, position), text


def _term_sources(term: Raw) -> Iterator[tuple[str, str, str]]:
    """Yield field, key and name of everything a term is computed from."""
    inputs = mapping(term.get("inputs")).items()
    yield from (("inputs", str(parameter), source) for parameter, source in inputs if isinstance(source, str))
    yield from (("powers", str(source), str(source)) for source in mapping(term.get("powers")))
