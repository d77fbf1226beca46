"""Rows of a frame in the order of processing: asset after asset, each in order of arrival."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import MISSING, Frame, Strings

#: Watermark of an asset without applied rows: every row is newer.
NEVER_US: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Rows of some assets: ``rows[starts[k]:starts[k + 1]]``, at least one, belong to ``names[k]``."""

    names: tuple[str, ...]
    rows: NDArray[np.intp]
    starts: NDArray[np.intp]

    @property
    def newest(self) -> NDArray[np.intp]:
        """Return the last row of each asset."""
        return self.rows[self.starts[1:] - 1]

    @property
    def owners(self) -> NDArray[np.intp]:
        """Return the position in ``names`` of each row's asset."""
        return np.repeat(np.arange(len(self.names)), np.diff(self.starts))

    def of(self, names: Container[str]) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """Yield the rows of each of these assets."""
        bounds = self.starts.tolist()
        for position, name in enumerate(self.names):
            if name in names:
                yield name, self.rows[bounds[position] : bounds[position + 1]]

    def keep(self, wanted: NDArray[np.bool_]) -> "Arrivals":
        """Select the wanted rows, and the assets that have some."""
        counts = np.bincount(self.owners[wanted], minlength=len(self.names))
        staying = np.flatnonzero(counts)
        names = tuple(self.names[position] for position in staying.tolist())
        return Arrivals(names, self.rows[wanted], _starts(counts[staying]))


def live_rows(frame: Frame) -> Arrivals:
    """Return the rows that are live: neither late nor imported from a historian."""
    return _rows(frame, ~frame.arrays["late"] & ~frame.arrays["historical"])


def timely_rows(frame: Frame) -> Arrivals:
    """Return the rows that are not late, imported ones included."""
    return _rows(frame, ~frame.arrays["late"])


def _rows(frame: Frame, wanted: NDArray[np.bool_]) -> Arrivals:
    """Return the wanted rows that have an asset."""
    assets = frame.assets
    if len(set(assets.categories)) < len(assets.categories):  # another writer may repeat a category
        assets = Strings.of(assets.to_list())
    rows = np.flatnonzero(wanted & (assets.codes != MISSING))
    codes = assets.codes[rows]
    counts = np.bincount(codes, minlength=len(assets.categories))
    staying = np.flatnonzero(counts)
    names = tuple(assets.categories[code] for code in staying.tolist())
    return Arrivals(names, rows[np.argsort(codes, kind="stable")], _starts(counts[staying]))


def newer_rows(found: Arrivals, times_us: NDArray[np.int64], watermarks_us: NDArray[np.int64]) -> Arrivals:
    """Return the rows newer than their asset's watermark and than all earlier rows, however frames are cut.

    ``times_us`` are the event times of the frame's rows, ``watermarks_us`` those of each asset of ``found.names``.
    """
    times = times_us[found.rows]
    before = _shifted(times, found.starts, watermarks_us)
    if (times > before).all():
        return found
    # ranks, because a running maximum per asset needs room between assets, which times may not leave
    _, ranks = np.unique(np.concatenate([times, before]), return_inverse=True)
    lift = found.owners * (ranks.size + 1)
    highest = np.maximum.accumulate(ranks[times.size :] + lift) - lift
    return found.keep(ranks[: times.size] > highest)


def _shifted(times: NDArray[np.int64], starts: NDArray[np.intp], watermarks_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the event time of the row before; the watermark for an asset's first."""
    before = np.empty_like(times)
    before[1:] = times[:-1]
    before[starts[:-1]] = watermarks_us
    return before


def _starts(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
