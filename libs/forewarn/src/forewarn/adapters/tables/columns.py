"""Builds numbers or text from the pieces of a column."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forewarn.adapters.tables.arrow_types import ArrowArray, ArrowType
from forewarn.adapters.tables.table import Stray, TableColumn
from forewarn.domain.frames.frame import FloatArray

#: Stand for a missing value in CSV files, besides an empty field.
NULLS: Final = ("", "NA", "N/A", "n/a", "#N/A", "#NA", "NaN", "nan", "NAN", "-nan", "NULL", "null", "None", "NONE")

#: A column with a smaller share of numbers among its values is text.
_NUMERIC_SHARE: Final = 0.5


class ColumnBuilder:
    """Takes a column in pieces; keeps strings only as long as they are needed."""

    def __init__(self, *, as_text: bool, decimal_comma: bool = False) -> None:
        self._as_text = as_text
        self._decimal_comma = decimal_comma
        self._texts: list[ArrowArray] = []
        self._numbers: list[FloatArray] = []
        self._rows = 0
        self._numeric = 0
        self._alien = 0
        self._stray: Stray | None = None

    def add(self, piece: ArrowArray) -> None:
        """Add an array of strings, numbers or, for a text column, anything that can be written down."""
        if pa.types.is_dictionary(piece.type):
            piece = piece.dictionary_decode()
        if self._as_text:
            self._texts.append(piece.cast(pa.string()))
        numbers, alien = to_numbers(piece, decimal_comma=self._decimal_comma)
        if alien.size and self._stray is None:
            first = int(alien[0])
            self._stray = Stray(row=self._rows + first + 1, text=str(piece[first].as_py()))
        self._numbers.append(numbers)
        self._numeric += int(np.count_nonzero(~np.isnan(numbers)))
        self._alien += alien.size
        self._rows += len(piece)

    def build(self) -> TableColumn:
        """Join the pieces."""
        texts = pa.chunked_array(self._texts, pa.string()) if self._as_text else None
        if self._numeric + self._alien == 0:
            return TableColumn(kind="empty", texts=texts)
        if self._numeric < _NUMERIC_SHARE * (self._numeric + self._alien):
            return TableColumn(kind="text", texts=texts, stray=self._stray)
        numbers = np.concatenate(self._numbers)
        if self._stray is not None:
            return TableColumn(kind="mixed", numbers=numbers, texts=texts, stray=self._stray)
        return TableColumn(kind="number", numbers=numbers, texts=texts)


def to_numbers(piece: ArrowArray, *, decimal_comma: bool = False) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return the numbers of an array, NaN for missing ones, and where there is text."""
    if is_number(piece.type):
        # Not safe: whole numbers beyond 2^53, such as nanoseconds since 1970, are close enough as floats.
        return finite(piece.cast(pa.float64(), safe=False)), np.empty(0, dtype=np.intp)
    piece = piece.cast(pa.string())
    if decimal_comma:
        piece = pc.replace_substring(piece, ",", ".")
    try:
        return finite(piece.cast(pa.float64())), np.empty(0, dtype=np.intp)
    except pa.ArrowInvalid:
        return _one_by_one(piece.to_pylist())


def is_number(dtype: ArrowType) -> bool:
    """Return whether values of this type count as numbers; true and false are 1 and 0."""
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(kind(dtype) for kind in kinds)


def is_text(dtype: ArrowType) -> bool:
    """Return whether values of this type are text, which may still spell numbers."""
    inner = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(kind(inner) for kind in kinds)


def finite(array: ArrowArray) -> FloatArray:
    """Return the numbers of an array, NaN for missing and infinite ones."""
    numbers: FloatArray = array.to_numpy(zero_copy_only=False).astype(np.float64)
    endless = np.isinf(numbers)
    return np.where(endless, np.nan, numbers) if endless.any() else numbers


def _one_by_one(values: Sequence[str | None]) -> tuple[FloatArray, NDArray[np.intp]]:
    numbers, alien = np.full(len(values), np.nan), []
    for row, value in enumerate(values):
        if value is None:
            continue
        number = _number(value)
        if number is None:
            alien.append(row)
        else:
            numbers[row] = number
    numbers[np.isinf(numbers)] = np.nan
    return numbers, np.array(alien, dtype=np.intp)


def _number(text: str) -> float | None:
    bare = text.strip()
    if not bare:
        return float("nan")
    try:
        return None if "_" in bare else float(bare)  # Python reads 1_000, files do not mean it
    except ValueError:
        return None
