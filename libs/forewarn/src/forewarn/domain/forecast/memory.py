"""Long memory of an asset's watched columns: means of buckets of event time, updated with each frame.

A month of 3 h buckets takes 1 kB per column. The result does not depend on how readings are cut into frames, and
redelivered rows change nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.base import OpaqueBytes
from forewarn.domain.frames.arrivals import NEVER_US, Arrivals, newer_rows, timely_rows
from forewarn.domain.frames.conditions import is_running
from forewarn.domain.frames.frame import FloatArray, Frame

#: Length of a bucket: eight a day show the daily pattern.
BUCKET_S: Final = 10_800

#: Buckets that are kept: 32 days.
KEPT: Final = 256

_BUCKET_US: Final = BUCKET_S * 1_000_000
_STORED: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMemory:
    """Memory of one asset.

    Rows up to event time ``seen_us`` were applied. The bucket being filled is the ``index``-th since 1970, with the
    number of readings and their sum for each of ``columns``. ``closed`` holds the means of the buckets before it,
    oldest first: little-endian 32-bit floats, bucket by bucket, NaN without readings.
    """

    columns: tuple[str, ...]
    seen_us: int
    index: int
    counts: tuple[int, ...]
    sums: tuple[float, ...]
    closed: OpaqueBytes

    @property
    def closed_buckets(self) -> int:
        """Return the number of complete buckets."""
        return len(self.closed) // (_STORED.itemsize * len(self.columns))

    @property
    def start_s(self) -> float:
        """Return the start of the oldest complete bucket, seconds since 1970 UTC."""
        return float((self.index - self.closed_buckets) * BUCKET_S)

    @property
    def end_s(self) -> float:
        """Return the end of the newest complete bucket, seconds since 1970 UTC."""
        return float(self.index * BUCKET_S)

    def means(self, column: str) -> FloatArray:
        """Return a column's means of the complete buckets, shape (closed_buckets,); NaN without readings."""
        table = np.frombuffer(self.closed, dtype=_STORED).reshape(-1, len(self.columns))
        return table[:, self.columns.index(column)].astype(np.float64)


def remember(memories: Mapping[str, SeriesMemory], frame: Frame, columns: tuple[str, ...]) -> dict[str, SeriesMemory]:
    """Apply the rows of a frame with the machine running; return the changed memories.

    Late rows are skipped, imported ones are not: an imported month of history allows a week's forecast. A row not newer
    than all earlier rows of its asset changes nothing. A memory of other columns, from an older version of the class,
    starts empty.
    """
    times = frame.arrays["ts"]
    found = timely_rows(frame)
    found = found.keep(is_running(frame.asset_class.twin.running, frame.arrays, found.rows))
    before = [_known(memories.get(name), columns) for name in found.names]
    watermarks = np.array([NEVER_US if memory is None else memory.seen_us for memory in before], dtype=np.int64)
    rows = newer_rows(found, times, watermarks)
    known = {name: memory for name, memory in zip(found.names, before, strict=True) if memory is not None}
    return _fill(known, rows, times, _values(frame, columns, rows.rows), columns)


def _known(memory: SeriesMemory | None, columns: tuple[str, ...]) -> SeriesMemory | None:
    return memory if memory is not None and memory.columns == columns else None


def _values(frame: Frame, columns: Sequence[str], rows: NDArray[np.intp]) -> FloatArray:
    return np.stack([np.asarray(frame.arrays[name][rows], dtype=np.float64) for name in columns], axis=1)


def _fill(
    known: Mapping[str, SeriesMemory],
    rows: Arrivals,
    times_us: NDArray[np.int64],
    values: FloatArray,
    columns: tuple[str, ...],
) -> dict[str, SeriesMemory]:
    """Add rows to the buckets of their assets; ``values`` has shape (len(rows.rows), len(columns))."""
    owners = rows.owners
    indices = times_us[rows.rows] // _BUCKET_US
    first = np.flatnonzero((np.diff(owners, prepend=-1) != 0) | (np.diff(indices, prepend=-1) != 0))
    groups = np.repeat(np.arange(first.size), np.diff(first, append=owners.size))
    read = np.isfinite(values)
    counts = np.zeros((first.size, len(columns)), dtype=np.int64)
    np.add.at(counts, groups, read)
    after: dict[str, SeriesMemory] = {}
    places = list(zip(owners[first].tolist(), indices[first].tolist(), strict=True))
    begun = [_begun(known.get(rows.names[owner]), index, columns) for owner, index in places]
    sums = np.array([memory.sums for memory in begun], dtype=np.float64).reshape(counts.shape)
    np.add.at(sums, groups, np.where(read, values, 0.0))  # one by one, unlike np.sum: the same for any cut
    newest = times_us[rows.rows[np.append(first[1:], owners.size) - 1]].tolist() if first.size else []
    for k, (owner, index) in enumerate(places):
        name = rows.names[owner]
        old = after.get(name) or known.get(name)
        memory = begun[k] if old is None else _opened(old, index)
        after[name] = SeriesMemory(
            columns=columns,
            seen_us=newest[k],
            index=index,
            counts=tuple(a + b for a, b in zip(memory.counts, counts[k].tolist(), strict=True)),
            sums=tuple(sums[k].tolist()),
            closed=memory.closed,
        )
    return after


def _begun(memory: SeriesMemory | None, index: int, columns: tuple[str, ...]) -> SeriesMemory:
    """Return the memory with this open bucket, sums excluded."""
    if memory is not None and memory.index == index:
        return memory
    zeros = (0,) * len(columns)
    return SeriesMemory(columns=columns, seen_us=0, index=index, counts=zeros, sums=(0.0,) * len(columns), closed=b"")


def _opened(memory: SeriesMemory, index: int) -> SeriesMemory:
    """Close the open bucket if a reading belongs to a later one; buckets without readings are NaN."""
    if memory.index == index:
        return memory
    width = len(memory.columns)
    mean = [total / count if count else math.nan for total, count in zip(memory.sums, memory.counts, strict=True)]
    gap = min(index - memory.index - 1, KEPT)
    table = memory.closed + np.array(mean, dtype=_STORED).tobytes() + _nothing(gap * width)
    return SeriesMemory(
        columns=memory.columns,
        seen_us=memory.seen_us,
        index=index,
        counts=(0,) * width,
        sums=(0.0,) * width,
        closed=table[-KEPT * width * _STORED.itemsize :],
    )


def _nothing(numbers: int) -> bytes:
    return np.full(numbers, np.nan, dtype=_STORED).tobytes()
