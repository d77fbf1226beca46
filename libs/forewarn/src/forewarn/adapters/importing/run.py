"""Runs all steps of an import: read, spool, find ghosts, clean, send, report."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from forewarn.adapters.importing.cleaning import Cleaner, CleaningTally, TagTally
from forewarn.adapters.importing.converting import Converter, unmapped
from forewarn.adapters.importing.encoding import messages
from forewarn.adapters.importing.progress import ImportProgress, ProgressFile
from forewarn.adapters.importing.rejects import Rejects
from forewarn.adapters.importing.report import ImportReport, TagReport
from forewarn.adapters.importing.scan import Scan, pace
from forewarn.adapters.importing.sending import HistorySender
from forewarn.adapters.importing.source import SourceFile
from forewarn.adapters.importing.spool import Spool
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import format_utc
from forewarn.contracts.importing import ImportMapping
from forewarn.domain.importing.gaps import Rows
from forewarn.domain.importing.ghosts import Extent, Ghost, ghosts
from forewarn.domain.time import to_datetime

#: Messages between two looks at the platform's backlog, and two updates of the progress file.
_CHECK_EVERY: Final = 100
_PATIENCE_S: Final = 60.0
#: Why a row was refused that pyarrow could not split.
_ODD: Final = "another number of values than the header"
_SWALLOWED: Final = "a quote that is opened in a row before and not closed takes this row in"
_USUAL_GAP_PERIODS: Final = 3
_SOURCE_CHARS: Final = 128

#: Called with phase, rows done and total rows.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What to import, and how."""

    source: SourceFile
    scan: Scan
    mapping: ImportMapping
    asset_class: AssetClass
    max_gap_us: int | None  #: Longest gap that is closed; None: three times the usual distance of the file's rows.
    latest_us: int  #: Later times are refused: they are in the future.
    end_us: int | None = None  #: If not None, all times are moved so that the last one is this.
    keep: tuple[str, ...] = ()  #: Tags that may stay flat.


@dataclass(slots=True)
class _Cleaned:
    """The cleaned rows of the spool, and the counts of cleaning."""

    plan: ImportPlan
    converter: Converter
    spool: Spool
    cleaner: Cleaner
    found: dict[tuple[int, int], Ghost]
    shift_us: int
    repeated_times: int
    readings: Iterator[tuple[int, Rows]] = field(init=False)

    def __post_init__(self) -> None:
        self.readings = self._all()

    def _all(self) -> Iterator[tuple[int, Rows]]:
        for window in self.spool.windows():
            yield from self._moved(self.cleaner.clean(window))
        yield from self._moved(self.cleaner.finish())

    def _moved(self, batches: Iterator[tuple[int, Rows]]) -> Iterator[tuple[int, Rows]]:
        for asset, rows in batches:
            if rows.count:
                yield asset, Rows(ts=rows.ts + self.shift_us, values=rows.values, quality=rows.quality)


def try_out(
    plan: ImportPlan, spool: Path, rejects: Rejects, on_progress: OnProgress
) -> tuple[ImportReport, tuple[str, ...]]:
    """Do everything but send; also returns the assets of the file."""
    with Spool(spool, len(plan.mapping.columns)) as rows:
        cleaned = _read(plan, rows, rejects, on_progress)
        for _ in cleaned.readings:
            on_progress("checking", cleaned.cleaner.tally.sent, rows.rows)
        return _report(cleaned, rejects, 0), tuple(cleaned.converter.assets)


def send_all(
    plan: ImportPlan, place: ProgressFile, rejects: Rejects, sender: HistorySender, on_progress: OnProgress
) -> ImportReport:
    """Import the file; what an earlier run has sent is not sent again.

    Raises
    ------
    TableError
        If the file cannot be read.
    BrokerUnavailable, DeliveryError
        If it cannot be sent; a later run goes on from there.
    """
    before = place.read()
    done = 0
    if before is not None and not before.finished:
        done = before.messages
        plan = replace(plan, end_us=before.end_us)
    with Spool(place.spool, len(plan.mapping.columns)) as spool:
        cleaned = _read(plan, spool, rejects, on_progress)
        total, number, readings = spool.rows, 0, 0
        for asset_id, message, count in _messages(cleaned):
            number, readings = number + 1, readings + count
            if number > done:
                sender.send(asset_id, message)
            if number > done and number % _CHECK_EVERY == 0:
                sender.flush()
                place.write(_progress(plan, number, readings))
                sender.wait_for_backlog(sender.room, _PATIENCE_S, lambda _: None)
            on_progress("sending", readings, total)
        sender.flush()
        place.write(_progress(plan, number, readings, finished=True))
        on_progress("sending", total, total)
        return _report(cleaned, rejects, done)


