"""Pack arrays and a JSON header into bytes: the form of state snapshots, exact and equal for equal states."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from forewarn.contracts.limits import MAX_PACKED_HEADER_BYTES
from forewarn.domain.frames.frame import Array

_LENGTH_BYTES: Final = 4
_SHOWN: Final = 200  # characters of a name in an error message
_KINDS: Final = frozenset("biuf")  # bool, int, uint, float: nothing that executes code when read


def pack(magic: bytes, header: object, arrays: Mapping[str, Array]) -> bytes:
    """Write ``magic``, the header and the arrays one after the other."""
    table = [(name, values.dtype.str, values.shape) for name, values in arrays.items()]
    head = json.dumps({"header": header, "arrays": table}, separators=(",", ":")).encode()
    body = [np.ascontiguousarray(values).tobytes() for values in arrays.values()]
    return b"".join([magic, len(head).to_bytes(_LENGTH_BYTES, "little"), head, *body])


def unpack(magic: bytes, data: bytes) -> tuple[Any, dict[str, Array]]:
    """Read what ``pack`` wrote under the same ``magic``; the arrays are fresh and writable.

    Raises ValueError if the bytes are something else, of another version, or cut short.
    """
    if not data.startswith(magic):
        raise ValueError(f"no snapshot of format {magic!r}: it starts with {data[: len(magic)]!r}")
    start = len(magic) + _LENGTH_BYTES
    end = start + int.from_bytes(data[len(magic) : start], "little")
    if not start <= end <= min(len(data), start + MAX_PACKED_HEADER_BYTES):
        raise ValueError(f"snapshot of format {magic!r} is cut short in its header, or claims too long a one")
    try:
        head = json.loads(data[start:end])
        header, table = head["header"], [(str(n), np.dtype(str(d)), tuple(map(int, s))) for n, d, s in head["arrays"]]
    except (ValueError, TypeError, KeyError, SyntaxError, OverflowError, RecursionError) as exc:
        raise ValueError(f"snapshot of format {magic!r} has no readable header: {str(exc)[:_SHOWN]}") from exc
    arrays: dict[str, Array] = {}
    for name, dtype, shape in table:
        if dtype.kind not in _KINDS:
            raise ValueError(f"snapshot holds array {name[:_SHOWN]!r} of type {dtype}: only numbers are read")
        if any(length < 0 for length in shape):
            raise ValueError(f"snapshot holds array {name[:_SHOWN]!r} of negative size")
        count = math.prod(shape)
        if len(data) - end < count * dtype.itemsize:
            raise ValueError(f"snapshot is cut short in array {name[:_SHOWN]!r}")
        arrays[name] = np.frombuffer(data, dtype=dtype, count=count, offset=end).reshape(shape).copy()
        end += count * dtype.itemsize
    if end != len(data):
        raise ValueError(f"snapshot has {len(data) - end} bytes after its last array")
    return header, arrays
