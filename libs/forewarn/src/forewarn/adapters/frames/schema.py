"""Resolves the schema of a message, for every reader of frames.

Unknown columns are ignored. A column that its class gained after the message was written holds ``Column.absent``. Any
other column that is missing, or has another type, makes the frame invalid.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from forewarn.adapters.frames.buffers import from_numpy
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FRAME_VERSION, Column, FrameKind, frame_columns
from forewarn.contracts.limits import KIB
from forewarn.domain.frames.frame import NUMPY_DTYPES
from forewarn.ports.codec import InvalidFrame

#: A schema takes some 150 bytes a column.
_MAX_DESCRIPTION_BYTES: Final = 256 * KIB
_DESCRIPTIONS: Final = 64  #: remembered at most
_HEADER_BYTES: Final = 8  # of a part of an IPC stream: a marker and the length of its description

ARROW_TYPES: Final = {
    "string": pa.dictionary(pa.int32(), pa.utf8()),
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
    """Return the Arrow schema of a frame of this kind and class."""
    fields = [
        pa.field(c.name, ARROW_TYPES[c.dtype], metadata={"unit": c.unit} if c.unit else None)
        for c in frame_columns(kind, asset_class)
    ]
    metadata = {
        "forewarn.kind": kind.value,
        "forewarn.version": str(FRAME_VERSION),
        "forewarn.asset_class": asset_class.name,
    }
    return pa.schema(fields, metadata=metadata)


def description_of(data: bytes) -> bytes:
    """Return the bytes of a stream with its schema: a marker, a length, the schema. Readers cache them.

    Raises
    ------
    InvalidFrame
        If they are longer than any class needs.
    """
    description = data[: _HEADER_BYTES + int.from_bytes(data[4:_HEADER_BYTES], "little")]
    if len(description) > _MAX_DESCRIPTION_BYTES:
        raise InvalidFrame(f"its schema takes more than {_MAX_DESCRIPTION_BYTES} bytes")
    return description


def class_of(description: bytes, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> AssetClass:
    """Return the class of the readings in a message.

    Raises
    ------
    InvalidFrame
        If it is of another kind or version, or of an unknown class.
    """
    found, version, name = _identity(description)
    if found != kind.value or version != str(FRAME_VERSION):
        raise InvalidFrame(f"expected a {kind.value!r} frame of version {FRAME_VERSION}, found {found!r} {version!r}")
    if name not in catalogue:
        raise InvalidFrame(f"asset class {name!r} is not in the catalogue ({', '.join(sorted(catalogue))})")
    return catalogue[name]


def resolved(batch: pa.RecordBatch, description: bytes, kind: FrameKind, asset_class: AssetClass) -> pa.RecordBatch:
    """Return the batch of a message with the columns of the class, in wire order.

    Raises
    ------
    InvalidFrame
        If a column is missing, or has another type.
    """
    positions = _positions(description, kind, asset_class)
    if positions is None:
        return batch
    columns = [
        _absent(column, batch.num_rows) if position is None else batch.column(position)
        for column, position in zip(frame_columns(kind, asset_class), positions, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema(kind, asset_class))


def _absent(column: Column, rows: int) -> pa.Array:
    if column.dtype == "string":
        return pa.nulls(rows, ARROW_TYPES["string"])
    return from_numpy(np.full(rows, column.absent, NUMPY_DTYPES[column.dtype]), ARROW_TYPES[column.dtype])


# A writer sends the same description with every frame. Its bytes are looked up, because asking Arrow for the
# schema of a batch and comparing it takes longer than reading a small frame.


@lru_cache(maxsize=_DESCRIPTIONS)
def _identity(description: bytes) -> tuple[str, str, str]:
    metadata: Mapping[bytes, bytes] = _schema(description).metadata or {}
    kind, version, asset_class = (
        metadata.get(f"forewarn.{name}".encode(), b"").decode(errors="replace")
        for name in ("kind", "version", "asset_class")
    )
    return kind, version, asset_class


@lru_cache(maxsize=_DESCRIPTIONS)
def _positions(description: bytes, kind: FrameKind, asset_class: AssetClass) -> tuple[int | None, ...] | None:
    """Return the position of each column, None for one to fill in; None alone if all are in place."""
    found = _schema(description)
    if found.equals(arrow_schema(kind, asset_class)):
        return None
    columns = frame_columns(kind, asset_class)
    places = {name: place for place, name in enumerate(found.names)}  # raises for a name that is not text
    for column in columns:
        place, wanted = places.get(column.name), ARROW_TYPES[column.dtype]
        if place is None and column.absent is None:
            raise InvalidFrame(f"column {column.name!r} is missing")
        if place is not None and found.names.count(column.name) > 1:
            raise InvalidFrame(f"column {column.name!r} is there more than once")
        if place is not None and found.field(place).type != wanted:
            raise InvalidFrame(f"column {column.name!r} has type {found.field(place).type}, expected {wanted}")
    return tuple(places.get(column.name) for column in columns)


def _schema(description: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(description))
