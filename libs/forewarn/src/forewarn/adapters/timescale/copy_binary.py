"""Packs rows in PostgreSQL's binary COPY format, column by column with NumPy.

A row is a field count and, per field, a length and the value in network byte order; NULL is the length −1 without a
value, so rows with different NULLs have different widths. First all rows of a block are laid out as if every field were
there (a structured array: one strided assignment per column), except columns that are NULL in the whole block; then the
bytes of the remaining NULLs, and the padding of short texts, are cut out with one mask. Without mixed NULLs, the usual
case, the block is sent as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.timescale.tables import ASSET_KEY, PgType, StoredColumn
from forewarn.contracts.limits import MIB
from forewarn.domain.frames.frame import MISSING, Array, Frame, Strings

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

#: PostgreSQL counts microseconds from 2000-01-01 UTC.
_PG_EPOCH_US: Final = 946_684_800_000_000
#: Rows laid out at once, and bytes of text in them: one long text widens every row of its block.
_BLOCK_ROWS: Final = 4_096
_BLOCK_TEXT_BYTES: Final = 8 * MIB
_MAX_TEXT_BYTES: Final = 64 * MIB

_WIRE_TYPES: Final[Mapping[PgType, str]] = {
    "timestamptz": ">i8",
    "bigint": ">i8",
    "double precision": ">f8",
    "integer": ">i4",
    "real": ">f4",
    "smallint": ">i2",
    "boolean": "u1",
}
_ABSENT: Final = -1


@dataclass(frozen=True, slots=True)
class _Field:
    """Values of one column for one block; ``nulls`` marks rows to leave out, ``lengths`` is for texts."""

    values: Array
    nulls: NDArray[np.bool_] | None = None
    lengths: NDArray[np.int32] | None = None


def encode_frame_rows(frame: Frame, columns: Sequence[StoredColumn], asset_keys: NDArray[np.int32]) -> Iterator[bytes]:
    """Pack the rows of a frame, without header and trailer.

    Parameters
    ----------
    frame
        Any frame that has the columns.
    columns
        Columns in the order of the COPY statement.
    asset_keys
        Key of each category of ``frame.assets``.

    Raises
    ------
    ValueError
        If its texts, stored once in the frame but in each row here, take more than 64 MiB.
    """
    block_rows = _rows_at_once(frame, columns)
    for start in range(0, frame.rows, block_rows):
        rows = slice(start, min(start + block_rows, frame.rows))
        yield _encode_block([_field(frame, column, asset_keys, rows) for column in columns], columns)


def _rows_at_once(frame: Frame, columns: Sequence[StoredColumn]) -> int:
    widest_bytes = 0
    for column in columns:
        if column.pg_type == "text":
            strings = frame.strings[column.frame_column]
            lengths = np.array([len(text.encode()) for text in strings.categories], dtype=np.int64)
            total_bytes = int(lengths[strings.codes[strings.codes >= 0]].sum()) if lengths.size else 0
            if total_bytes > _MAX_TEXT_BYTES:
                raise ValueError(f"column {column.name!r} would take {total_bytes} bytes, at most {_MAX_TEXT_BYTES} do")
            widest_bytes += int(lengths.max(initial=0))
    return max(1, min(_BLOCK_ROWS, _BLOCK_TEXT_BYTES // max(1, widest_bytes)))


def _field(frame: Frame, column: StoredColumn, asset_keys: NDArray[np.int32], rows: slice) -> _Field | None:
    """Return the values of a column; None if all of them are NULL."""
    if column.name == ASSET_KEY:
        return _Field(asset_keys[frame.assets.codes[rows]])
    if column.pg_type == "text":
        return _text_field(frame.strings[column.frame_column], rows)
    values = frame.arrays[column.frame_column][rows]
    if column.pg_type == "timestamptz":
        return _Field(values - _PG_EPOCH_US)
    if column.pg_type == "integer":
        values = values.view(np.int32)  # unsigned codes keep their bits
    return _Field(values) if column.null == "never" else _nullable(values, column)


def _nullable(values: Array, column: StoredColumn) -> _Field | None:
    if column.null == "not_finite":
        present = np.isfinite(values)
    else:
        present = values != (0 if column.null == "good" else MISSING)
    if present.all():
        return _Field(values)
    return _Field(values, nulls=~present) if present.any() else None


def _text_field(strings: Strings, rows: slice) -> _Field | None:
    codes = strings.codes[rows]
    present = codes >= 0
    if not present.any():
        return None
    used, positions = np.unique(codes[present], return_inverse=True)
    texts = [strings.categories[code].encode() for code in used.tolist()]
    width = max(1, *map(len, texts))
    table = np.frombuffer(b"".join(text.ljust(width, b"\0") for text in texts), dtype=f"V{width}")
    values = np.zeros(codes.shape, dtype=table.dtype)
    values[present] = table[positions]
    lengths = np.full(codes.shape, _ABSENT, dtype=np.int32)
    lengths[present] = np.array([len(text) for text in texts], dtype=np.int32)[positions]
    return _Field(values, lengths=lengths)


def _encode_block(fields: Sequence[_Field | None], columns: Sequence[StoredColumn]) -> bytes:
    types = tuple(
        None if field is None else (field.values.dtype.str if column.pg_type == "text" else _WIRE_TYPES[column.pg_type])
        for field, column in zip(fields, columns, strict=True)
    )
    layout, template = _layout(types)
    rows = next(field.values.shape[0] for field in fields if field is not None)
    block = np.empty(rows, dtype=layout)
    block[:] = template
    for position, field in enumerate(fields):
        if field is not None:
            block[f"v{position}"] = field.values
    keep = _mask(block, fields)
    return block.tobytes() if keep is None else block.view(np.uint8).reshape(rows, -1)[keep].tobytes()


def _mask(block: NDArray[Any], fields: Sequence[_Field | None]) -> NDArray[np.bool_] | None:
    """Return which bytes of the block to send, after writing the lengths of NULLs; None for all."""
    irregular = [
        (i, f) for i, f in enumerate(fields) if f is not None and (f.nulls is not None or f.lengths is not None)
    ]
    if not irregular:
        return None
    keep = np.ones((block.shape[0], block.dtype.itemsize), dtype=np.bool_)
    places = dict(block.dtype.fields or {})
    for position, field in irregular:
        value_type, offset = places[f"v{position}"][:2]
        span = slice(offset, offset + value_type.itemsize)
        if field.lengths is not None:
            block[f"n{position}"] = field.lengths
            keep[:, span] = np.arange(value_type.itemsize) < field.lengths[:, np.newaxis]
        elif field.nulls is not None:
            block[f"n{position}"][field.nulls] = _ABSENT
            keep[field.nulls, span] = False
    return keep


@lru_cache(maxsize=1024)
def _layout(types: tuple[str | None, ...]) -> tuple[np.dtype[Any], NDArray[Any]]:
    """Return the structured type of a row, and a row with the field count and all lengths filled in."""
    parts: list[tuple[str, str]] = [("count", ">i2")]
    for position, kind in enumerate(types):
        parts.append((f"n{position}", ">i4"))
        if kind is not None:
            parts.append((f"v{position}", kind))
    layout = np.dtype(parts)
    template = np.zeros((), dtype=layout)
    template["count"] = len(types)
    for position, kind in enumerate(types):
        template[f"n{position}"] = _ABSENT if kind is None else np.dtype(kind).itemsize
    return layout, template
