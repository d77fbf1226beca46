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
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    BEFORE_THE_COLUMN,
    FRAME_VERSION,
    Column,
    FrameKind,
    contribution_column,
    expected_column,
    frame_columns,
    quality_column,
    residual_column,
)
from forewarn.contracts.limits import KIB, MAX_ASSET_ID_CHARACTERS
from forewarn.contracts.quality import StatusCode
from forewarn.domain.frame import MISSING, NUMPY_DTYPES, Array, Frame, Strings
from forewarn.domain.machines import asset_of, by_partition
from forewarn.ports.codec import InvalidFrame

#: Readings in one message at most: 64 tags with all that is derived from them stay below 16 MiB.
MAX_ROWS: Final = 4_000

#: A schema takes some 150 bytes a column.
_MAX_DESCRIPTION_BYTES: Final = 256 * KIB
_DESCRIPTIONS: Final = 64  #: remembered at most
_HEADER_BYTES: Final = 8  # of a part of an IPC stream: a marker and the length of its description

_STRING_TYPE = pa.dictionary(pa.int32(), pa.utf8())
_ARROW_TYPES = {
    "string": _STRING_TYPE,
    "timestamp_us": pa.timestamp("us", tz="UTC"),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "int64": pa.int64(),
    "uint32": pa.uint32(),
    "uint8": pa.uint8(),
    "bool": pa.bool_(),
}
#: What stands for null in the types that may hold it.
_NULLS: Final = {"int64": MISSING, "float64": float("nan"), "float32": float("nan")}


@lru_cache(maxsize=512)
def arrow_schema(kind: FrameKind, asset_class: AssetClass) -> pa.Schema:
    """The Arrow schema of a frame of this kind and class."""
    fields = [
        pa.field(c.name, _ARROW_TYPES[c.dtype], metadata={"unit": c.unit} if c.unit else None)
        for c in frame_columns(kind, asset_class)
    ]
    metadata = {
        "forewarn.kind": kind.value,
        "forewarn.version": str(FRAME_VERSION),
        "forewarn.asset_class": asset_class.name,
    }
    return pa.schema(fields, metadata=metadata)


def encode_frame(frame: Frame) -> bytes:
    """Serialise a frame as one Arrow IPC stream with one record batch."""
    return _write(_to_batch(frame))


def encode_by_partition(frame: Frame) -> list[tuple[int, bytes]]:
    """Serialise a frame of machines as messages for the partitions they are in.

    The columns are converted once for all partitions, and each message is a slice of them. Messages stay
    below the topics' size limit; no rows, no message.
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
        own = names.slice(stretch.first, stretch.machines)
        codes = frame.assets.codes[stretch.start : stretch.stop] - np.int32(stretch.first)
        rows = whole.slice(stretch.start, codes.size).set_column(place, field, _dictionary(codes, own))
        messages += [
            (stretch.partition, _write(rows.slice(start, MAX_ROWS))) for start in range(0, codes.size, MAX_ROWS)
        ]
    return messages


@lru_cache(maxsize=8)  # one turn after the other often has the same machines
def _asset_names(machines: tuple[str, ...]) -> pa.Array:
    return texts([asset_of(name) for name in machines])


def decode_frame(data: bytes, catalogue: Mapping[str, AssetClass], expected: FrameKind) -> Frame:
    """Read and check a frame.

    A column the reader does not know is ignored (a newer writer), and one that its class has gained
    since the frame was written is unknown in it. Any other column that is not there, or has another
    type, makes the frame invalid.

    Raises
    ------
    InvalidFrame
        With what was expected and what was found.
    """
    return join_frames([open_frame(data, catalogue, expected)])


@dataclass(frozen=True, slots=True, eq=False)
class OpenedFrame:
    """A message of which is known that it holds the right columns in sound buffers, but not yet their content."""

    kind: FrameKind
    asset_class: AssetClass
    batch: pa.RecordBatch

    @property
    def rows(self) -> int:
        """Number of readings."""
        return int(self.batch.num_rows)


@decoder(InvalidFrame)
def open_frame(data: bytes, catalogue: Mapping[str, AssetClass], expected: FrameKind) -> OpenedFrame:
    """First half of ``decode_frame``.

    Raises
    ------
    InvalidFrame
        With what was expected and what was found.
    """
    batch, description = _read(data)
    asset_class = _identify(_schema(description).metadata or {}, catalogue, expected)
    if not _is_ours(description, expected, asset_class):  # a newer writer, or one that has another order
        columns = [_column(batch, column, asset_class) for column in frame_columns(expected, asset_class)]
        batch = pa.RecordBatch.from_arrays(columns, schema=arrow_schema(expected, asset_class))
    return OpenedFrame(expected, asset_class, batch)


@decoder(InvalidFrame)
def join_frames(opened: Sequence[OpenedFrame]) -> Frame:
    """Second half of ``decode_frame``, for one message or for many of one kind and class: costs little more.

    Raises
    ------
    InvalidFrame
        If something is null that must not be, or cannot be true.
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


