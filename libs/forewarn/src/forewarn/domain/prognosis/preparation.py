"""Features of a unit's recorded rows. Causal: a row depends only on itself and earlier rows.

Windows are shares of a typical life, so that a fleet sampled once a cycle and one sampled a hundred thousand times in a
life give comparable features.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.regimes import Conditions, learn_conditions
from forewarn.domain.prognosis.runs import BoolArray, IntArray, Runs
from forewarn.domain.prognosis.windows import trailing

#: Windows of the means, as shares of a typical life, and the fewest rows they must span.
MEAN_WINDOWS: Final = ((0.05, 3), (0.10, 6), (0.30, 10))

#: The same for slopes. Mean and slope since the first row are added.
SLOPE_WINDOWS: Final = ((0.30, 10),)

#: Values are clipped one width beyond the learned range (this share cut off each end): a single reading of 1e10 must
#: not drown a window.
_TAIL: Final = 0.001

#: Times are ages if all units start within this share of a typical life of each other.
_COMMON_START: Final = 0.05

#: A tag is constant if it varies by no more than this share of its size.
_CONSTANT: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Preparation:
    """Tags, conditions and time scales learned from the training runs."""

    #: Clipping limits of the tags, shape (tags,).
    low: FloatArray
    high: FloatArray
    conditions: Conditions  #: Removes the effect of the operating condition.
    life: float  #: Length of a typical run to failure, in the runs' unit of time.
    step: float  #: Typical time between rows.
    #: Common start time of all units, if times are ages; None if age counts from a unit's first row.
    birth: float | None

    @property
    def features(self) -> int:
        """Name the features of a row: age, then windows of the tags, then of the drivers."""
        per_tag = len(MEAN_WINDOWS) + len(SLOPE_WINDOWS) + 2
        return 1 + per_tag * self.low.size + self.conditions.low.size

    def features_of(self, runs: Runs, rows: IntArray) -> FloatArray:
        """Return features of some rows, in rising order; shape (rows, features)."""
        out = np.empty((rows.size, self.features))
        cuts = np.searchsorted(rows, runs.starts)
        for unit, own in enumerate(runs.slices()):
            chosen = slice(cuts[unit], cuts[unit + 1])
            if chosen.start < chosen.stop:
                out[chosen] = self._of_unit(runs.time[own], runs.tags[own], runs.drivers[own], rows[chosen] - own.start)
        return out

    def outside(self, runs: Runs) -> int:
        """Count rows with a driver outside its learned range."""
        return self.conditions.outside(runs.drivers)

    def _of_unit(self, time: FloatArray, tags: FloatArray, drivers: FloatArray, rows: IntArray) -> FloatArray:
        values = self.conditions.remove(np.clip(tags, self.low, self.high), drivers)
        scaled = (time - time[0]) / self.life
        age = (time[rows] - (time[0] if self.birth is None else self.birth)) / self.life
        means, slopes = self._widths(MEAN_WINDOWS), self._widths(SLOPE_WINDOWS)
        seen = trailing(scaled, values, rows, [*means, np.inf], [*slopes, np.inf])
        load = trailing(scaled, drivers, rows, [np.inf], [])
        return np.column_stack([age, seen, load])

    def _widths(self, windows: tuple[tuple[float, int], ...]) -> list[float]:
        return [max(share, count * self.step / self.life) for share, count in windows]


def learn_preparation(runs: Runs, failed: BoolArray) -> Preparation:
    """Learn scales, conditions and typical times; ``failed`` says which units ran to failure, shape (units,).

    Raises ValueError if a tag or driver does not vary (see :func:`varies`), or no failed unit has more than one row.
    """
    if not (np.all(varies(runs.tags)) and np.all(varies(runs.drivers)) and runs.tags.shape[1]):
        raise ValueError("tags and drivers must vary, and there must be a tag: there is nothing to learn otherwise")
    lengths = runs.lengths[failed]
    if not np.any(lengths > 0.0):
        raise ValueError("no unit that failed has more than one row: there is nothing to learn from")
    life = float(np.median(lengths[lengths > 0.0]))
    low, high = _bounds(runs.tags)
    drivers = np.clip(runs.drivers, *_bounds(runs.drivers))
    clipped = replace(runs, tags=np.clip(runs.tags, low, high), drivers=drivers)
    begin = runs.time[runs.starts[:-1]]
    common = float(np.ptp(begin)) <= _COMMON_START * life
    steps = np.delete(np.diff(runs.time), runs.starts[1:-1] - 1)
    return Preparation(
        low=low,
        high=high,
        conditions=learn_conditions(clipped),
        life=life,
        step=float(np.median(steps)),
        birth=float(np.median(begin)) if common else None,
    )


def varies(values: FloatArray) -> BoolArray:
    """Return which columns hold more than one value, shape (columns,)."""
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    size = np.maximum(np.abs(low), np.abs(high))
    with np.errstate(invalid="ignore"):  # inf - inf where nothing is known
        varying: BoolArray = np.isfinite(low) & (high - low > _CONSTANT * size)
    return varying


def _bounds(tags: FloatArray) -> tuple[FloatArray, FloatArray]:
    if not tags.shape[1]:
        return np.empty(0), np.empty(0)
    low, high = np.nanquantile(tags, [_TAIL, 1.0 - _TAIL], axis=0)
    width = high - low
    narrow = width <= 0.0  # it moves in less than one row of a thousand: keep all of it
    width = np.where(narrow, np.nanmax(tags, axis=0) - np.nanmin(tags, axis=0), width)
    return low - width, high + width
