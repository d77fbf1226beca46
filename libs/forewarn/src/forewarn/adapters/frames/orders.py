"""Frames without rows that say more in the metadata of their record batch.

Such a frame stands among the readings, so that every replay of the topic meets it at the same place. To readers that
do not look at the metadata it is a frame in which nothing was measured.
"""

from collections.abc import Mapping

import pyarrow as pa

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frames.schema import arrow_schema
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.ports.codec import InvalidFrame


def encode_order_frame(kind: FrameKind, asset_class: AssetClass, said: Mapping[bytes, bytes]) -> bytes:
    """A frame without rows that says this."""
    schema = arrow_schema(kind, asset_class)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
        writer.write_batch(empty, custom_metadata=dict(said))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


@decoder(InvalidFrame)
def said_in(data: bytes) -> dict[bytes, bytes]:
    """What a frame says besides its rows.

    Raises
    ------
    InvalidFrame
        If the bytes are no frame.
    """
    with pa.ipc.open_stream(data) as reader:
        _, metadata = reader.read_next_batch_with_custom_metadata()
    return dict(metadata or {})
