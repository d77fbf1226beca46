"""Interpret numbers and dates in a time column, and equal wall-clock times when clocks go back."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.importing import TimeFormat
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.time import US_PER_DAY

#: Smallest and largest number that is a moment from 1973 to 2128, by format; for Excel from 1955 to 2119.
_RANGES: Final[tuple[tuple[TimeFormat, float, float], ...]] = (
    ("excel", 2.0e4, 8.0e4),
    ("epoch-s", 1.0e8, 5.0e9),
    ("epoch-ms", 1.0e11, 5.0e12),
    ("epoch-us", 1.0e14, 5.0e15),
    ("epoch-ns", 1.0e17, 5.0e18),
)
_MICROSECONDS: Final[dict[str, float]] = {"epoch-s": 1e6, "epoch-ms": 1e3, "epoch-us": 1.0, "epoch-ns": 1e-3}
_EXCEL_EPOCH_DAYS: Final = 25569  # of 1970 in Excel's calendar
_US_PER_MS: Final = 1000


def number_format(low: float, high: float) -> TimeFormat | None:
    """Return the only format in which numbers from ``low`` to ``high`` are moments; None if none fits."""
    return next((name for name, least, most in _RANGES if least <= low and high <= most), None)


def moments_of(numbers: FloatArray, time_format: TimeFormat, start_us: int) -> NDArray[np.int64]:
    """Convert numbers of a time column to µs since 1970; Excel's are wall-clock time, exact to a millisecond.

    Numbers must be finite. ``start_us`` is the moment of 0 for elapsed seconds.
    """
    if time_format == "excel":
        ms = np.rint((numbers - _EXCEL_EPOCH_DAYS) * (US_PER_DAY / _US_PER_MS)).astype(np.int64)
        return ms * _US_PER_MS
    if time_format == "elapsed-s":
        return start_us + np.rint(numbers * 1e6).astype(np.int64)
    return np.rint(numbers * _MICROSECONDS[time_format]).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateEvidence:
    """Evidence in a file's dates about the order of day and month."""

    #: Largest first and second number of numeric dates with the year last; 0 without any.
    first: int = 0
    second: int = 0
    dotted: bool = True  #: All of them have dots, which are not used with the month first.

    def __or__(self, other: "DateEvidence") -> "DateEvidence":
        return DateEvidence(
            first=max(self.first, other.first),
            second=max(self.second, other.second),
            dotted=self.dotted and other.dotted,
        )

    @property
    def order(self) -> TimeFormat | None:
        """Return the certain order; None if both are possible, or neither."""
        if self.first == 0:
            return "text"
        if self.first > _MONTHS >= self.second or (self.dotted and self.second <= _MONTHS):
            return "day-first"
        return "month-first" if self.second > _MONTHS >= self.first else None


_MONTHS: Final = 12


@dataclass(slots=True)
class Overlap:
    """Tell the two passes through a repeated hour apart by the order of a file's rows.

    In a file with rising times the first pass is the earlier one (summer time); the second begins where
    the clock does not go on. ``descending`` files are read the other way round.
    """

    descending: bool = False
    _last: dict[Hashable, tuple[int, bool]] = field(default_factory=dict)

    def second_pass(self, series: Iterable[Hashable], wall_us: Iterable[int]) -> NDArray[np.bool_]:
        """Return for rows within such hours whether each is of the later pass; ``series`` names each row's series."""
        out: list[bool] = []
        for name, wall in zip(series, wall_us, strict=True):
            before, later = self._last.get(name, (wall, self.descending))
            if abs(wall - before) > US_PER_DAY:  # another year's
                later = self.descending
            elif name in self._last and ((wall >= before) if self.descending else (wall <= before)):
                later = not self.descending
            self._last[name] = (wall, later)
            out.append(later)
        return np.array(out, dtype=np.bool_)