def wait_until_taken(sender: HistorySender, on_progress: OnProgress) -> None:
    """Wait until the validator has taken everything that was sent.

    Raises
    ------
    BrokerUnavailable
        If it takes nothing any more.
    """
    first = max(1, sender.backlog())
    sender.wait_for_backlog(0, _PATIENCE_S, lambda left: on_progress("judging", max(0, first - left), first))


def _messages(cleaned: _Cleaned) -> Iterator[tuple[str, bytes, int]]:
    source = f"import:{cleaned.plan.source.path.name}"[:_SOURCE_CHARS]
    for asset, rows in cleaned.readings:
        asset_id = cleaned.converter.assets[asset]
        for message, count in messages(asset_id, rows, cleaned.converter.tags, source):
            yield asset_id, message, count


def _read(plan: ImportPlan, spool: Spool, rejects: Rejects, on_progress: OnProgress) -> _Cleaned:
    usual = pace(plan.source, plan.mapping.time)
    max_gap_us = _USUAL_GAP_PERIODS * usual.period_us if plan.max_gap_us is None else plan.max_gap_us
    converter = Converter(
        plan.source, plan.mapping, plan.asset_class, descending=usual.descending, latest_us=plan.latest_us
    )
    tags = len(converter.tags)
    extent, last_us = Extent.blank(len(converter.assets), tags), None
    read = 0

    def on_odd_row(row: int, text: str) -> None:
        first, *others = text.splitlines() or [""]
        rejects.add(row, _ODD, first)
        for number, line in enumerate(others, start=row + 1):
            rejects.add(number, _SWALLOWED, line)

    for piece in plan.source.pieces(on_odd_row):
        rows = converter.convert(piece, rejects)
        spool.add(rows)
        extent = extent.grown(rows.asset, rows.values, len(converter.assets))
        if rows.ts.size:
            last_us = max(int(rows.ts.max()), last_us if last_us is not None else int(rows.ts.max()))
        read += piece.rows
        on_progress("reading", read, plan.scan.rows)
    found = ghosts(extent, [converter.tags.index(tag) for tag in _spared(plan) if tag in converter.tags])
    cleaner = Cleaner(converter.tags, found, max_gap_us, rejects)
    shift_us = plan.end_us - last_us if plan.end_us is not None and last_us is not None else 0
    return _Cleaned(
        plan=plan,
        converter=converter,
        spool=spool,
        cleaner=cleaner,
        found=found,
        shift_us=shift_us,
        repeated_times=converter.repeated_times,
    )


def _spared(plan: ImportPlan) -> Sequence[str]:
    """Return tags that may stay flat: the one that shows whether the machine runs may never change."""
    running = plan.asset_class.twin.running
    return (*plan.keep, *(() if running is None else (running.column,)))


def _progress(plan: ImportPlan, number: int, readings: int, *, finished: bool = False) -> ImportProgress:
    return ImportProgress(
        file=str(plan.source.path), messages=number, readings=readings, finished=finished, end_us=plan.end_us
    )


def _report(cleaned: _Cleaned, rejects: Rejects, sent_before: int) -> ImportReport:
    tally, plan = cleaned.cleaner.tally, cleaned.plan
    return ImportReport(
        file=str(plan.source.path),
        rows=plan.scan.rows + rejects.counts[_ODD] + rejects.counts[_SWALLOWED],
        readings=tally.sent,
        rows_repeated=tally.repeated,
        rows_emptied=tally.emptied,
        rows_refused=rejects.rows,
        values_refused=rejects.values,
        refused=dict(rejects.counts),
        examples=dict(rejects.examples),
        times_told_apart=cleaned.repeated_times,
        first=_moment(tally.first_us, cleaned.shift_us),
        last=_moment(tally.last_us, cleaned.shift_us),
        ignored=unmapped(plan.mapping, plan.source, plan.scan.tags),
        tags=tuple(_tags(cleaned, tally)),
        sent_before=sent_before,
    )


def _tags(cleaned: _Cleaned, tally: CleaningTally) -> Iterator[TagReport]:
    units = {tag.name: tag.unit for tag in cleaned.plan.asset_class.tags}
    for number, asset_id in enumerate(cleaned.converter.assets):
        for position, (name, column) in enumerate(cleaned.plan.mapping.columns.items()):
            own = tally.tags.get((number, position), TagTally())
            yield TagReport(
                asset_id=asset_id,
                tag=column.tag,
                column=name,
                unit=units[column.tag],
                file_unit=column.unit,
                removed=cleaned.found.get((number, position)),
                sent=own.sent,
                filled=own.filled,
                missing=own.missing,
                low=own.low if np.isfinite(own.low) else None,
                high=own.high if np.isfinite(own.high) else None,
            )


def _moment(us: int | None, shift_us: int) -> str | None:
    return None if us is None else format_utc(to_datetime(us + shift_us))
