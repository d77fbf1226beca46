"""Rows and values of a file that could not be used: nothing is lost silently."""

import csv
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Final, Self

#: Shown per reason; the file of rejects has all of them.
_EXAMPLES: Final = 3


class Rejects:
    """Counts what is refused and, if asked for, writes it to a CSV file: row, column, reason, text.

    Rows are counted from 1, without the header. A row without a column is refused as a whole; else only
    the value is, and the rest of its row is imported.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.rows = 0
        self.values = 0
        self._file = None if path is None else path.open("w", encoding="utf-8", newline="")
        self._writer = None if self._file is None else csv.writer(self._file)
        if self._writer is not None:
            self._writer.writerow(["row", "column", "reason", "text"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: int, reason: str, text: str, column: str = "") -> None:
        """Reject a row, or a value in it."""
        self.rows += not column
        self.values += bool(column)
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            where = f"row {row}, column {column}" if column else f"row {row}"
            examples.append(f"{where}: {text[:80]!r}")
        if self._writer is not None:
            self._writer.writerow([row, column, reason, text])
