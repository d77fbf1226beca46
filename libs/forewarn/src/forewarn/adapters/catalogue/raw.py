"""Raw values of a catalogue file as they come, whether they are what the schema wants or not."""

from collections.abc import Iterator, Mapping
from typing import Any

from forewarn.adapters.catalogue.document import Location

Raw = Mapping[str, Any]

#: Where something is wrong, and what.
Finding = tuple[Location, str]


def entries(raw: Raw, group: str) -> list[tuple[int, Raw]]:
    """Mappings of a list, each with its place in it."""
    return [(i, entry) for i, entry in enumerate(listed(raw.get(group))) if isinstance(entry, Mapping)]


def names_of(raw: Raw, group: str) -> set[str]:
    """Names that the entries of a list give themselves."""
    return {name for _, entry in entries(raw, group) if isinstance(name := entry.get("name"), str)}


def mapping(value: object) -> Raw:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def number_pair(value: object) -> tuple[float, float] | None:
    """Both numbers if the value is a list of two."""
    pair = listed(value)
    return (pair[0], pair[1]) if len(pair) == 2 and all(map(is_number, pair)) else None


def is_number(value: object) -> bool:
    """Whether a value is a number; YAML's true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def conditions(check: Raw, at: Location) -> Iterator[tuple[Location, Raw]]:
    """Every condition of a rule with its place."""
    when = check.get("when")
    places: list[tuple[Location, object]] = [((*at, "when"), when)]
    if isinstance(when, list):
        places = [((*at, "when", i), entry) for i, entry in enumerate(when)]
    while places:
        place, condition = places.pop(0)
        if isinstance(condition, Mapping):
            yield place, condition
            places.append(((*place, "otherwise"), condition.get("otherwise")))
