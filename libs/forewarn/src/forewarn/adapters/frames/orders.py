"""Frames without rows that carry an order in the metadata of their record batch.

An order stands among the readings, so every replay of the topic meets it at the same place. Readers that ignore the
metadata see a frame without readings.
"""

from collections.abc import Mapping

import pyarrow as pa

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frames.schema import arrow_schema
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.ports.codec import InvalidFrame


def encode_order_frame(kind: FrameKind, asset_class: AssetClass, metadata: Mapping[bytes, bytes]) -> bytes:
    """Return a frame without rows that carries this metadata."""
    schema = arrow_schema(kind, asset_class)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
        writer.write_batch(empty, custom_metadata=dict(metadata))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


@decoder(InvalidFrame)
def batch_metadata(data: bytes) -> dict[bytes, bytes]:
    """Return the metadata of a frame's record batch.

    Raises
    ------
    InvalidFrame
        If the bytes are not a frame.
    """
    with pa.ipc.open_stream(data) as reader:
        _, metadata = reader.read_next_batch_with_custom_metadata()
    return dict(metadata or {})
