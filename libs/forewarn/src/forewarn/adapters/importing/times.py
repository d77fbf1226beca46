"""Parses time columns of any kind to µs since 1970 UTC, or says why a value is not a time."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forewarn.adapters.importing.source import Piece
from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.columns import to_numbers
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.importing import TimeColumns
from forewarn.domain.importing.clocks import DateEvidence, Overlap, moments_of
from forewarn.domain.time import US_PER_S, to_microseconds

MISSING: Final = "no time"
UNREADABLE: Final = "the time cannot be read"
NO_SUCH_TIME: Final = "this time did not exist: clocks were put forward"

#: 31.12.2026, 2026-12-31, 31-Dec-26, then perhaps a time of day with fraction and AM or PM, then perhaps a zone.
_PATTERN: Final = (
    r"^\s*(?P<a>\d{1,4})(?P<sep>[-/. ])(?P<b>\d{1,2}|[A-Za-zäÄ]{3,9})\.?[-/. ](?P<c>\d{1,4})"
    r"(?:[T ,]+(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<p>[AaPp]\.?[Mm]\.?)?)?"
    r"\s*(?P<z>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*$"
)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"), start=1
    )
    for name in names.split()
}
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})?")
_US_PER_MIN: Final = 60 * US_PER_S
_PIVOT: Final = 70  # two-digit years from here on belong to the last century


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Instants:
    """Times of the rows of a piece."""

    us: NDArray[np.int64]  #: µs since 1970 UTC; 0 where there is a problem.
    problems: dict[int, str]  #: Why a row has no time, by position in the piece.
    doubled: int = 0  #: Rows whose wall-clock time occurred twice that day; the order of rows resolved it.


class TimeReader:
    """Reads the times of one file in the order of its rows."""

    def __init__(self, columns: TimeColumns, *, decimal_comma: bool, descending: bool = False) -> None:
        self._columns = columns
        self._decimal_comma = decimal_comma
        self._zone = SourceZone(columns.timezone)
        self._overlap = Overlap(descending=descending)

    def read(self, piece: Piece, series: Sequence[Hashable] | None = None) -> Instants:
        """Parse the times of a piece; ``series`` groups rows whose clock is the same, by default all."""
        arrays = [piece.columns[name] for name in self._columns.columns]
        if len(arrays) == 1 and (pa.types.is_timestamp(arrays[0].type) or pa.types.is_date(arrays[0].type)):
            wall, problems, zoned = _typed(arrays[0])
        elif self._columns.format in ("text", "day-first", "month-first"):
            wall, problems, zoned = self._texts(joined(arrays))
        else:
            wall, problems = self._numbers(arrays[0])
            zoned = np.full(wall.shape, self._columns.format != "excel")
        return self._to_utc(wall, problems, zoned, series)

    def _texts(self, texts: ArrowArray) -> tuple[NDArray[np.int64], dict[int, str], NDArray[np.bool_]]:
        fast = _iso(texts)
        if fast is not None:
            us, zoned = fast
            return us, dict.fromkeys(np.flatnonzero(_nulls(texts)).tolist(), MISSING), np.full(us.shape, zoned)
        dates = Dates.of(texts)
        return dates.wall_us(month_first=self._columns.format == "month-first")

    def _numbers(self, array: ArrowArray) -> tuple[NDArray[np.int64], dict[int, str]]:
        numbers, alien = to_numbers(array, decimal_comma=self._decimal_comma)
        problems = dict.fromkeys(np.flatnonzero(np.isnan(numbers)).tolist(), MISSING)
        problems |= dict.fromkeys(alien.tolist(), UNREADABLE)
        start_us = 0 if self._columns.start is None else to_microseconds(self._columns.start)
        known = np.where(np.isnan(numbers) | (np.abs(numbers) > 9e18), 0.0, numbers)
        return moments_of(known, self._columns.format, start_us), problems

    def _to_utc(
        self,
        wall: NDArray[np.int64],
        problems: dict[int, str],
        zoned: NDArray[np.bool_],
        series: Sequence[Hashable] | None,
    ) -> Instants:
        local = np.flatnonzero(~zoned)
        if not local.size:
            return Instants(us=wall, problems=problems)
        early, late = self._zone.to_utc(wall[local])
        apart = late - early
        missing = local[(apart > 0) & (apart < _US_PER_MIN)]
        problems |= {row: NO_SUCH_TIME for row in missing.tolist() if row not in problems}
        doubled = np.flatnonzero(apart >= _US_PER_MIN)
        rows = local[doubled].tolist()
        names = [None if series is None else series[row] for row in rows]
        second = self._overlap.second_pass(names, wall[local[doubled]].tolist())
        early[doubled[second]] = late[doubled[second]]
        us = wall.copy()
        us[local] = early
        return Instants(us=us, problems=problems, doubled=doubled.size)


class SourceZone:
    """A time zone by name, or a fixed offset.

    Raises
    ------
    TableError
        If there is no such zone.
    """

    def __init__(self, name: str) -> None:
        offset = _OFFSET.fullmatch(name)
        self._offset_us = 0 if name.upper() in ("UTC", "Z", "GMT") else _offset_us(offset) if offset else None
        self._name = name
        if self._offset_us is None:
            self.to_utc(np.zeros(1, dtype=np.int64))

    def to_utc(self, wall_us: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the earliest and latest moment at which a wall clock showed these times.

        They differ in the hour that a clock shows twice, and by less than a minute for a time it skips. All in
        microseconds, arrays of the same shape.

        Raises
        ------
        TableError
            If there is no such zone.
        """
        if self._offset_us is not None:
            moved = wall_us - self._offset_us
            return moved, moved.copy()
        naive = pa.array(wall_us).cast(pa.timestamp("us"))
        try:
            early, late = (
                pc.assume_timezone(naive, self._name, ambiguous=which, nonexistent=which)
                .cast(pa.int64())
                .to_numpy(zero_copy_only=False)
                .copy()
                for which in ("earliest", "latest")
            )
        except pa.ArrowInvalid as exc:
            raise TableError(
                f"time zone {self._name!r} is not known: write it as Europe/Berlin, America/New_York or +05:30"
            ) from exc
        return early, late


