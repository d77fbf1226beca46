"""Guess which column holds which tag of a class, from names, aliases, titles and units."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forewarn.contracts.asset_class import AssetClass, Tag
from forewarn.contracts.frames import is_reserved
from forewarn.domain.physics.units import UnitMismatchError, conversion, ucum_of

#: Least likeness of two names that may mean the same.
_ALIKE: Final = 0.82
_UNIT: Final = re.compile(r"[\[({<]\s*([^\])}>]*?)\s*[\])}>]")
#: A pressure above vacuum: as gauge pressure it would be wrong by a bar.
_ABSOLUTE: Final = re.compile(
    r"(?<![a-z])(?:m?bar|psi|[kmh]?pa)[\s_-]?(?:\(a(?:bs)?\)|a(?:bs)?)(?![a-z])", re.IGNORECASE
)
_PATH: Final = re.compile(r"[/\\|:.]")
_TOKEN: Final = re.compile(r"[a-z]+|\d+")

_UNIT_WORDS: Final = frozenset(  # a list of words is more readable as one
    [
        "a",
        "bar",
        "c",
        "cel",
        "db",
        "deg",
        "f",
        "g",
        "h",
        "hz",
        "k",
        "kg",
        "kj",
        "kpa",
        "kv",
        "kw",
        "kwh",
        "l",
        "m",
        "m3",
        "ma",
        "mbar",
        "min",
        "mm",
        "mpa",
        "mw",
        "nm",
        "pa",
        "pct",
        "psi",
        "rpm",
        "s",
        "t",
        "ton",
        "um",
        "v",
        "w",
    ]
)
#: A column with such a word is not a measurement of the quantity it also names.
_OTHER_THINGS: Final = frozenset(
    [
        "alarm",
        "cmd",
        "command",
        "limit",
        "max",
        "min",
        "mode",
        "set",
        "setpoint",
        "sp",
        "status",
        "target",
        "trip",
        "valve",
    ]
)

_TIMES: Final = (
    "time",
    "timestamp",
    "ts",
    "datetime",
    "date",
    "zeit",
    "zeitstempel",
    "datum",
    "date_time",
    "time_stamp",
)
_DATES: Final = ("date", "datum", "day")
_CLOCKS: Final = ("time", "zeit", "uhrzeit", "clock", "time_of_day")
_ASSETS: Final = ("asset", "asset_id", "machine", "machine_id", "equipment", "equipment_id", "unit_id", "anlage")
_TAGS: Final = ("tag", "tag_name", "tagname", "point", "signal", "sensor", "variable", "name", "item")
_VALUES: Final = ("value", "val", "wert", "reading")
_QUALITIES: Final = ("quality", "qualitat", "status", "q", "quality_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Possible content of a column. ``unit`` is None if the file does not state one: the tag's is assumed."""

    tag: str
    unit: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Columns that are not tags; None where missing."""

    time: tuple[str, ...]
    asset: str | None
    tag: str | None
    value: str | None
    quality: str | None

    @property
    def columns(self) -> frozenset[str]:
        """Return all of them."""
        return frozenset([*self.time, *(c for c in (self.asset, self.tag, self.value, self.quality) if c)])


def guess_roles(names: Sequence[str]) -> Roles:
    """Find time, asset and, in a long file, tag, value and quality columns by their names."""
    plain = {name: _plain(_without_unit(name)[0]) for name in names}

    def first(known: Sequence[str], besides: Collection[str] = ()) -> str | None:
        ranked = [n for k in known for n in names if plain[n] == k and n not in besides]
        return ranked[0] if ranked else None

    date = first(_DATES)
    clock = first(_CLOCKS, {date} if date else ())
    single = first(_TIMES) or next((n for n in names if plain[n].startswith(("time", "date"))), None)
    time = (date, clock) if date and clock else (single,) if single else ()
    tag, value = first(_TAGS), first(_VALUES)
    is_long = tag is not None and value is not None
    return Roles(
        time=time,
        asset=first(_ASSETS),
        tag=tag if is_long else None,
        value=value if is_long else None,
        quality=first(_QUALITIES) if is_long else None,
    )


def guess_columns(names: Sequence[str], asset_class: AssetClass) -> dict[str, Guess]:
    """Match columns and tags one to one, the most certain first; columns that match nothing are left out."""
    pairs: list[tuple[float, int, str, Tag, str | None, str]] = []
    for place, name in enumerate(names):
        stem, written = _without_unit(name)
        for tag in asset_class.tags:
            if _ABSOLUTE.search(name) and not _ABSOLUTE.search(" ".join((tag.name, tag.title, *tag.aliases))):
                continue
            unit, fits = _unit_for(written, tag)
            likeness, reason = _likeness(stem, tag, united=unit is not None and fits)
            if fits and likeness >= _ALIKE:
                pairs.append((likeness, -place, name, tag, unit, reason))
    found: dict[str, Guess] = {}
    taken: set[str] = set()
    for _, _, name, tag, unit, reason in sorted(pairs, key=lambda pair: pair[:2], reverse=True):
        if name not in found and tag.name not in taken:
            own = tag.unit if unit is None and reason == "name" else unit  # a tag's name ends with its unit
            found[name] = Guess(tag=tag.name, unit=own, reason=reason)
            taken.add(tag.name)
    return {name: found[name] for name in names if name in found}


def stated_unit(name: str) -> str | None:
    """Return the UCUM code of the unit in a column's name, as in ``Flow [m³/h]``; None without one."""
    written = _without_unit(name)[1]
    return None if written is None else ucum_of(written)


