"""Turns windows of converted rows into clean readings, and counts what was done to each tag."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from forewarn.adapters.importing.converting import Converted
from forewarn.adapters.importing.rejects import Rejects
from forewarn.domain.importing.gaps import Pending, Rows, close_gaps
from forewarn.domain.importing.ghosts import Ghost
from forewarn.domain.importing.merging import Merged, merge


@dataclass(slots=True)
class TagTally:
    """Counts for the values of one tag of one asset."""

    sent: int = 0
    filled: int = 0
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf


@dataclass(slots=True)
class CleaningTally:
    """Counts of rows."""

    sent: int = 0
    repeated: int = 0
    emptied: int = 0  #: rows with nothing but ghosts
    first_us: int | None = None
    last_us: int | None = None
    tags: dict[tuple[int, int], TagTally] = field(default_factory=dict)


class Cleaner:
    """Merges rows of one time, removes ghosts, closes gaps."""

    def __init__(
        self, tags: tuple[str, ...], found: Mapping[tuple[int, int], Ghost], max_gap_us: int, rejects: Rejects
    ) -> None:
        self._tags = tags
        self._ghosts = found
        self._max_gap_us = max_gap_us
        self._rejects = rejects
        self._pending: dict[int, Pending] = {}
        self.tally = CleaningTally()

    def clean(self, window: Converted) -> Iterator[tuple[int, Rows]]:
        """Return each asset's finished readings, by number of the asset, times rising."""
        for asset in np.unique(window.asset).tolist():
            own = np.flatnonzero(window.asset == asset)
            given = Rows(ts=window.ts[own], values=window.values[own], quality=window.quality[own])
            merged = merge(given)
            self._note(merged, given, window.numbers[own])
            yield asset, self._mend(asset, merged.rows, last=False)

    def finish(self) -> Iterator[tuple[int, Rows]]:
        """Return what waited for the rest of the file."""
        for asset in sorted(self._pending):
            yield asset, self._mend(asset, Rows.none(len(self._tags)), last=True)

    def _mend(self, asset: int, fresh: Rows, *, last: bool) -> Rows:
        gone = [tag for number, tag in self._ghosts if number == asset]
        if gone and fresh.count:
            values, quality = fresh.values.copy(), fresh.quality.copy()
            values[:, gone], quality[:, gone] = np.nan, 0
            fresh = Rows(ts=fresh.ts, values=values, quality=quality)
        pending = self._pending.get(asset) or Pending.blank(len(self._tags))
        self._pending[asset], rows, filled = close_gaps(pending, fresh, self._max_gap_us, last=last)
        said = np.asarray(~np.isnan(rows.values).all(axis=1))
        if not said.all():
            self.tally.emptied += int(np.count_nonzero(~said))
            rows, filled = rows.take(said), filled[said]
        if rows.count:
            self._count(asset, rows, filled)
        return rows

    def _note(self, merged: Merged, given: Rows, numbers: np.ndarray) -> None:
        self.tally.repeated += merged.repeated.size
        for row, tag in merged.conflicts:
            value = f"{given.values[row, tag]:g}"
            self._rejects.add(int(numbers[row]), "another value for the same time came before", value, self._tags[tag])

    def _count(self, asset: int, rows: Rows, filled: np.ndarray) -> None:
        tally = self.tally
        tally.sent += rows.count
        first, last = int(rows.ts[0]), int(rows.ts[-1])
        tally.first_us = first if tally.first_us is None else min(first, tally.first_us)
        tally.last_us = last if tally.last_us is None else max(last, tally.last_us)
        missing = np.isnan(rows.values)
        for tag in range(len(self._tags)):
            own = tally.tags.setdefault((asset, tag), TagTally())
            known = rows.values[~missing[:, tag], tag]
            own.sent += known.size
            own.missing += int(missing[:, tag].sum())
            own.filled += int(filled[:, tag].sum())
            if known.size:
                own.low, own.high = min(own.low, float(known.min())), max(own.high, float(known.max()))
