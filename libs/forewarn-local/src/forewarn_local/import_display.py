"""Tables and progress of ``forewarn import``."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from forewarn.adapters.importing.report import ImportReport
from forewarn.adapters.importing.run import OnProgress
from forewarn.adapters.importing.scan import Scan
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.importing import ImportMapping
from forewarn.domain.physics.units import conversion
from forewarn_local.display import plain_table

_REFUSED_SHOWN = 12


def mapping_table(mapping: ImportMapping, scan: Scan, asset_class: AssetClass) -> Table:
    """Return the guessed tag and unit of each column, with the median as a check."""
    table = plain_table("column", "tag", "unit in the file", "median", "")
    tags = {tag.name: tag for tag in asset_class.tags}
    time = mapping.time
    table.add_row(
        escape(" + ".join(time.columns)), "(time)", time.format, escape(scan.time_example), f"zone {time.timezone}"
    )
    if mapping.asset_column is not None:
        table.add_row(
            escape(mapping.asset_column),
            "(asset)",
            "",
            escape(", ".join(scan.assets[:3])),
            f"{len(scan.assets)} assets",
        )
    for name, column in mapping.columns.items():
        tag = tags[column.tag]
        change = conversion(column.unit or tag.unit, tag.unit)
        values = scan.samples.get(name, np.empty(0))
        values = values[~np.isnan(values)]
        middle = float(np.median(values)) * change.factor + change.offset if values.size else None
        low, high = tag.engineering_range
        odd = middle is not None and not low <= middle <= high
        table.add_row(
            escape(name),
            column.tag,
            escape(column.unit or f"{tag.unit} (assumed)"),
            "none" if middle is None else escape(f"{middle:.4g} {tag.unit}"),
            f"[yellow]usually {low:g} to {high:g}: is the unit right?[/]" if odd else "",
        )
    for name in mapping.ignored:
        table.add_row(escape(name), "[dim](not imported)[/]", "", "", "")
    return table


def report_table(report: ImportReport) -> Table:
    """Return what was done to each tag."""
    many = len({tag.asset_id for tag in report.tags}) > 1
    headings = (*(["asset"] if many else []), "tag", "from")
    table = plain_table(*headings, right=("values", "filled in", "missing", "lowest", "highest"))
    table.add_column("")
    for tag in report.tags:
        removed = {"flat": "removed: a flat line", "missing": "removed: no values", None: ""}[tag.removed]
        table.add_row(
            *([tag.asset_id] if many else []),
            tag.tag,
            escape(tag.column),
            f"{tag.sent:,}",
            f"{tag.filled:,}",
            f"{tag.missing:,}",
            "" if tag.low is None else f"{tag.low:.4g}",
            "" if tag.high is None else f"{tag.high:.4g}",
            removed,
        )
    return table


def summary(report: ImportReport) -> Iterator[str]:
    """Yield the report in a few lines."""
    yield f"{report.rows:,} rows gave {report.readings:,} readings" + (
        f" from {report.first} to {report.last}" if report.first else ""
    )
    if report.sent_before:
        yield "an earlier run sent a part of them; this one continued from there"
    if report.rows_repeated:
        yield f"{report.rows_repeated:,} rows repeated others"
    if report.rows_emptied:
        yield f"{report.rows_emptied:,} rows held only removed tags"
    if report.times_told_apart:
        yield f"{report.times_told_apart:,} times occurred twice as clocks went back; resolved by the order of rows"
    if report.ignored:
        yield f"not imported: {', '.join(report.ignored)}"
    for reason, count in list(report.refused.items())[:_REFUSED_SHOWN]:
        yield f"refused {count:,} times: {reason} (as in {'; '.join(report.examples[reason])})"


@contextmanager
def progress_bars(console: Console) -> Iterator[OnProgress]:
    """Show a bar for each phase on a terminal; nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks = {}

        def show(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total)
            progress.update(tasks[phase], completed=done, total=total)

        yield show