def tag_name(name: str, taken: Mapping[str, object]) -> str:
    """Make a valid, unused tag name for a column."""
    stem, written = _without_unit(name)
    base = "_".join(_TOKEN.findall(_ascii(f"{stem} {written or ''}"))).lstrip("0123456789_") or "tag"
    base = (f"tag_{base}" if is_reserved(base) else base)[:40].rstrip("_")
    return next(n for n in (base, *(f"{base}_{i}" for i in range(2, 10_000))) if n not in taken)


def _likeness(stem: str, tag: Tag, *, united: bool) -> tuple[float, str]:
    """Rate a column's likeness to a tag, with the matched name; ``united``: its unit is one of the tag's."""
    tails = {_plain(stem), _plain(_PATH.split(stem)[-1])} - {""}
    best, reason = 0.0, ""
    known_as = [(tag.name, "name"), (_bare(tag.name), "name without unit")]
    known_as += [(alias, f"alias {alias}") for alias in tag.aliases]
    for known, how in (*known_as, (tag.title, "title")):
        wanted = _plain(known)
        for mine in tails:
            if mine == wanted:
                likeness = 1.0 if how == "name" else 0.97
            elif sorted(mine.split("_")) == sorted(wanted.split("_")):
                likeness = 0.95
            elif united and how != "title" and _is_special(mine, wanted):
                likeness = 0.85
            else:
                likeness = 0.9 * difflib.SequenceMatcher(None, mine, wanted).ratio()
            if likeness > best:
                best, reason = likeness, how if likeness >= 0.95 else f"like {known}"  # as above
    return best, reason


def _unit_for(written: str | None, tag: Tag) -> tuple[str | None, bool]:
    """Return the unit a column states in UCUM, and whether it can be the tag's."""
    unit = None if written is None else ucum_of(written)
    if unit is None:
        return None, True
    try:
        conversion(unit, tag.unit)
    except UnitMismatchError:
        return unit, False
    return unit, True


def _bare(name: str) -> str:
    """Return a tag's name without its unit suffix."""
    words = name.split("_")
    while len(words) > 1 and words[-1] in _UNIT_WORDS:
        words.pop()
    return "_".join(words)


def _is_special(mine: str, wanted: str) -> bool:
    """Return whether a name is more specific: discharge flow is a flow, but the setpoint of a flow is not."""
    words = set(mine.split("_"))
    return set(wanted.split("_")) < words and not words & _OTHER_THINGS


def _without_unit(name: str) -> tuple[str, str | None]:
    for match in _UNIT.finditer(name):
        if match[1] and ucum_of(match[1]) is not None:  # brackets also hold other things: (RMS)
            return (name[: match.start()] + name[match.end() :]).strip(), match[1]
    head, _, last = name.strip().rpartition(" ")
    if head and not last.isdigit() and ("/" in last or "°" in last or "%" in last) and ucum_of(last) is not None:
        return head, last
    return name, None


def _plain(name: str) -> str:
    return "_".join(_TOKEN.findall(_ascii(name)))


def _ascii(name: str) -> str:
    text = name.lower()
    for letter, plain in {"ä": "a", "ö": "o", "ü": "u", "ß": "ss", "é": "e", "³": "3", "²": "2"}.items():
        text = text.replace(letter, plain)
    return text
