"""Merge rows of the same asset and time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.importing.gaps import Rows


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Merged:
    """Rows of one asset with rising times, and the fate of the others."""

    rows: Rows  #: One row for each time.
    repeated: NDArray[np.intp]  #: Positions of redundant input rows.
    #: Positions of rows with another value for the same tag and time, and the tag's position. The first value stays.
    conflicts: tuple[tuple[int, int], ...]


def merge(rows: Rows) -> Merged:
    """Sort rows of one asset by time and merge those of one time, as in long files.

    Of two values for one tag and time the first one stays.
    """
    order = np.argsort(rows.ts, kind="stable")
    ts = rows.ts[order]
    first = np.ones(ts.size, dtype=np.bool_)
    np.not_equal(ts[1:], ts[:-1], out=first[1:])
    if first.all():
        tidy = rows if (order[1:] > order[:-1]).all() else rows.take(order)
        return Merged(rows=tidy, repeated=np.zeros(0, dtype=np.intp), conflicts=())
    group = np.cumsum(first) - 1
    groups = int(group[-1]) + 1
    values = np.full((groups, rows.values.shape[1]), np.nan)
    quality = np.zeros(values.shape, dtype=np.uint8)
    said_more = np.zeros(ts.size, dtype=np.bool_)
    conflicts: list[tuple[int, int]] = []
    for tag in range(values.shape[1]):
        column, codes = rows.values[order, tag], rows.quality[order, tag]
        speaks = np.flatnonzero(~np.isnan(column) | (codes != 0))
        own, place = np.unique(group[speaks], return_index=True)
        chosen = speaks[place]
        values[own, tag], quality[own, tag] = column[chosen], codes[chosen]
        said_more[chosen] = True
        conflicts += [(int(order[row]), tag) for row in _disagreeing(column, speaks, group, values[:, tag])]
    in_conflict = {row for row, _ in conflicts}
    repeated = np.array(sorted(set(order[~said_more].tolist()) - in_conflict), dtype=np.intp)
    return Merged(
        rows=Rows(ts=ts[first], values=values, quality=quality), repeated=repeated, conflicts=tuple(sorted(conflicts))
    )


def _disagreeing(
    column: FloatArray, speaks: NDArray[np.intp], group: NDArray[np.intp], chosen: FloatArray
) -> list[int]:
    wanted = chosen[group[speaks]]
    other = (column[speaks] != wanted) & ~np.isnan(column[speaks])
    found: list[int] = speaks[other].tolist()
    return found
