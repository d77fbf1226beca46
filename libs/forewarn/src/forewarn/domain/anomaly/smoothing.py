"""Trailing means over rows of many assets at once; each sum has the same order however the rows are cut.

Rows of several assets lie in one strip, sorted by asset; each asset's last ``history`` earlier rows stand before its
new ones. A position in the strip sees no rows before its ``floor``, the first row since the asset's last gap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import Array, FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Strip:
    """Where the rows of a batch lie in the strip."""

    owner: NDArray[np.intp]  #: Position of the asset of each segment, shape (segments,).
    #: First row of each segment and the row after its last, shape (segments,).
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    position: NDArray[np.intp]  #: Of each row, shape (rows,).
    old: NDArray[np.intp]  #: Positions of the remembered rows, shape (segments, history).
    history: int  #: Remembered rows in front of each segment.

    @classmethod
    def of(cls, asset: NDArray[np.intp], history: int) -> "Strip":
        """Lay out rows that are sorted by asset."""
        first = np.flatnonzero(np.diff(asset, prepend=-1))
        last = np.append(first[1:], asset.size)
        segment = np.repeat(np.arange(first.size), last - first)
        start = first + history * np.arange(first.size)
        return cls(
            owner=asset[first],
            first=first,
            last=last,
            position=np.arange(asset.size) + history * (segment + 1),
            old=start[:, None] + np.arange(history),
            history=history,
        )

    @property
    def size(self) -> int:
        """Return the length of the strip."""
        return self.position.size + self.old.size

    def spread(self, old: Array, new: Array) -> Array:
        """Put remembered values, shape (segments, history, …), and new ones, shape (rows, …), into a strip."""
        strip = np.empty((self.size, *new.shape[1:]), dtype=new.dtype)
        strip[self.old] = old
        strip[self.position] = new
        return strip

    def floors(self, restart: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the first row that each row may see; ``restart`` marks rows after a gap."""
        start = np.repeat(self.old[:, 0] if self.history else self.position[self.first], self.last - self.first)
        floor: NDArray[np.intp] = np.maximum.accumulate(np.where(restart, self.position, start))
        return floor

    def remembered(self, strip: Array, floor: NDArray[np.intp], blank: float) -> Array:
        """Return the last ``history`` rows of each segment above its floor, otherwise ``blank``."""
        place = self.position[self.last - 1][:, None] + 1 - self.history + np.arange(self.history)
        visible = place >= floor[self.last - 1][:, None]
        kept: Array = strip[place]
        kept[~visible] = blank
        return kept


def trailing_sums(strip: FloatArray, place: Strip, floor: NDArray[np.intp], length: int) -> FloatArray:
    """Sum the last ``length`` rows down to the floor, oldest first; shape (rows, …)."""
    reach = place.position - floor
    total = np.zeros((place.position.size, *strip.shape[1:]))
    values = np.empty_like(total)
    for back in range(length - 1, -1, -1):
        strip.take(place.position - back, axis=0, out=values, mode="clip")
        if (beyond := reach < back).any():
            values[beyond] = 0.0
        total += values
    return total


def shrunken_means(residuals: FloatArray, place: Strip, floor: NDArray[np.intp], window: int, least: int) -> FloatArray:
    """Return trailing means of a strip of residuals, shape (rows, responses); unknown ones do not count.

    A mean over k readings of a window of W is Σ/√(kW): on white noise it has the spread of a full window, so that young
    windows are not louder. NaN where fewer than ``least`` are known.
    """
    known = ~np.isnan(residuals)
    if known.all():  # the usual case needs no counting
        total = trailing_sums(residuals, place, floor, window)
        count = np.minimum(place.position - floor + 1, window)[:, None].astype(np.float64)
    else:
        both = np.concatenate([np.where(known, residuals, 0.0), known.astype(np.float64)], axis=1)
        sums = trailing_sums(both, place, floor, window)
        total, count = np.hsplit(sums, 2)
    return np.where(count >= least, total / np.sqrt(np.maximum(count, 1.0) * window), np.nan)