@dataclass(frozen=True, slots=True, eq=False)
class Dates:
    """Date texts split into their parts."""

    parts: ArrowArray
    texts: ArrowArray

    @classmethod
    def of(cls, texts: ArrowArray) -> "Dates":
        """Split strings; what is not a date has no parts."""
        return cls(pc.extract_regex(texts, _PATTERN), texts)

    @property
    def evidence(self) -> DateEvidence:
        """What these dates say about the order of day and month."""
        first, second = self._integers("a"), self._integers("b")
        year_first = self._lengths("a") == 4  # digits of a year
        relevant = np.flatnonzero((second > 0) & ~year_first)
        if not relevant.size:
            return DateEvidence()
        dots = self._strings("sep")
        dotted = all(sign == "." for sign in set(dots.take(pa.array(relevant)).to_pylist()))
        return DateEvidence(first=int(first[relevant].max()), second=int(second[relevant].max()), dotted=dotted)

    def wall_us(self, *, month_first: bool) -> tuple[NDArray[np.int64], dict[int, str], NDArray[np.bool_]]:
        """Return wall-clock times, UTC where the text has an offset; problems; and where it has one."""
        first, second, third = self._integers("a"), self._integers("b"), self._integers("c")
        year_first = self._lengths("a") == 4
        named = second < 0
        month = np.where(named, self._named_months(), np.where(year_first | ~np.bool_(month_first), second, first))
        day = np.where(year_first, third, np.where(named | ~np.bool_(month_first), first, second))
        year = np.where(year_first, first, third)
        short = ~year_first & (self._lengths("c") <= 2)
        year = np.where(short, np.where(year >= _PIVOT, 1900 + year, 2000 + year), year)
        hour, minute, second_of_minute = (np.maximum(self._integers(part), 0) for part in "hms")
        half = np.array([0 if not p else (1 if p[0] in "aA" else 2) for p in self._strings("p").to_pylist()])
        hour = np.where(half > 0, hour % 12 + np.where(half == 2, 12, 0), hour)
        days, fits = _days(year, month, day)
        fits &= (hour < 24) & (minute < 60) & (second_of_minute < 61) & _matched(self.parts)
        us = ((days * 24 + hour) * 60 + minute) * _US_PER_MIN + second_of_minute * US_PER_S + self._fractions()
        zoned, offsets = self._zones()
        us = np.where(fits, us - offsets, 0)
        missing = _nulls(self.texts)
        problems = dict.fromkeys(np.flatnonzero(~fits & ~missing).tolist(), UNREADABLE)
        return us, problems | dict.fromkeys(np.flatnonzero(missing).tolist(), MISSING), zoned

    def _strings(self, part: str) -> ArrowArray:
        return pc.fill_null(pc.struct_field(self.parts, part), "")

    def _lengths(self, part: str) -> NDArray[np.int64]:
        return np.asarray(pc.utf8_length(self._strings(part)).to_numpy(zero_copy_only=False), dtype=np.int64)

    def _integers(self, part: str) -> NDArray[np.int64]:
        """Return the numbers of a part; −1 where it is not a number."""
        texts = self._strings(part)
        digits = pc.match_substring_regex(texts, r"^\d+$")
        numbers = pc.if_else(digits, texts, "-1").cast(pa.int64())
        return np.asarray(numbers.to_numpy(zero_copy_only=False))

    def _fractions(self) -> NDArray[np.int64]:
        padded = pc.utf8_slice_codeunits(pc.utf8_rpad(self._strings("f"), 6, "0"), 0, 6)
        return np.asarray(padded.cast(pa.int64()).to_numpy(zero_copy_only=False))

    def _named_months(self) -> NDArray[np.int64]:
        coded = pc.utf8_lower(pc.utf8_slice_codeunits(self._strings("b"), 0, 3)).dictionary_encode()
        numbers = np.array([_MONTHS.get(name, 0) for name in coded.dictionary.to_pylist()], dtype=np.int64)
        return np.asarray(numbers[coded.indices.to_numpy(zero_copy_only=False)])

    def _zones(self) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        coded = self._strings("z").dictionary_encode()
        names = coded.dictionary.to_pylist()
        codes = coded.indices.to_numpy(zero_copy_only=False)
        offsets = np.array([_offset_us(_OFFSET.fullmatch(name)) for name in names], dtype=np.int64)
        return np.array([bool(name) for name in names])[codes], offsets[codes]


