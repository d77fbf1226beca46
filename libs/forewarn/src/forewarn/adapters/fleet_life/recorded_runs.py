"""Run histories from CSV or Parquet files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from forewarn.adapters.tables.reading import read_table
from forewarn.adapters.tables.table import Table, TableError, require_one_purpose
from forewarn.adapters.tables.times import Disorder, first_disorder, sorted_rows, times_of
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.preparation import varies
from forewarn.domain.prognosis.runs import BoolArray, IntArray, Runs
from forewarn.domain.prognosis.target_leakage import target_leakage
from forewarn.domain.time import S_PER_DAY

_YES: Final = frozenset({"1", "1.0", "true", "t", "yes", "y"})
_NO: Final = frozenset({"0", "0.0", "false", "f", "no", "n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunColumns:
    """Meaning of a file's columns."""

    unit: str
    time: str
    drivers: tuple[str, ...]
    tags: tuple[str, ...]
    moments: bool  #: Whether times are timestamps: lives are then in days, else in the unit of the time column.

    @property
    def life_unit(self) -> str:
        """Unit of a remaining life."""
        return "days" if self.moments else f"units of {self.time!r}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RecordedRuns:
    """Runs read from a file, with the names of the units in the file's order."""

    runs: Runs
    names: tuple[str, ...]
    columns: RunColumns


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingRuns:
    """Runs to train on."""

    recorded: RecordedRuns
    failed: BoolArray  #: Whether a unit's last row is its failure.
    left_out: Mapping[str, str]  #: Columns left out of training, with the reason.


def read_training_runs(
    path: Path, *, unit: str, time: str, drivers: Sequence[str] = (), censored: str | None = None, sort: bool = False
) -> TrainingRuns:
    """Read runs to train on; every numeric column without another role is a tag.

    Raises
    ------
    TableError
        If the file cannot be used: with row and column.
    """
    special = [unit, time] if censored is None else [unit, time, censored]
    require_one_purpose([*special, *drivers])
    table = read_table(path, special)
    table.require(list(drivers))
    left_out = dict(table.ignored)
    others = [name for name in table.names if name not in {*special, *drivers}]
    left_out |= table.without_numbers(others)
    tags = [name for name in others if name not in left_out]
    recorded, order = _recorded(table, unit, time, drivers, tags, sort=sort)
    failed = _failed(table, censored, order[recorded.runs.last_rows])
    reasons = _not_to_learn_from(recorded, failed)
    kept = [name for name in tags if name not in reasons]
    if not kept:
        raise TableError(f"{path}: no column to learn from is left: {_listed({**left_out, **reasons}) or 'none given'}")
    return TrainingRuns(
        recorded=_only(recorded, [name for name in drivers if name not in reasons], kept),
        failed=failed,
        left_out={**left_out, **reasons},
    )


def read_runs(path: Path, columns: RunColumns, *, sort: bool = False) -> RecordedRuns:
    """Read runs to predict for; other columns are ignored, in any order.

    Raises
    ------
    TableError
        If the file cannot be used or lacks a column: with row and column.
    """
    table = read_table(path, [columns.unit, columns.time])
    table.require([*columns.drivers, *columns.tags])
    recorded, _ = _recorded(table, columns.unit, columns.time, columns.drivers, columns.tags, sort=sort)
    if recorded.columns.moments != columns.moments:
        learned, here = ("moments", "numbers") if columns.moments else ("numbers", "moments")
        raise TableError(f"{path}: column {columns.time!r} holds {here}, the model learned from {learned}")
    return recorded


def _recorded(
    table: Table, unit: str, time: str, drivers: Sequence[str], tags: Sequence[str], *, sort: bool
) -> tuple[RecordedRuns, IntArray]:
    """Return runs, and the file's row number of each of their rows."""
    codes, names = table.codes(unit)
    times = times_of(table, time)
    values = [table.numbers(name) for name in (*tags, *drivers)]
    order = sorted_rows(times.values, codes, values) if sort else np.argsort(codes, kind="stable")
    disorder = first_disorder(times.values[order], codes[order])
    if disorder is not None:
        row = int(order[disorder.row - 1])
        raise TableError(
            f"{table.path}: {_disorder_text(disorder, sort=sort)} in column {time!r} in row {row + 1}, "
            f"for unit {names[codes[row]]!r}; {_cure(disorder, sort=sort)}"
        )
    counts = np.bincount(codes[order], minlength=len(names))
    taken = [column[order] for column in values]
    runs = Runs(
        starts=np.concatenate([[0], np.cumsum(counts)]),
        time=times.values[order] / (S_PER_DAY if times.are_moments else 1.0),
        tags=_stacked(taken[: len(tags)], order.size),
        drivers=_stacked(taken[len(tags) :], order.size),
    )
    columns = RunColumns(unit=unit, time=time, drivers=tuple(drivers), tags=tuple(tags), moments=times.are_moments)
    return RecordedRuns(runs=runs, names=tuple(names), columns=columns), order


def _disorder_text(disorder: Disorder, *, sort: bool) -> str:
    if not disorder.duplicate:
        return "time goes back"
    return "a time stands twice, with different values," if sort else "a time stands twice"


def _cure(disorder: Disorder, *, sort: bool) -> str:
    if sort and disorder.duplicate:
        return "one of the rows must be removed"
    return "--sort sorts rows and drops exact duplicates"


def _failed(table: Table, censored: str | None, last_rows: IntArray) -> BoolArray:
    if censored is None:
        return np.ones(last_rows.size, dtype=np.bool_)
    texts = table.texts(censored)
    failed = np.empty(last_rows.size, dtype=np.bool_)
    for place, row in enumerate(last_rows.tolist()):
        answer = (texts[row] or "").strip().lower()
        if answer not in _YES | _NO:
            raise TableError(
                f"{table.path}: column {censored!r} in row {row + 1} holds {texts[row] or 'nothing'!r}; the last row "
                "of a unit needs 1 or true if the unit had not failed, 0 or false if it had"
            )
        failed[place] = answer in _NO
    return failed


def _not_to_learn_from(recorded: RecordedRuns, failed: BoolArray) -> dict[str, str]:
    runs, columns = recorded.runs, recorded.columns
    reasons = {}
    for name, varying in zip(columns.drivers, varies(runs.drivers), strict=True):
        if not varying:
            reasons[name] = "constant"
    for name, varying, values in zip(columns.tags, varies(runs.tags), runs.tags.T, strict=True):
        reason = target_leakage(values, runs, failed) if varying else "constant"
        if reason is not None:
            reasons[name] = reason
    return reasons


def _only(recorded: RecordedRuns, drivers: Sequence[str], tags: Sequence[str]) -> RecordedRuns:
    runs, columns = recorded.runs, recorded.columns
    return RecordedRuns(
        runs=Runs(
            starts=runs.starts,
            time=runs.time,
            tags=runs.tags[:, [columns.tags.index(name) for name in tags]],
            drivers=runs.drivers[:, [columns.drivers.index(name) for name in drivers]],
        ),
        names=recorded.names,
        columns=RunColumns(
            unit=columns.unit, time=columns.time, drivers=tuple(drivers), tags=tuple(tags), moments=columns.moments
        ),
    )


def _listed(reasons: Mapping[str, str]) -> str:
    return ", ".join(f"{name!r} ({reason})" for name, reason in reasons.items())


def _stacked(columns: Sequence[FloatArray], rows: int) -> FloatArray:
    return np.column_stack(columns) if columns else np.empty((rows, 0))
