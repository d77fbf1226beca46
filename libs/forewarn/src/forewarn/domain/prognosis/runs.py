"""Run histories of a fleet: the records of each unit, and how each ended."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Runs:
    """Rows of several units: unit after unit, each in rising time."""

    starts: IntArray  #: First row of each unit and, at the end, the number of rows: shape (units + 1,).
    time: FloatArray  #: Time of each row, any unit, shape (rows,).
    #: Measured values, NaN where unknown, shapes (rows, tags) and (rows, drivers).
    tags: FloatArray
    drivers: FloatArray

    def __post_init__(self) -> None:
        rows = self.time.shape[0]
        if self.tags.shape[0] != rows or self.drivers.shape[0] != rows or self.starts[-1] != rows:
            raise ValueError("time, tags, drivers and starts describe different numbers of rows")
        if self.starts[0] != 0 or np.any(np.diff(self.starts) < 1):
            raise ValueError("every unit needs at least one row")
        if np.any(np.delete(np.diff(self.time), self.starts[1:-1] - 1) <= 0.0):
            raise ValueError("the times of a unit must rise")

    @property
    def units(self) -> int:
        """Return the number of units."""
        return self.starts.size - 1

    @property
    def unit_of_row(self) -> IntArray:
        """Return the position of each row's unit."""
        return np.repeat(np.arange(self.units), np.diff(self.starts))

    @property
    def last_rows(self) -> IntArray:
        """Return the last row of each unit."""
        last: IntArray = self.starts[1:] - 1
        return last

    @property
    def lengths(self) -> FloatArray:
        """Return the time from the first to the last row of each unit."""
        return self.time[self.last_rows] - self.time[self.starts[:-1]]

    @property
    def to_the_end(self) -> FloatArray:
        """Return the time from each row to the last of its unit: the remaining life, if the unit failed there."""
        return self.time[self.last_rows][self.unit_of_row] - self.time

    def slices(self) -> Iterator[slice]:
        """Return the rows of each unit."""
        for first, after in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield slice(first, after)


def evenly_spaced(runs: Runs, per_unit: int) -> IntArray:
    """Choose at most ``per_unit`` rows of each unit, evenly in row number, always including the last.

    Neighbouring rows are nearly the same; more of them cost time and add nothing.
    """
    chosen = []
    for rows in runs.slices():
        count = rows.stop - rows.start
        kept = min(count, per_unit)
        chosen.append(rows.stop - 1 - np.floor(np.arange(kept)[::-1] * (count / kept)).astype(np.intp))
    return np.concatenate(chosen)
