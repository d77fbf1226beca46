"""Spools converted rows to disk and returns them in order of time, so that memory stays small."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from forewarn.adapters.importing.converting import Converted
from forewarn.adapters.tables.arrow_types import ArrowArray

#: Rows in memory at once, about; windows are cut to hold this many.
WINDOW_ROWS: Final = 50_000
_SAMPLE_EVERY: Final = 64


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Stretch:
    """One batch of the spool."""

    start_us: int
    end_us: int


class Spool:
    """Takes rows in any order, then yields them window by window."""

    def __init__(self, path: Path, tags: int) -> None:
        self._path = path
        self._tags = tags
        self._schema = pa.schema(
            [
                ("ts", pa.int64()),
                ("asset", pa.int64()),
                ("number", pa.int64()),
                *((f"v{i}", pa.float64()) for i in range(tags)),
                *((f"q{i}", pa.uint8()) for i in range(tags)),
            ]
        )
        self._writer: Any = pa.ipc.new_file(str(path), self._schema)
        self._stretches: list[_Stretch] = []
        self._sample: list[Any] = []
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        self._path.unlink(missing_ok=True)

    def add(self, rows: Converted) -> None:
        """Write rows."""
        if not rows.ts.size:
            return
        columns = [rows.ts, rows.asset.astype(np.int64), rows.numbers]
        columns += [np.ascontiguousarray(rows.values[:, i]) for i in range(self._tags)]
        columns += [np.ascontiguousarray(rows.quality[:, i]) for i in range(self._tags)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(list(map(pa.array, columns)), schema=self._schema))
        self._stretches.append(_Stretch(start_us=int(rows.ts.min()), end_us=int(rows.ts.max())))
        self._sample.append(rows.ts[::_SAMPLE_EVERY])
        self.rows += rows.ts.size

    def windows(self) -> Iterator[Converted]:
        """Yield all rows: windows in order of time, file order within a window. No rows can be added afterwards."""
        self._writer.close()
        if not self.rows:
            return
        with pa.memory_map(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for start_us, end_us in self._bounds():
                parts = [
                    self._part(reader.get_batch(i), start_us, end_us)
                    for i, stretch in enumerate(self._stretches)
                    if stretch.start_us < end_us and stretch.end_us >= start_us
                ]
                yield _concatenated(parts)

    def _bounds(self) -> Iterator[tuple[int, int]]:
        """Return the bounds of windows with about WINDOW_ROWS rows each."""
        sample = np.sort(np.concatenate(self._sample))
        inner = np.unique(sample[:: max(1, WINDOW_ROWS // _SAMPLE_EVERY)][1:])
        first = min(stretch.start_us for stretch in self._stretches)
        last = max(stretch.end_us for stretch in self._stretches)
        edges = [first, *(edge for edge in inner.tolist() if first < edge <= last), last + 1]
        yield from pairwise(edges)

    def _part(self, batch: ArrowArray, start_us: int, end_us: int) -> Converted:
        ts = batch.column(0).to_numpy()
        wanted = np.flatnonzero((ts >= start_us) & (ts < end_us))
        columns = [batch.column(i).to_numpy()[wanted] for i in range(batch.num_columns)]
        return Converted(
            ts=columns[0],
            asset=columns[1].astype(np.intp),
            numbers=columns[2],
            values=np.stack(columns[3 : 3 + self._tags], axis=1),
            quality=np.stack(columns[3 + self._tags :], axis=1),
        )


def _concatenated(parts: Sequence[Converted]) -> Converted:
    return Converted(
        ts=np.concatenate([p.ts for p in parts]),
        asset=np.concatenate([p.asset for p in parts]),
        numbers=np.concatenate([p.numbers for p in parts]),
        values=np.concatenate([p.values for p in parts]),
        quality=np.concatenate([p.quality for p in parts]),
    )
