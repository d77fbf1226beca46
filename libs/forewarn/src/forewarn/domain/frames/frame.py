"""The frame: a columnar batch of readings of one asset class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import Column, FrameKind, frame_columns

Array = NDArray[Any]
FloatArray = NDArray[np.float64]

#: NumPy type of each wire type. Strings are codes into a table of categories; times are µs since 1970 UTC.
NUMPY_DTYPES: Mapping[str, np.dtype[Any]] = {
    "string": np.dtype(np.int32),
    "timestamp_us": np.dtype(np.int64),
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "int64": np.dtype(np.int64),
    "uint32": np.dtype(np.uint32),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
}

#: Code of a missing string, also of a missing ``seq``. Null on the wire.
MISSING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """A column of strings: ``categories[codes[i]]``, None where the code is ``MISSING``."""

    codes: NDArray[np.int32]
    categories: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "Strings":
        """Encode plain strings."""
        table: dict[str, int] = {}
        codes = [MISSING if v is None else table.setdefault(v, len(table)) for v in values]
        return cls(np.array(codes, dtype=np.int32), tuple(table))

    def to_list(self) -> list[str | None]:
        """Decode to plain strings."""
        return [None if code < 0 else self.categories[code] for code in self.codes.tolist()]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Strings":
        """Select rows; the categories stay."""
        return Strings(self.codes[rows], self.categories)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frame:
    """A batch of readings of one class, column by column; all columns have the same length.

    ``strings`` holds the columns of type string, ``arrays`` all others, each in the NumPy type of its wire type.
    Unknown is NaN in floats and ``MISSING`` in ``seq`` and strings.
    """

    kind: FrameKind
    asset_class: AssetClass
    arrays: Mapping[str, Array]
    strings: Mapping[str, Strings]

    def __post_init__(self) -> None:
        for column in self.columns:
            stored = self.strings[column.name].codes if column.dtype == "string" else self.arrays[column.name]
            if stored.shape != (self.rows,) or stored.dtype != NUMPY_DTYPES[column.dtype]:
                msg = (
                    f"column {column.name!r} of a {self.kind} frame of {self.asset_class.name}: expected "
                    f"{NUMPY_DTYPES[column.dtype]} of shape ({self.rows},), got {stored.dtype} of {stored.shape}"
                )
                raise ValueError(msg)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns that this kind and class must have."""
        return frame_columns(self.kind, self.asset_class)

    @property
    def rows(self) -> int:
        """Return the number of readings."""
        return int(self.arrays["ts"].shape[0])

    @property
    def assets(self) -> Strings:
        """Return the asset of each row."""
        return self.strings["asset_id"]

    def matrix(self, names: Sequence[str]) -> FloatArray:
        """Copy these numeric columns side by side, shape (rows, len(names))."""
        out = np.empty((self.rows, len(names)), dtype=np.float64, order="F")
        for position, name in enumerate(names):
            out[:, position] = self.arrays[name]
        return out

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Frame":
        """Select rows, in this order."""
        return Frame(
            kind=self.kind,
            asset_class=self.asset_class,
            arrays={name: values[rows] for name, values in self.arrays.items()},
            strings={name: values.take(rows) for name, values in self.strings.items()},
        )

    def extend(
        self, kind: FrameKind, arrays: Mapping[str, Array], strings: Mapping[str, Strings] | None = None
    ) -> "Frame":
        """Return a frame of a later kind: the columns it shares with this one, and new ones."""
        wanted = frame_columns(kind, self.asset_class)
        every_array, every_string = {**self.arrays, **arrays}, {**self.strings, **(strings or {})}
        return Frame(
            kind=kind,
            asset_class=self.asset_class,
            arrays={c.name: every_array[c.name] for c in wanted if c.dtype != "string"},
            strings={c.name: every_string[c.name] for c in wanted if c.dtype == "string"},
        )


def concat(frames: Sequence[Frame]) -> Frame:
    """Concatenate frames of one kind and class.

    Raises ValueError if there are no frames, or kinds or classes differ.
    """
    if not frames or any(f.kind is not frames[0].kind or f.asset_class != frames[0].asset_class for f in frames):
        msg = "concat needs at least one frame, all of one kind and class"
        raise ValueError(msg)
    first = frames[0]
    if len(frames) == 1:
        return first
    return Frame(
        kind=first.kind,
        asset_class=first.asset_class,
        arrays={name: np.concatenate([f.arrays[name] for f in frames]) for name in first.arrays},
        strings={name: _concat_strings([f.strings[name] for f in frames]) for name in first.strings},
    )


def _concat_strings(parts: Sequence[Strings]) -> Strings:
    table: dict[str, int] = {}
    codes = []
    for part in parts:
        mapping = np.array([table.setdefault(c, len(table)) for c in part.categories] + [MISSING], dtype=np.int32)
        codes.append(mapping[part.codes])  # code −1 picks the MISSING appended last
    return Strings(np.concatenate(codes), tuple(table))
