"""Reads a table of recorded readings from a file."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from forewarn.adapters.tables.columns import ColumnBuilder, is_number, is_text
from forewarn.adapters.tables.csv_source import Dialect, NotUtf8Error, csv_pieces, sniff
from forewarn.adapters.tables.table import Table, TableColumn, TableError, require_single

_PARQUET_MAGIC: Final = b"PAR1"
_BATCH_ROWS: Final = 65_536


def read_table(path: Path, text: Collection[str] = ()) -> Table:
    """Read a CSV or Parquet file, detected by its first bytes.

    Columns are numbers if at least half of their values are. Missing and infinite values are NaN.

    Parameters
    ----------
    text
        Columns to keep as text, such as time and unit.

    Raises
    ------
    TableError
        If the file cannot be read, has no rows, or lacks one of the columns of ``text``.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_PARQUET_MAGIC))
        table = _read_parquet(path, text) if magic == _PARQUET_MAGIC else _read_csv(path, text)
    except OSError as exc:
        raise TableError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    table.require(list(text))
    if table.rows == 0:
        raise TableError(f"{path}: no rows")
    return table


def _read_csv(path: Path, text: Collection[str]) -> Table:
    dialect = sniff(path)
    try:
        builders, rows = _columns(path, dialect, text)
    except NotUtf8Error:
        builders, rows = _columns(path, replace(dialect, encoding="latin-1"), text)
    columns = {name: builder.build() for name, builder in zip(dialect.header, builders, strict=True) if name}
    return Table(path=path, rows=rows, columns=columns, ignored=_nameless(dialect.header))


def _columns(path: Path, dialect: Dialect, text: Collection[str]) -> tuple[list[ColumnBuilder], int]:
    builders = [ColumnBuilder(as_text=name in text, decimal_comma=dialect.decimal_comma) for name in dialect.header]
    return builders, _fill(builders, csv_pieces(path, dialect))


def _read_parquet(path: Path, text: Collection[str]) -> Table:
    try:
        file = pq.ParquetFile(path)
        fields = list(file.schema_arrow)
        require_single(path, [f.name for f in fields])
        usable = [f.name for f in fields if f.name and (f.name in text or is_text(f.type) or is_number(f.type))]
        builders = [ColumnBuilder(as_text=name in text) for name in usable]
        pieces = (batch.columns for batch in file.iter_batches(columns=usable, batch_size=_BATCH_ROWS))
        rows = _fill(builders, pieces) if usable else file.metadata.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
        raise TableError(f"{path}: cannot be read as Parquet: {exc}") from exc
    columns: dict[str, TableColumn] = {name: builder.build() for name, builder in zip(usable, builders, strict=True)}
    ignored = {f.name: f"of type {f.type}" for f in fields if f.name and f.name not in columns}
    ignored |= _nameless([f.name for f in fields])
    return Table(path=path, rows=rows, columns=columns, ignored=ignored)


def _nameless(header: Sequence[str]) -> dict[str, str]:
    count = header.count("")
    return {f"{count} without a name": "the header names nothing there"} if count else {}


def _fill(builders: Sequence[ColumnBuilder], pieces: Iterator[Sequence[Any]]) -> int:
    rows = 0
    for piece in pieces:
        for builder, values in zip(builders, piece, strict=True):
            builder.add(values)
        rows += len(piece[0]) if piece else 0
    return rows