def joined(arrays: Sequence[ArrowArray]) -> ArrowArray:
    """Join date and time of day with a space into one column of texts."""
    texts = [array.cast(pa.string()) for array in arrays]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, " ")


def _typed(array: ArrowArray) -> tuple[NDArray[np.int64], dict[int, str], NDArray[np.bool_]]:
    zoned = pa.types.is_timestamp(array.type) and array.type.tz is not None
    us = array.cast(pa.timestamp("us", array.type.tz if zoned else None), safe=False).cast(pa.int64())
    problems = dict.fromkeys(np.flatnonzero(_nulls(array)).tolist(), MISSING)
    return us.fill_null(0).to_numpy(zero_copy_only=False).copy(), problems, np.full(len(array), zoned)


def _iso(texts: ArrowArray) -> tuple[NDArray[np.int64], bool] | None:
    """Parse the fast way if every text is ISO 8601, all with a zone or all without."""
    for zone in (None, "UTC"):
        try:
            ns = texts.cast(pa.timestamp("ns", zone))
        except pa.ArrowInvalid:
            continue
        us = ns.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64()).fill_null(0)
        return us.to_numpy(zero_copy_only=False).copy(), zone is not None
    return None


def is_iso(texts: ArrowArray) -> bool:
    """Return whether every text of a piece is ISO 8601."""
    return _iso(texts) is not None


def _nulls(array: ArrowArray) -> NDArray[np.bool_]:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False))


def _matched(parts: ArrowArray) -> NDArray[np.bool_]:
    return ~_nulls(parts)


def _offset_us(match: re.Match[str] | None) -> int:
    if match is None:
        return 0
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return (minutes if match[1] == "+" else -minutes) * _US_PER_MIN


def _days(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return days since 1970, and whether each date exists."""
    fits = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (year <= 9999)
    months = (np.where(fits, year, 1970) - 1970) * 12 + np.where(fits, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    days = first + day - 1
    return days, fits & (days < following)
