"""Frames on the wire: Arrow IPC streams that any language can read, checked against the catalogue.

The schema's metadata names kind, asset class and version. Buffers stay uncompressed: the Kafka
producer compresses whole batches, which costs a fifth of compressing each buffer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frames.buffers import from_numpy, texts, to_numpy
from forewarn.adapters.frames.checks import check_frame
from forewarn.adapters.frames.schema import ARROW_TYPES, arrow_schema, class_of, description_of, resolved
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    Column,
    FrameKind,
    frame_columns,
)
from forewarn.contracts.limits import MAX_ASSET_ID_CHARACTERS
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES, Array, Frame, Strings
from forewarn.domain.frames.partitions import asset_of, by_partition
from forewarn.ports.codec import InvalidFrame

#: Most readings in one message: 64 tags with all that is derived from them stay below 16 MiB.
MAX_ROWS: Final = 4_000

#: Stands for null, in the types that have nulls.
_NULLS: Final = {"int64": MISSING, "float64": float("nan"), "float32": float("nan")}


def encode_frame(frame: Frame) -> bytes:
    """Serialise a frame as one Arrow IPC stream with one record batch."""
    return _write(_to_batch(frame))


def encode_by_partition(frame: Frame) -> list[tuple[int, bytes]]:
    """Serialise a frame of machines as messages for their partitions.

    The columns are converted once for all partitions, and each message is a slice of them. Messages stay below the
    topics' size limit; without rows there is no message.
    """
    if not frame.rows:
        return []
    frame, stretches = by_partition(frame)
    whole = _to_batch(frame)
    place = whole.schema.get_field_index("asset_id")
    field = whole.schema.field(place)
    names = _asset_names(frame.assets.categories)
    messages = []
    for stretch in stretches:
        own = names.slice(stretch.first, stretch.keys)
        codes = frame.assets.codes[stretch.start : stretch.stop] - np.int32(stretch.first)
        rows = whole.slice(stretch.start, codes.size).set_column(place, field, _dictionary(codes, own))
        messages += [
            (stretch.partition, _write(rows.slice(start, MAX_ROWS))) for start in range(0, codes.size, MAX_ROWS)
        ]
    return messages


@lru_cache(maxsize=8)  # consecutive turns often have the same machines
def _asset_names(machines: tuple[str, ...]) -> pa.Array:
    return texts([asset_of(name) for name in machines])


def decode_frame(data: bytes, catalogue: Mapping[str, AssetClass], expected: FrameKind) -> Frame:
    """Read and check a frame.

    Raises
    ------
    InvalidFrame
        With what was expected and what was found.
    """
    return join_frames([open_frame(data, catalogue, expected)])


@dataclass(frozen=True, slots=True, eq=False)
class OpenedFrame:
    """A message with the right columns in sound buffers; its content is not checked yet."""

    kind: FrameKind
    asset_class: AssetClass
    batch: pa.RecordBatch

    @property
    def rows(self) -> int:
        """Number of readings."""
        return int(self.batch.num_rows)


@decoder(InvalidFrame)
def open_frame(data: bytes, catalogue: Mapping[str, AssetClass], expected: FrameKind) -> OpenedFrame:
    """Find the columns of a message: the first half of ``decode_frame``.

    Raises
    ------
    InvalidFrame
        With what was expected and what was found.
    """
    description = description_of(data)
    asset_class = class_of(description, catalogue, expected)
    with pa.ipc.open_stream(data) as reader:
        batches = list(reader)
    if len(batches) != 1:
        raise InvalidFrame(f"a frame is a stream of one record batch, this one has {len(batches)}")
    batches[0].validate(full=True)  # damaged buffers would crash the process later
    return OpenedFrame(expected, asset_class, resolved(batches[0], description, expected, asset_class))


@decoder(InvalidFrame)
def join_frames(opened: Sequence[OpenedFrame]) -> Frame:
    """Join opened messages of one kind and class into one frame; many cost little more than one.

    Raises
    ------
    InvalidFrame
        If a value is null that must not be, or is impossible.
    """
    first = opened[0]
    batch = first.batch if len(opened) == 1 else pa.concat_batches([frame.batch for frame in opened])
    arrays: dict[str, Array] = {}
    strings: dict[str, Strings] = {}
    for column, values in zip(frame_columns(first.kind, first.asset_class), batch.columns, strict=True):
        if column.dtype == "string":
            strings[column.name] = _to_strings(values, column)
        else:
            arrays[column.name] = _to_numpy(values, column)
    frame = Frame(kind=first.kind, asset_class=first.asset_class, arrays=arrays, strings=strings)
    check_frame(frame)
    return frame


def _to_batch(frame: Frame) -> pa.RecordBatch:
    columns = [_to_arrow(frame, column) for column in frame.columns]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema(frame.kind, frame.asset_class))


def _write(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


def _to_arrow(frame: Frame, column: Column) -> pa.Array:
    if column.dtype == "string":
        strings = frame.strings[column.name]
        return _dictionary(strings.codes, texts(strings.categories))
    values = frame.arrays[column.name]
    missing = values == MISSING if column.dtype == "int64" else None
    return from_numpy(values, ARROW_TYPES[column.dtype], missing)


def _dictionary(codes: NDArray[np.int32], names: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(from_numpy(codes, pa.int32(), codes < 0), names)


def _to_strings(values: pa.Array, column: Column) -> Strings:
    if values.null_count and not column.nullable:
        raise InvalidFrame(f"column {column.name!r} must not be null")
    if values.dictionary.null_count:
        raise InvalidFrame(f"column {column.name!r} has a null in its dictionary")
    codes = to_numpy(values.indices, NUMPY_DTYPES[column.dtype], null=MISSING)
    names = tuple(values.dictionary.to_pylist())
    if column.name == "asset_id" and max(map(len, names), default=0) > MAX_ASSET_ID_CHARACTERS:
        raise InvalidFrame(f"column {column.name!r} holds a name of over {MAX_ASSET_ID_CHARACTERS} characters")
    return Strings(codes, names)


def _to_numpy(values: pa.Array, column: Column) -> Array:
    if values.null_count and not column.nullable:
        raise InvalidFrame(f"column {column.name!r} must not be null")
    return to_numpy(values, NUMPY_DTYPES[column.dtype], _NULLS.get(column.dtype))
