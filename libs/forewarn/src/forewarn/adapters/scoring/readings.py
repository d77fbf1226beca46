"""Rows of a file in order: time, unit and tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.tables.reading import read_table
from forewarn.adapters.tables.table import Table, TableError
from forewarn.adapters.tables.times import Times, first_disorder, sorted_rows, times_of
from forewarn.domain.frames.frame import FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Readings:
    """Rows of a file."""

    stamps: Sequence[str | int]  #: Text of the time column, or the number of the row from 1.
    #: Times as numbers, None without a time column; ``moments`` says whether they are timestamps.
    times: FloatArray | None
    moments: bool
    unit: NDArray[np.intp]  #: Unit of each row as a number.
    tags: Mapping[str, FloatArray]  #: Values of each tag, NaN where missing.
    dropped: int = 0  #: Exact duplicates that sorting dropped.

    def head(self, rows: int) -> "Readings":
        """Return only the first rows."""
        return Readings(
            stamps=self.stamps[:rows],
            times=None if self.times is None else self.times[:rows],
            moments=self.moments,
            unit=self.unit[:rows],
            tags={name: values[:rows] for name, values in self.tags.items()},
        )


def open_table(path: Path, time: str | None, unit: str | None) -> Table:
    """Read a file with these columns of time and unit."""
    return read_table(path, [name for name in (time, unit) if name is not None])


def readings_of(table: Table, time: str | None, unit: str | None, tags: Sequence[str], *, sort: bool) -> Readings:
    """Take rows from a table.

    Raises
    ------
    TableError
        If a tag is missing or holds text, or the times of a unit do not rise and ``sort`` is not given.
    """
    table.require(tags)
    values = {name: table.numbers(name) for name in tags}
    units = np.zeros(table.rows, dtype=np.intp) if unit is None else table.codes(unit)[0]
    if time is None:
        numbers = range(1, table.rows + 1)
        return Readings(stamps=numbers, times=None, moments=False, unit=units, tags=values)
    times = times_of(table, time)
    if not sort:
        _require_order(table, time, times, units)
    stamps = [stamp or "" for stamp in table.texts(time)]
    if not sort:
        return Readings(stamps=stamps, times=times.values, moments=times.are_moments, unit=units, tags=values)
    rows = sorted_rows(times.values, units, list(values.values()))
    return Readings(
        stamps=[stamps[row] for row in rows],
        times=times.values[rows],
        moments=times.are_moments,
        unit=units[rows],
        tags={name: column[rows] for name, column in values.items()},
        dropped=table.rows - rows.size,
    )


def _require_order(table: Table, name: str, times: Times, units: NDArray[np.intp]) -> None:
    found = first_disorder(times.values, units)
    if found is None:
        return
    what = "repeats the time of" if found.duplicate else "is earlier than"
    stamp = table.texts(name)[found.row - 1]
    raise TableError(
        f"{table.path}: row {found.row}, column {name!r}: {stamp} {what} the row before it; "
        "put the rows in order, or let --sort do it"
    )
