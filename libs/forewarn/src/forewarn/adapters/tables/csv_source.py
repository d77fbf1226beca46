"""Reads CSV files in pieces: comma, semicolon or tab, with or without byte order mark, or gzip."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv

from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.columns import NULLS
from forewarn.adapters.tables.table import TableError, require_single

_DELIMITERS: Final = ",;\t|"
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES: Final = 256 * 1024
_HEAD_LINES: Final = 20
_STATED: Final = re.compile(r"sep=(?P<delimiter>[,;\t|])")  # spreadsheets write it above the header
_BAD_BYTES: Final = "invalid UTF8"
_BLOCK_BYTES: Final = 8 * 1024 * 1024


class NotUtf8Error(TableError):
    """A file that begins as UTF-8 holds other bytes farther down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Format of a CSV file."""

    delimiter: str
    encoding: str
    header: tuple[str, ...]
    above: int  # lines up to the first row, the header among them

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma can stand in a number."""
        return self.delimiter != ","


def sniff(path: Path) -> Dialect:
    """Detect the format of a file from its first lines.

    Raises
    ------
    TableError
        If it is empty or not text, or its first line does not name columns.
    """
    with pa.input_stream(str(path)) as file:
        head = file.read(_HEAD_BYTES)
    encoding = _encoding(head)
    text = head.decode(encoding, errors="ignore").removeprefix("\ufeff")
    every = text.splitlines()[:_HEAD_LINES]
    lines = [line for line in every if line.strip()]
    if not lines:
        raise TableError(f"{path}: the file is empty")
    if "\0" in text:
        raise TableError(
            f"{path}: this is no text: it holds zero bytes. Give CSV (UTF-16 with its byte order mark) or Parquet"
        )
    stated = _STATED.fullmatch(lines[0])
    if stated and len(lines) > 1:
        lines = lines[1:]
    delimiter = stated["delimiter"] if stated else max(_DELIMITERS, key=lambda d: _fit(lines, d))
    header = tuple(name.strip() for name in next(csv.reader([lines[0]], delimiter=delimiter)))
    if all(_is_number(name) for name in header):
        raise TableError(f"{path}: the first line holds numbers; it must name the columns")
    require_single(path, header)
    return Dialect(delimiter=delimiter, encoding=encoding, header=header, above=every.index(lines[0]) + 1)


def csv_pieces(
    path: Path, dialect: Dialect, on_odd_row: Callable[[int, str], None] | None = None
) -> Iterator[Sequence[Any]]:
    """Yield the columns of successive stretches of rows, as string arrays with nulls.

    Parameters
    ----------
    on_odd_row
        Gets number (from 1) and text of a row whose number of values differs from the header's; such rows are skipped.

    Raises
    ------
    TableError
        If there is such a row and no ``on_odd_row``.
    NotUtf8Error
        If the file is not UTF-8 after all.
    """
    rows = 0
    refused: list[str] = []
    try:
        reader = _reader(path, dialect, _handler(dialect, refused, on_odd_row))
        for batch in reader:
            rows += batch.num_rows
            yield batch.columns
    except pa.ArrowInvalid as exc:
        if "Empty CSV" in str(exc) or "Could not skip" in str(exc):  # only a header, with a line end or without
            return
        if _BAD_BYTES in str(exc):
            raise NotUtf8Error(f"{path}: begins as UTF-8 and goes on otherwise; save it as UTF-8") from exc
        what = refused[0] if refused else f"cannot be read as CSV after row {rows}: {exc}"
        raise TableError(f"{path}: {what}") from exc


def _reader(path: Path, dialect: Dialect, handler: Callable[[Any], str]) -> Any:  # noqa: ANN401  # pyarrow has no types
    names = [str(position) for position in range(len(dialect.header))]
    return pa_csv.open_csv(
        pa.input_stream(str(path)),
        read_options=pa_csv.ReadOptions(
            block_size=_BLOCK_BYTES,
            column_names=names,
            skip_rows=dialect.above,
            encoding=dialect.encoding,
            use_threads=False,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=_quotes(path), invalid_row_handler=handler
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, null_values=list(NULLS), strings_can_be_null=True
        ),
    )


def _handler(
    dialect: Dialect, refused: list[str], on_odd_row: Callable[[int, str], None] | None
) -> Callable[[Any], str]:
    def handle(row: ArrowArray) -> str:
        number = row.number - dialect.above  # pyarrow counts from the top of the file
        if on_odd_row is not None:
            on_odd_row(number, row.text)
            return "skip"
        refused.append(f"row {number} has {row.actual_columns} values, the header names {row.expected_columns} columns")
        return "error"

    return handle


def _quotes(path: Path) -> bool:
    """Return whether values can hold line ends; looking for them costs time."""
    with pa.input_stream(str(path)) as file:
        return b'"' in file.read(_HEAD_BYTES)


def _encoding(head: bytes) -> str:
    if head.startswith(_WIDE_MARKS):
        return "utf-16"
    return "utf-8" if _is_utf8(head) else "latin-1"


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as exc:
        return exc.start > len(head) - 4  # a character cut at the end of the head
    return True


def _fit(lines: Sequence[str], delimiter: str) -> tuple[bool, int]:
    """Return how well a delimiter fits the lines: the same number of values in each, then many of them."""
    counts = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)]
    first = counts[0]
    return all(count == first for count in counts[:-1]) and first > 1, first


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
