"""Aligned text tables."""

from collections.abc import Iterable, Sequence

_GAP = "  "


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, all others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return [
        _GAP.join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def number(value: float | None, digits: int = 0) -> str:
    """A figure with thousands separated; a dash where nothing was measured."""
    return "–" if value is None else f"{value:,.{digits}f}"


def section(title: str, lines: Iterable[str]) -> list[str]:
    """A titled block."""
    return ["", title, "-" * len(title), *lines]
