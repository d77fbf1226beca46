"""Reads single rows of frames without decoding the frames.

Nearly every row that passes the API is overwritten by a newer one before anybody looks. So a frame
is only opened and indexed when it comes (asset, time and lateness columns, some 60 µs whatever its
length); a row becomes values when somebody asks for it. Every frame is indexed, none is skipped:
two frames of a partition may hold different assets. Rows that must outlive their frame are copied out of it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frames.buffers import present, to_numpy
from forewarn.adapters.frames.checks import TIMES, check_assets, check_codes, check_times
from forewarn.adapters.frames.codec import arrow_schema, description_of, may_be_null
from forewarn.adapters.frames.packed import PackedRow, RowShape, row_shape
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import BEFORE_THE_COLUMN, FRAME_VERSION, LARGEST_CODE, FrameKind, frame_columns
from forewarn.domain.frame import MISSING, NUMPY_DTYPES
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.live import JudgementInShort, LiveJudgement, LiveReading

#: Far beyond what a class's rules can find in one reading.
_MAX_TEXT_CHARACTERS: Final = 16_384
_MAX_LAYOUTS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the columns of frames with one schema are."""

    asset_class: AssetClass
    index: Mapping[str, int]
    #: Columns in which nothing may be null.
    required: tuple[str, ...]
    shape: RowShape
    #: Where each number of a row is, and its type.
    numbers: tuple[tuple[int, np.dtype[Any]], ...]

    @classmethod
    def of(cls, kind: FrameKind, asset_class: AssetClass, schema: pa.Schema) -> "_Layout":
        """Layout of frames with a schema that has all columns."""
        index = {name: i for i, name in enumerate(schema.names)}
        columns = frame_columns(kind, asset_class)
        shape = row_shape(kind, asset_class)
        dtypes = {column.name: NUMPY_DTYPES[column.dtype] for column in columns}
        return cls(
            asset_class=asset_class,
            index=index,
            required=tuple(c.name for c in columns if c.name in index and not may_be_null(c)),
            shape=shape,
            numbers=tuple((index[name], dtypes[name]) for name in shape.numbers),
        )


