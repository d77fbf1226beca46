"""Histories as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from forewarn.contracts.answers.assets import HistoryAnswer
from forewarn.contracts.base import format_utc
from forewarn.contracts.frames import JudgementOverTime

#: A text cell that begins with one of these is a formula to a spreadsheet.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

_WITHOUT_UNIT: Final = ("quality ", "% good ")
_DIGITS: Final = 7  # more than any sensor has

Cell = str | float | int | bool | None


def history_csv(history: HistoryAnswer, *, headings: bool = True) -> str:
    """Return a line for each reading or bucket; headings have units, unknown values are empty cells."""
    names: list[str] = ["ts", "count"]
    columns: list[Sequence[Cell]] = [[format_utc(ts) for ts in history.ts], history.count]
    for name, column in history.columns.items():
        parts = {
            "": column.values,
            "expected ": column.expected,
            "P5 ": column.expected_low,
            "P95 ": column.expected_high,
            "min ": column.minimum,
            "max ": column.maximum,
            "quality ": column.quality,
            "% good ": column.pct_good,
        }
        for prefix, values in parts.items():
            if values:
                names.append(f"{prefix}{name}" if prefix in _WITHOUT_UNIT else f"{prefix}{name} [{column.unit}]")
                columns.append([_short(value) for value in values])
    names += JudgementOverTime.model_fields
    columns += [getattr(history, name) for name in JudgementOverTime.model_fields]
    out = io.StringIO()
    writer = csv.writer(out)
    if headings:
        writer.writerow([safe_text(name) for name in names])
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _short(value: float | None) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def safe_text(text: str) -> str:
    """Return text that a spreadsheet shows but does not evaluate."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
