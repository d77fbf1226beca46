"""A table in memory: numbers as float64, everything else as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.domain.frames.frame import FloatArray

Kind = Literal["number", "text", "empty", "mixed"]

_SAMPLE_CHARACTERS: Final = 20  # of a text quoted in a message


class TableError(Exception):
    """A file cannot be used; the message names file, row and column, and the cure.

    Rows are counted from 1, without the header.
    """


def require_single(path: Path, header: Sequence[str]) -> None:
    """Check that no two columns have the same name.

    Raises
    ------
    TableError
        Listing those that do.
    """
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise TableError(f"{path}: column {', '.join(map(repr, doubled))} stands twice in the header")


def require_one_purpose(names: Sequence[str]) -> None:
    """Check that no column was named for two purposes, such as time and driver.

    Raises
    ------
    TableError
        Listing those that were.
    """
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise TableError(f"column {', '.join(map(repr, doubled))} is named for two purposes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A text among numbers: ``row`` counts from 1."""

    row: int
    text: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TableColumn:
    """One column as read."""

    kind: Kind  #: ``number``; ``text``; ``empty`` if no row has a value; ``mixed`` for numbers with text among them.
    numbers: FloatArray | None = None  #: Values of a column of numbers, NaN where missing; None for others.
    #: Values of a column requested as text; None for others.
    texts: Any = None  # pyarrow.ChunkedArray of strings
    stray: Stray | None = None  #: First text of a mixed column.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Table:
    """Columns of one file in file order, all of ``rows`` rows.

    ``ignored`` gives columns that could not be read at all, with the reason.
    """

    path: Path
    rows: int
    columns: Mapping[str, TableColumn]
    ignored: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(self.columns)

    def require(self, names: Sequence[str]) -> None:
        """Check that these columns exist.

        Raises
        ------
        TableError
            Listing missing ones and those that the file has, or saying why one cannot be used.
        """
        for name in names:
            if name in self.ignored:
                raise TableError(f"{self.path}: column {name!r} cannot be used: {self.ignored[name]}")
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise TableError(
                f"{self.path}: no column {', '.join(map(repr, missing))}; the file has {', '.join(self.columns)}"
            )

    def without_numbers(self, names: Sequence[str]) -> dict[str, str]:
        """Return which of these columns are not numbers, with the reason."""
        found = {name: self.columns[name] for name in names}
        return {name: _no_numbers(column) for name, column in found.items() if column.kind in {"text", "empty"}}

    def numbers(self, name: str) -> FloatArray:
        """Return the values of a column, NaN where missing.

        Raises
        ------
        TableError
            If there is no such column, or it holds text: with row and column.
        """
        self.require([name])
        column = self.columns[name]
        if column.kind == "empty":
            return np.full(self.rows, np.nan)
        if column.numbers is not None and column.stray is None:
            return column.numbers
        where = f" in row {column.stray.row}: {column.stray.text!r}" if column.stray is not None else ""
        raise TableError(
            f"{self.path}: text in column {name!r}{where}; a number is needed, or nothing if it is unknown"
        )

    def texts(self, name: str) -> list[str | None]:
        """Return the values of a text column, None where missing."""
        values: list[str | None] = self._text(name).to_pylist()
        return values

    def codes(self, name: str) -> tuple[NDArray[np.intp], list[str]]:
        """Return a text column as numbers of its distinct values, in order of first appearance.

        Raises
        ------
        TableError
            If a value is missing.
        """
        values = self._text(name)
        if values.null_count:
            row = int(np.flatnonzero(pc.is_null(values).to_numpy())[0]) + 1
            raise TableError(f"{self.path}: nothing in column {name!r} in row {row}; every row needs a value there")
        coded = values.combine_chunks().dictionary_encode()
        return coded.indices.to_numpy().astype(np.intp), coded.dictionary.to_pylist()

    def _text(self, name: str) -> ArrowArray:
        self.require([name])
        texts = self.columns[name].texts
        return pa.chunked_array([pa.nulls(self.rows, pa.string())]) if texts is None else texts


def _no_numbers(column: TableColumn) -> str:
    if column.stray is None:
        return column.kind
    text = column.stray.text
    sample = text if len(text) <= _SAMPLE_CHARACTERS else f"{text[:_SAMPLE_CHARACTERS]}…"
    return f"text, such as {sample!r} in row {column.stray.row}"