class FrameReader:
    """Opens frames of one kind.

    A writer sends the same schema in front of every frame: it is checked once and recognised by its
    bytes after that.
    """

    def __init__(self, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> None:
        self._catalogue = catalogue
        self._kind = kind
        self._layouts: dict[bytes, _Layout] = {}

    @decoder(InvalidFrame)
    def open(self, data: bytes) -> "FrameRows":
        """Open a frame.

        Raises
        ------
        InvalidFrame
            If the bytes are no frame of this kind, are damaged, or lack a column.
        """
        with pa.ipc.open_stream(data) as reader:
            batch = reader.read_next_batch()
        batch.validate(full=True)  # damaged buffers would crash the process later
        return FrameRows(batch, self._layout(data, batch.schema), len(data))

    def _layout(self, data: bytes, schema: pa.Schema) -> _Layout:
        head = description_of(data)
        layout = self._layouts.get(head)
        if layout is None:
            asset_class = _class_of(schema, self._catalogue, self._kind)
            _check_columns(schema, arrow_schema(self._kind, asset_class))
            layout = _Layout.of(self._kind, asset_class, schema)
            if len(self._layouts) < _MAX_LAYOUTS:
                self._layouts[head] = layout
        return layout


class FrameRows:
    """An opened frame whose rows are read one by one."""

    def __init__(self, batch: pa.RecordBatch, layout: _Layout, size_bytes: int) -> None:
        self._batch = batch
        self._layout = layout
        null = next((name for name in layout.required if self._column(name).null_count), None)
        if null is not None:
            raise InvalidFrame(f"column {null!r} must not be null")
        self.asset_class = layout.asset_class
        #: Of the message, which all rows keep in memory.
        self.size_bytes = size_bytes
        #: Asset, event time [µs] and row of each asset's newest reading; late ones do not count.
        self.newest = self._newest_rows()

    def _newest_rows(self) -> tuple[tuple[str, int, int], ...]:
        assets, late = self._column("asset_id"), self._column("late")
        in_time = np.flatnonzero(~to_numpy(late, NUMPY_DTYPES["bool"]))
        last = np.full(len(assets.dictionary), -1, dtype=np.int64)
        last[to_numpy(assets.indices, NUMPY_DTYPES["string"])[in_time]] = in_time  # of equal codes the last one stays
        rows = last[last >= 0]
        names = [name for name, row in zip(assets.dictionary.to_pylist(), last.tolist(), strict=True) if row >= 0]
        check_assets(names)
        for name in TIMES:
            check_times(name, self._numbers(name, rows))
        for name in LARGEST_CODE.keys() & self._layout.index.keys():
            check_codes(name, self._numbers(name, rows))
        return tuple(zip(names, self._numbers("ts", rows).tolist(), rows.tolist(), strict=True))

    def pack(self, rows: Sequence[int]) -> list[PackedRow]:
        """Copy rows out of the frame, many for little more than one."""
        shape = self._layout.shape
        chosen = np.asarray(rows, dtype=np.intp)
        numbers = np.empty((len(rows), len(shape.numbers)), dtype=np.float64)
        for position, (index, dtype) in enumerate(self._layout.numbers):
            column = self._batch.column(index)
            numbers[:, position] = to_numpy(column, dtype, null=0)[chosen]
            if column.null_count:
                numbers[~present(column)[chosen], position] = np.nan
        texts = self._texts(shape.text, chosen)
        return [PackedRow(shape, row.tobytes(), text) for row, text in zip(numbers, texts, strict=True)]

    def reading(self, row: int) -> LiveReading:
        """A row of a frame of kind VALID; raises ``InvalidFrame`` if it holds what no reading can."""
        return self.pack([row])[0].reading()

    def judgement(self, row: int) -> LiveJudgement:
        """A row of a frame of kind ANOMALY; raises ``InvalidFrame`` if it holds what no judgement can."""
        return self.pack([row])[0].judgement()

    def _texts(self, name: str, rows: NDArray[np.intp]) -> list[str | None]:
        column = self._column(name)
        codes = to_numpy(column.indices, NUMPY_DTYPES["string"], null=MISSING)[rows].tolist()
        # Value by value: of the dictionary, which may be long, few are in use.
        return [None if code < 0 else _short_text(column.dictionary[code].as_py()) for code in codes]

    def judgement_in_short(self, row: int) -> JudgementInShort:
        """The same without the tags."""
        score, flag, phase = (self._column(name)[row].as_py() for name in ("score", "flag", "phase"))
        known = score is not None and math.isfinite(score)
        return JudgementInShort(score=score if known else None, flag=bool(flag), phase=phase)

    def _column(self, name: str) -> pa.Array:
        return self._batch.column(self._layout.index[name])

    def _numbers(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        column = self._column(name)
        return to_numpy(column, NUMPY_DTYPES["uint8" if name in LARGEST_CODE else "timestamp_us"])[rows]


def _short_text(text: str | None) -> str | None:
    return None if text is None else text[:_MAX_TEXT_CHARACTERS]


def _class_of(schema: pa.Schema, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> AssetClass:
    metadata: Mapping[bytes, bytes] = schema.metadata or {}
    found = tuple(metadata.get(key, b"").decode(errors="replace") for key in (b"forewarn.kind", b"forewarn.version"))
    if found != (kind.value, str(FRAME_VERSION)):
        raise InvalidFrame(
            f"expected a {kind.value!r} frame of version {FRAME_VERSION}, found {found[0]!r} {found[1]!r}"
        )
    name = metadata.get(b"forewarn.asset_class", b"").decode(errors="replace")
    if name not in catalogue:
        raise InvalidFrame(f"asset class {name!r} is not in the catalogue ({', '.join(sorted(catalogue))})")
    return catalogue[name]


def _check_columns(found: pa.Schema, wanted: pa.Schema) -> None:
    if found.equals(wanted):
        return  # the usual case; a newer writer may send more columns
    for field in wanted:
        position = found.get_field_index(field.name)
        if position < 0 and field.name in BEFORE_THE_COLUMN:
            continue
        if position < 0:
            raise InvalidFrame(f"column {field.name!r} is missing")
        if found.field(position).type != field.type:
            raise InvalidFrame(f"column {field.name!r} has type {found.field(position).type}, expected {field.type}")
