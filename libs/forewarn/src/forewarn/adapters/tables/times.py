"""Time columns: ISO 8601 timestamps or plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.table import Table, TableError
from forewarn.domain.frames.frame import FloatArray

_NS_PER_S: Final = 1e9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Times:
    """Times of the rows of a table."""

    values: FloatArray  #: Seconds since 1970 UTC for timestamps, exact to 1 µs; else the numbers as they are.
    are_moments: bool  #: Whether they are timestamps. Those without a zone are taken as UTC.


def times_of(table: Table, name: str) -> Times:
    """Read a text column as times.

    Raises
    ------
    TableError
        If a row has none, or one that cannot be read: with row and column.
    """
    column = table.columns[name]
    if column.kind in {"number", "mixed"}:
        values, are_moments = table.numbers(name), False
    else:
        values, are_moments = _moments(table, name), True
    missing = np.flatnonzero(np.isnan(values))
    if missing.size:
        raise TableError(f"{table.path}: no time in column {name!r} in row {missing[0] + 1}; every row needs one")
    return Times(values=values, are_moments=are_moments)


def _moments(table: Table, name: str) -> FloatArray:
    texts = table.columns[name].texts
    for dtype in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            moments = texts.cast(dtype)
        except pa.ArrowInvalid:
            continue
        ns: FloatArray = _integers(moments) / _NS_PER_S
        return np.where(_nulls(moments), np.nan, ns)
    return np.array([_moment(table, name, row, text) for row, text in enumerate(texts.to_pylist(), start=1)])


def _moment(table: Table, name: str, row: int, text: str | None) -> float:
    if text is None:
        return float("nan")
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise TableError(
            f"{table.path}: column {name!r} in row {row} holds {text!r}; a time is a number or written "
            "as in 2026-11-21T10:33:00"
        ) from exc
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _integers(moments: ArrowArray) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = moments.cast(pa.int64()).fill_null(0).to_numpy()
    return whole


def _nulls(moments: ArrowArray) -> NDArray[np.bool_]:
    unknown: NDArray[np.bool_] = moments.is_null().to_numpy()
    return unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """First row (from 1) whose time is not later than that of the unit's previous row."""

    row: int
    duplicate: bool


def first_disorder(values: FloatArray, units: NDArray[np.intp]) -> Disorder | None:
    """Find the first backward or repeated time of any unit; None if all times rise."""
    order = np.argsort(units, kind="stable")
    step = np.diff(values[order])
    bad = np.flatnonzero((np.diff(units[order]) == 0) & (step <= 0))
    if not bad.size:
        return None
    rows = order[bad + 1]
    first = int(np.argmin(rows))
    return Disorder(row=int(rows[first]) + 1, duplicate=bool(step[bad[first]] == 0))


def sorted_rows(values: FloatArray, units: NDArray[np.intp], columns: Sequence[FloatArray]) -> NDArray[np.intp]:
    """Return rows in order of unit and time, without exact duplicates; units in order of first appearance.

    An exact duplicate has the unit, time and all values of an earlier row.
    """
    order: NDArray[np.intp] = np.lexsort((values, units))
    repeats = (np.diff(values[order]) == 0) & (np.diff(units[order]) == 0)
    tied = np.flatnonzero(np.append(repeats, False) | np.insert(repeats, 0, False))
    kept = np.ones(order.size, dtype=np.bool_)
    seen: set[bytes] = set()
    if tied.size:
        key = np.column_stack([units[order[tied]], values[order[tied]], *(c[order[tied]] for c in columns)]) + 0.0
        for place, row in zip(tied, key, strict=True):  # adding 0.0 made -0.0 and 0.0 the same bytes
            mark = row.tobytes()
            kept[place] = mark not in seen
            seen.add(mark)
    return order[kept]
