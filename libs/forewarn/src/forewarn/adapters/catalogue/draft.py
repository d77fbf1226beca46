"""A class as a file describes it, whether the schema accepts it or not."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from forewarn.adapters.catalogue.document import Location
from forewarn.contracts.asset_class import PLATE_PREFIX
from forewarn.domain.physics.units import UnknownUnitError, parse_unit

Raw = Mapping[str, Any]

#: Where something is wrong, and what.
Finding = tuple[Location, str]


class Draft:
    """Raw values of a class, with the names and units that rules ask for."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def entries(self, *group: str) -> list[tuple[Location, Raw]]:
        """Return the mappings of a list, each with its place."""
        value: object = self.raw
        for key in group:
            value = mapping(value).get(key)
        return [((*group, i), entry) for i, entry in enumerate(listed(value)) if isinstance(entry, Mapping)]

    def section(self, name: str) -> Raw:
        """Return a mapping of the class, empty if it has none."""
        return mapping(self.raw.get(name))

    def names(self, group: str) -> frozenset[str]:
        """Return the names that the entries of a list have."""
        return frozenset(name for _, entry in self.entries(group) if isinstance(name := entry.get("name"), str))

    @cached_property
    def tags(self) -> frozenset[str]:
        """Names of the tags."""
        return self.names("tags")

    @cached_property
    def columns(self) -> frozenset[str]:
        """Names of tags and derived quantities."""
        return self.tags | self.names("derived")

    @cached_property
    def plate(self) -> Mapping[str, str]:
        """Unit of each nameplate field, by its name as a source; empty if it has no known one."""
        return {f"{PLATE_PREFIX}{name}": unit for name, unit in self._units("nameplate").items()}

    @cached_property
    def units(self) -> Mapping[str, str]:
        """Unit of each tag and derived quantity that has a known one."""
        return {name: unit for name, unit in (self._units("tags") | self._units("derived")).items() if unit}

    def _units(self, group: str) -> dict[str, str]:
        units = ((str(entry.get("name")), entry.get("unit")) for _, entry in self.entries(group))
        return {name: unit if isinstance(unit, str) and unit_problem(unit) is None else "" for name, unit in units}


def unit_problem(unit: object) -> str | None:
    """Return why a text is not a unit; values that are not texts are left to the schema."""
    if isinstance(unit, str):
        try:
            parse_unit(unit)
        except UnknownUnitError as exc:
            return str(exc)
    return None


def mapping(value: object) -> Raw:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def texts(value: object) -> dict[int, str]:
    """Return the texts of a list by their positions."""
    return {i: entry for i, entry in enumerate(listed(value)) if isinstance(entry, str)}


def is_number(value: object) -> bool:
    """Return whether a value is a number; YAML's true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def conditions(check: Raw, at: Location) -> Iterator[tuple[Location, Raw]]:
    """Yield every condition of a rule with its place."""
    when = check.get("when")
    places: list[tuple[Location, object]] = [((*at, "when"), when)]
    if isinstance(when, list):
        places = [((*at, "when", i), entry) for i, entry in enumerate(when)]
    while places:
        place, condition = places.pop(0)
        if isinstance(condition, Mapping):
            yield place, condition
            places.append(((*place, "otherwise"), condition.get("otherwise")))
