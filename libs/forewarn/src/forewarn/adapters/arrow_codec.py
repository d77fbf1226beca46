"""Frames on the wire: Arrow IPC streams that any language can read, checked against the catalogue.

The schema's metadata names kind, asset class and version. Buffers stay uncompressed: the Kafka
producer compresses whole batches, which costs a fifth of compressing each buffer.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FRAME_VERSION, Column, FrameKind, frame_columns
from forewarn.domain.frame import MISSING, NUMPY_DTYPES, Array, Frame, Strings
from forewarn.ports.codec import InvalidFrame

#: Readings in one message at most: 64 tags with all that is derived from them stay below 16 MiB.
MAX_ROWS: Final = 4_000

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
    schema = arrow_schema(frame.kind, frame.asset_class)
    columns = [_to_arrow(frame, column) for column in frame.columns]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


def encode_frames(frame: Frame) -> list[bytes]:
    """Serialise a frame of any length as messages that stay below the topics' size limit."""
    if frame.rows <= MAX_ROWS:
        return [encode_frame(frame)] if frame.rows else []
    starts = range(0, frame.rows, MAX_ROWS)
    return [encode_frame(frame.take(np.arange(start, min(start + MAX_ROWS, frame.rows)))) for start in starts]


def decode_frame(data: bytes, catalogue: Mapping[str, AssetClass], expected: FrameKind) -> Frame:
    """Read and check a frame.

    A column the reader does not know is ignored (a newer writer); a column it needs and does not
    find, or finds with another type, makes the frame invalid.

    Raises
    ------
    InvalidFrame
        With what was expected and what was found.
    """
    batch = _read(data)
    asset_class = _identify(batch.schema.metadata or {}, catalogue, expected)
    columns = frame_columns(expected, asset_class)
    if batch.schema.equals(arrow_schema(expected, asset_class)):  # the writer is our like: no need to look closer
        found = batch.columns
    else:
        found = [_column(batch, column) for column in columns]
    arrays: dict[str, Array] = {}
    strings: dict[str, Strings] = {}
    for column, values in zip(columns, found, strict=True):
        if column.dtype == "string":
            strings[column.name] = _to_strings(values)
        else:
            arrays[column.name] = _to_numpy(values, column)
    return Frame(kind=expected, asset_class=asset_class, arrays=arrays, strings=strings)


def _read(data: bytes) -> pa.RecordBatch:
    """Read and check a stream's buffers: damaged ones would crash the process later."""
    try:
        with pa.ipc.open_stream(data) as reader:
            batches = list(reader)
            if len(batches) != 1:
                raise InvalidFrame(f"a frame is a stream of one record batch, this one has {len(batches)}")
            batches[0].validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise InvalidFrame(f"not an Arrow IPC stream: {exc}") from exc
    return batches[0]


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


def _column(batch: pa.RecordBatch, column: Column) -> pa.Array:
    position = batch.schema.get_field_index(column.name)
    if position < 0:
        raise InvalidFrame(f"column {column.name!r} is missing")
    wanted, found = _ARROW_TYPES[column.dtype], batch.schema.field(position).type
    if found != wanted:
        raise InvalidFrame(f"column {column.name!r} has type {found}, expected {wanted}")
    return batch.column(position)


def _to_arrow(frame: Frame, column: Column) -> pa.Array:
    if column.dtype == "string":
        strings = frame.strings[column.name]
        codes = pa.array(strings.codes, mask=strings.codes < 0) if (strings.codes < 0).any() else strings.codes
        return pa.DictionaryArray.from_arrays(codes, pa.array(strings.categories, type=pa.utf8()))
    values = frame.arrays[column.name]
    if column.dtype == "timestamp_us":
        return pa.array(values, type=pa.int64()).view(_ARROW_TYPES[column.dtype])
    if column.dtype == "int64":
        missing = values == MISSING
        return pa.array(values, mask=missing) if missing.any() else pa.array(values)
    return pa.array(values)


def _to_strings(values: pa.Array) -> Strings:
    codes = values.indices
    if codes.null_count:
        codes = codes.fill_null(MISSING)
    return Strings(codes.to_numpy(zero_copy_only=False), tuple(values.dictionary.to_pylist()))


def _to_numpy(values: pa.Array, column: Column) -> Array:
    if column.dtype == "timestamp_us":
        values = values.view(pa.int64())
    if values.null_count:
        if column.dtype == "int64":
            values = values.fill_null(MISSING)
        elif column.dtype in ("float64", "float32"):
            values = values.fill_null(float("nan"))
        else:
            raise InvalidFrame(f"column {column.name!r} must not be null")
    plain: Array = values.to_numpy(zero_copy_only=False)
    return plain.astype(NUMPY_DTYPES[column.dtype], copy=False)
