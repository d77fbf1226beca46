"""Reads a file of history in pieces, whatever its format."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.csv_source import Dialect, csv_pieces, sniff
from forewarn.adapters.tables.table import TableError

_PARQUET_MAGIC: Final = b"PAR1"
_PARQUET_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Piece:
    """Some rows of a file: pyarrow arrays by column, and each row's number from 1, without the header."""

    columns: Mapping[str, ArrowArray]
    numbers: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.numbers.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A CSV or Parquet file; ``dialect`` is None for Parquet."""

    path: Path
    names: tuple[str, ...]
    dialect: Dialect | None

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma may stand in a number."""
        return self.dialect is not None and self.dialect.decimal_comma

    @property
    def form(self) -> str:
        """Description of the format."""
        if self.dialect is None:
            return "Parquet"
        delimiter = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[self.dialect.delimiter]
        return f"CSV with {delimiter}, {self.dialect.encoding}"

    def pieces(self, on_odd_row: Callable[[int, str], None] | None = None) -> Iterator[Piece]:
        """Read the file from its beginning.

        Raises
        ------
        TableError
            If it cannot be read; also for rows with another number of values than the header, unless
            ``on_odd_row`` takes them.
        """
        if self.dialect is None:
            yield from self._parquet()
        else:
            yield from self._csv(self.dialect, on_odd_row or _ignore)

    def _csv(self, dialect: Dialect, on_odd_row: Callable[[int, str], None]) -> Iterator[Piece]:
        odd = _OddRows()

        def note(row: int, text: str) -> None:
            odd.note(row)
            on_odd_row(row, text)

        start = 0
        for arrays in csv_pieces(self.path, dialect, note):
            rows = len(arrays[0])
            named = {name: array for name, array in zip(dialect.header, arrays, strict=True) if name}
            yield Piece(columns=named, numbers=odd.numbers(start, rows))
            start += rows

    def _parquet(self) -> Iterator[Piece]:
        try:
            start = 0
            for batch in pq.ParquetFile(self.path).iter_batches(columns=list(self.names), batch_size=_PARQUET_ROWS):
                columns = dict(zip(batch.schema.names, map(_plain, batch.columns), strict=True))
                yield Piece(columns=columns, numbers=np.arange(start + 1, start + batch.num_rows + 1))
                start += batch.num_rows
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as exc:
            raise TableError(f"{self.path}: cannot be read as Parquet: {exc}") from exc


def open_source(path: Path) -> SourceFile:
    """Detect the format of a file.

    Raises
    ------
    TableError
        If it cannot be read or does not name its columns.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_PARQUET_MAGIC))
        if magic == _PARQUET_MAGIC:
            names = tuple(f.name for f in pq.ParquetFile(path).schema_arrow if not pa.types.is_nested(f.type))
            return SourceFile(path=path, names=names, dialect=None)
        dialect = sniff(path)
    except OSError as exc:
        raise TableError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except pa.ArrowInvalid as exc:
        raise TableError(f"{path}: cannot be read as Parquet: {exc}") from exc
    return SourceFile(path=path, names=tuple(name for name in dialect.header if name), dialect=dialect)


def _plain(array: ArrowArray) -> ArrowArray:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _ignore(row: int, text: str) -> None:
    """Ignore an odd row."""


@dataclass(slots=True)
class _OddRows:
    """Numbers rows while odd ones are left out."""

    found: list[int] = field(default_factory=list)

    def note(self, row: int) -> None:
        self.found.append(row)

    def numbers(self, start: int, rows: int) -> NDArray[np.int64]:
        """Return the numbers, from 1, of ``rows`` good rows after ``start`` good ones."""
        good = np.arange(start + 1, start + rows + 1)
        moved_from = np.array(self.found, dtype=np.int64) - np.arange(len(self.found))
        return good + np.searchsorted(moved_from, good, side="right")
