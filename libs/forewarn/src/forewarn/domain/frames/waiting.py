"""Readings of one asset held for a baseline: the columns that a later frame needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn.domain.frames.frame import NUMPY_DTYPES, Array, Frame, Strings

_NEXT = {FrameKind.VALID: FrameKind.TWIN, FrameKind.TWIN: FrameKind.ANOMALY}


@lru_cache(maxsize=512)
def carried_columns(kind: FrameKind, asset_class: AssetClass) -> tuple[str, ...]:
    """Return the columns, besides ``asset_id``, that the next stage takes over."""
    here = {column.name for column in frame_columns(kind, asset_class) if column.dtype != "string"}
    return tuple(column.name for column in frame_columns(_NEXT[kind], asset_class) if column.name in here)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Readings of one asset in order of arrival, column by column."""

    columns: Mapping[str, Array]

    @classmethod
    def none(cls, kind: FrameKind, asset_class: AssetClass) -> "Waiting":
        """Return an empty piece."""
        dtypes = {column.name: NUMPY_DTYPES[column.dtype] for column in frame_columns(kind, asset_class)}
        return cls({name: np.empty(0, dtype=dtypes[name]) for name in carried_columns(kind, asset_class)})

    @classmethod
    def of(cls, frame: Frame, rows: NDArray[np.intp]) -> "Waiting":
        """Copy rows of one asset out of a frame."""
        return cls({name: frame.arrays[name][rows] for name in carried_columns(frame.kind, frame.asset_class)})

    @classmethod
    def stored(cls, columns: Mapping[str, Array], kind: FrameKind, asset_class: AssetClass) -> "Waiting":
        """Read from a snapshot, which may be older than a column."""
        rows, carried = columns["ts"].shape[0], carried_columns(kind, asset_class)
        gained = {
            column.name: np.full(rows, column.absent, NUMPY_DTYPES[column.dtype])
            for column in frame_columns(kind, asset_class)
            if column.name in carried and column.name not in columns and column.absent is not None
        }
        return cls({**columns, **gained})

    @classmethod
    def joined(cls, parts: Sequence["Waiting"]) -> "Waiting":
        """Concatenate one or more parts."""
        if len(parts) == 1:
            return parts[0]
        return cls({name: np.concatenate([p.columns[name] for p in parts]) for name in parts[0].columns})

    @property
    def rows(self) -> int:
        """Return the number of readings."""
        return int(self.columns["ts"].shape[0])

    def part(self, start: int, stop: int) -> "Waiting":
        """Return readings ``start`` to ``stop``, without copying."""
        return Waiting({name: values[start:stop] for name, values in self.columns.items()})

    def matrix(self, names: Sequence[str]) -> Array:
        """Return numeric columns side by side, shape (rows, len(names)), float64."""
        out = np.empty((self.rows, len(names)), dtype=np.float64)
        for position, name in enumerate(names):
            out[:, position] = self.columns[name]
        return out

    def strings(self, asset_id: str) -> dict[str, Strings]:
        """Return the omitted string column: all readings are of one asset."""
        return {"asset_id": Strings(np.zeros(self.rows, dtype=np.int32), (asset_id,))}
