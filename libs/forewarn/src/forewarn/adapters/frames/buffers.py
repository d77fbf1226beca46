"""Arrow arrays over NumPy's memory, and back, by their buffers.

``pa.array`` and ``Array.to_numpy`` do the same, but import pandas on first use: a second and 60 MB for each
process, for a library that nothing here needs.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: Arrow packs booleans and validity bits eight to a byte, the lowest bit first.
_BITORDER: Final = "little"


def from_numpy(values: NDArray[Any], dtype: pa.DataType, missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Make an array of a fixed-width type; null where ``missing``.

    Shares the memory of ``values`` (except booleans, which Arrow packs): they must not change any more.
    """
    packed = np.packbits(values, bitorder=_BITORDER) if pa.types.is_boolean(dtype) else np.ascontiguousarray(values)
    validity = None
    if missing is not None and missing.any():
        validity = pa.py_buffer(np.packbits(~missing, bitorder=_BITORDER))
    return pa.Array.from_buffers(dtype, values.size, [validity, pa.py_buffer(packed)])


def to_numpy(array: pa.Array, dtype: np.dtype[Any], null: float | None = None) -> NDArray[Any]:
    """Return the values of a fixed-width array, read as ``dtype``, with ``null`` in place of nulls.

    Shares the array's memory, read-only, unless there is something to replace or unpack.
    """
    start, stop = array.offset, array.offset + len(array)
    validity, data = array.buffers()
    if data is None or not len(array):
        return np.empty(0, dtype=dtype)
    values = _bits(data, start, stop) if dtype == np.bool_ else np.frombuffer(data, dtype=dtype, count=stop)[start:]
    if array.null_count:
        values = np.where(_bits(validity, start, stop), values, dtype.type(null))
    return values


def present(array: pa.Array) -> NDArray[np.bool_]:
    """Return which values of an array are not null."""
    validity = array.buffers()[0]
    if validity is None:
        return np.full(len(array), array.null_count == 0)
    return _bits(validity, array.offset, array.offset + len(array))


def texts(values: Sequence[str]) -> pa.StringArray:
    """Make an array of strings."""
    encoded = [value.encode() for value in values]
    ends = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in encoded], out=ends[1:])
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def _bits(buffer: pa.Buffer, start: int, stop: int) -> NDArray[np.bool_]:
    packed = np.frombuffer(buffer, dtype=np.uint8)
    return np.unpackbits(packed, count=stop, bitorder=_BITORDER)[start:].view(np.bool_)