def _read(data: bytes) -> tuple[pa.RecordBatch, bytes]:
    """Read a stream, and which of its bytes describe it; checks the buffers: damaged ones would crash the process."""
    description = description_of(data)
    with pa.ipc.open_stream(data) as reader:
        batches = list(reader)
    if len(batches) != 1:
        raise InvalidFrame(f"a frame is a stream of one record batch, this one has {len(batches)}")
    batches[0].validate(full=True)
    return batches[0], description


def description_of(data: bytes) -> bytes:
    """The bytes of a stream that describe it: four of 0xFF, a length, the schema.

    Raises
    ------
    InvalidFrame
        If they are longer than any class needs: readers remember them.
    """
    description = data[: _HEADER_BYTES + int.from_bytes(data[4:_HEADER_BYTES], "little")]
    if len(description) > _MAX_DESCRIPTION_BYTES:
        raise InvalidFrame(f"its schema takes more than {_MAX_DESCRIPTION_BYTES} bytes")
    return description


def may_be_null(column: Column) -> bool:
    """Whether a value of the column may be unknown."""
    return column.dtype in _NULLS or (column.dtype == "string" and column.name != "asset_id")


# A writer sends the same description with every frame. Its bytes are looked up, because asking Arrow for the
# schema of a batch and comparing it takes longer than reading a small frame.


@lru_cache(maxsize=_DESCRIPTIONS)
def _schema(description: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(description))


@lru_cache(maxsize=_DESCRIPTIONS)
def _is_ours(description: bytes, kind: FrameKind, asset_class: AssetClass) -> bool:
    return bool(_schema(description).equals(arrow_schema(kind, asset_class)))


def _identify(metadata: Mapping[bytes, bytes], catalogue: Mapping[str, AssetClass], expected: FrameKind) -> AssetClass:
    kind = metadata.get(b"forewarn.kind", b"").decode(errors="replace")
    version = metadata.get(b"forewarn.version", b"").decode(errors="replace")
    name = metadata.get(b"forewarn.asset_class", b"").decode(errors="replace")
    if kind != expected.value or version != str(FRAME_VERSION):
        raise InvalidFrame(
            f"expected a {expected.value!r} frame of version {FRAME_VERSION}, found {kind!r} {version!r}"
        )
    if name not in catalogue:
        raise InvalidFrame(f"asset class {name!r} is not in the catalogue ({', '.join(sorted(catalogue))})")
    return catalogue[name]


@lru_cache(maxsize=256)
def _unknown_values(asset_class: AssetClass) -> Mapping[str, float]:
    """What columns hold in frames from before they were there."""
    tags, responses = asset_class.tag_names, asset_class.twin.responses
    per_response = [name(tag) for name in (expected_column, residual_column, contribution_column) for tag in responses]
    quality = {quality_column(tag): float(StatusCode.BAD_NO_DATA) for tag in tags}
    unknown = dict.fromkeys((*asset_class.column_names, *per_response), float("nan"))
    return {**unknown, **quality, **BEFORE_THE_COLUMN}


def _column(batch: pa.RecordBatch, column: Column, asset_class: AssetClass) -> pa.Array:
    position = batch.schema.get_field_index(column.name)
    if position < 0:
        unknown = _unknown_values(asset_class).get(column.name)
        if unknown is None:
            raise InvalidFrame(f"column {column.name!r} is missing")
        values = np.full(batch.num_rows, unknown, dtype=NUMPY_DTYPES[column.dtype])
        return from_numpy(values, _ARROW_TYPES[column.dtype])
    wanted, found = _ARROW_TYPES[column.dtype], batch.schema.field(position).type
    if found != wanted:
        raise InvalidFrame(f"column {column.name!r} has type {found}, expected {wanted}")
    return batch.column(position)


def _to_arrow(frame: Frame, column: Column) -> pa.Array:
    if column.dtype == "string":
        strings = frame.strings[column.name]
        return _dictionary(strings.codes, texts(strings.categories))
    values = frame.arrays[column.name]
    missing = values == MISSING if column.dtype == "int64" else None
    return from_numpy(values, _ARROW_TYPES[column.dtype], missing)


def _dictionary(codes: NDArray[np.int32], names: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(from_numpy(codes, pa.int32(), codes < 0), names)


def _to_strings(values: pa.Array, column: Column) -> Strings:
    if values.null_count and not may_be_null(column):
        raise InvalidFrame(f"column {column.name!r} must not be null")
    if values.dictionary.null_count:
        raise InvalidFrame(f"column {column.name!r} has a null in its dictionary")
    codes = to_numpy(values.indices, NUMPY_DTYPES[column.dtype], null=MISSING)
    names = tuple(values.dictionary.to_pylist())
    if column.name == "asset_id" and max(map(len, names), default=0) > MAX_ASSET_ID_CHARACTERS:
        raise InvalidFrame(f"column {column.name!r} holds a name of over {MAX_ASSET_ID_CHARACTERS} characters")
    return Strings(codes, names)


def _to_numpy(values: pa.Array, column: Column) -> Array:
    if values.null_count and not may_be_null(column):
        raise InvalidFrame(f"column {column.name!r} must not be null")
    return to_numpy(values, NUMPY_DTYPES[column.dtype], _NULLS.get(column.dtype))
