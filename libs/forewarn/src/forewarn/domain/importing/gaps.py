"""Close short gaps by straight lines, however the stream is cut."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """Rows of one asset in order of time."""

    ts: NDArray[np.int64]  #: Event times [µs], shape (n,), rising.
    values: FloatArray  #: Shape (n, tags); NaN where unknown.
    quality: NDArray[np.uint8]  #: Quality from the file: 0 good, 1 uncertain, 2 bad; shape (n, tags).

    @classmethod
    def none(cls, tags: int) -> "Rows":
        """Return no rows."""
        return cls(ts=np.zeros(0, np.int64), values=np.zeros((0, tags)), quality=np.zeros((0, tags), np.uint8))

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return int(self.ts.shape[0])

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Rows":
        """Select rows."""
        return Rows(ts=self.ts[rows], values=self.values[rows], quality=self.quality[rows])

    def then(self, other: "Rows") -> "Rows":
        """Append other rows."""
        return Rows(
            ts=np.concatenate([self.ts, other.ts]),
            values=np.concatenate([self.values, other.values]),
            quality=np.concatenate([self.quality, other.quality]),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pending:
    """State of gap closing for one asset: the newest known values, and undecided rows."""

    known_ts: NDArray[np.int64]
    known: FloatArray
    rows: Rows

    @classmethod
    def blank(cls, tags: int) -> "Pending":
        """Return the state before the first row."""
        return cls(known_ts=np.zeros(tags, np.int64), known=np.full(tags, np.nan), rows=Rows.none(tags))


UNCERTAIN = 1
_BAD = 2


def close_gaps(
    pending: Pending, fresh: Rows, max_gap_us: int, *, last: bool
) -> tuple[Pending, Rows, NDArray[np.bool_]]:
    """Fill missing values between two known ones that are at most ``max_gap_us`` apart.

    A filled value is uncertain; a value that the file calls bad stays missing. Rows leave when no later row can change
    them, all with ``last``, however rows are cut. ``filled``, shape (rows, tags), marks the inserted values.
    """
    rows = pending.rows.then(fresh)
    if not rows.count:
        return pending, rows, np.zeros(rows.values.shape, dtype=np.bool_)
    done = rows.count if last else int(np.searchsorted(rows.ts, rows.ts[-1] - max_gap_us))
    known = ~np.isnan(rows.values) & (rows.quality != _BAD)
    values, quality = rows.values.copy(), rows.quality.copy()
    filled = np.zeros(values.shape, dtype=np.bool_)
    for tag in np.flatnonzero(~known.all(axis=0)).tolist():
        _fill(pending, rows, known[:, tag], tag, max_gap_us, values[:, tag], filled[:, tag])
    quality[filled] = UNCERTAIN
    newest = np.where(known[:done], np.arange(done)[:, None], -1).max(axis=0, initial=-1)
    here, at = newest >= 0, np.maximum(newest, 0)
    columns = np.arange(values.shape[1])
    after = Pending(
        known_ts=np.where(here, rows.ts[at], pending.known_ts),
        known=np.where(here, rows.values[at, columns], pending.known),
        rows=rows.take(slice(done, None)),
    )
    out = Rows(ts=rows.ts[:done], values=values[:done], quality=quality[:done])
    return after, out, filled[:done]


def _fill(
    pending: Pending,
    rows: Rows,
    known: NDArray[np.bool_],
    tag: int,
    max_gap_us: int,
    values: FloatArray,
    filled: NDArray[np.bool_],
) -> None:
    """Fill one tag in place."""
    at = np.flatnonzero(known)
    times, numbers = rows.ts[at], rows.values[at, tag]
    if not np.isnan(pending.known[tag]):
        times = np.concatenate([pending.known_ts[tag : tag + 1], times])
        numbers = np.concatenate([pending.known[tag : tag + 1], numbers])
    missing = np.flatnonzero(np.isnan(rows.values[:, tag]) & (rows.quality[:, tag] != _BAD))
    after = np.searchsorted(times, rows.ts[missing])
    inside = (after > 0) & (after < times.size)
    missing, after = missing[inside], after[inside]
    before = after - 1
    span = times[after] - times[before]
    short = span <= max_gap_us
    missing, after, before, span = missing[short], after[short], before[short], span[short]
    share = (rows.ts[missing] - times[before]) / np.maximum(span, 1)
    values[missing] = numbers[before] + share * (numbers[after] - numbers[before])
    filled[missing] = True
