"""Scores the rows of a file with a model and writes them as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from forewarn.adapters.scoring.model import Model
from forewarn.adapters.scoring.readings import Readings, open_table, readings_of
from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.table import TableError
from forewarn.adapters.whole_file import write_whole
from forewarn.domain.detection.detector import Scores, score
from forewarn.domain.detection.rows import sample_period, sequence_of
from forewarn.domain.frames.frame import FloatArray

_OTHER_PACE: Final = 2.0  # times as far apart, or as close
_NEEDS_QUOTES: Final = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ScoredFile:
    """Readings of a file and their scores."""

    readings: Readings
    scores: Scores
    extra: tuple[str, ...]  #: Columns that the model does not know.
    doubts: tuple[str, ...]  #: Why the scores are less reliable.


def score_file(model: Model, path: Path, *, sort: bool = False) -> ScoredFile:
    """Score a file, cold: nothing before its first row is known.

    Raises
    ------
    TableError
        If the file cannot be used.
    """
    table = open_table(path, model.time, model.unit)
    readings = readings_of(table, model.time, model.unit, model.tags, sort=sort)
    if readings.times is not None and readings.moments != model.moments:
        have, want = ("moments", "numbers")[:: 1 if readings.moments else -1]
        raise TableError(f"{path}: column {model.time!r} holds {have}; the model was learned with {want}")
    known = {*model.tags, model.time, model.unit}
    extra = tuple(name for name in (*table.columns, *table.ignored) if name not in known)
    scores = score_readings(model, readings)
    return ScoredFile(readings=readings, scores=scores, extra=extra, doubts=tuple(_doubts(model, readings)))


def _doubts(model: Model, readings: Readings) -> Iterator[str]:
    period = None if readings.times is None else sample_period(readings.times, readings.unit)
    pace = 1.0 if period is None else period / model.period
    if pace > model.detector.settings.gap_periods:
        text = "that is a gap before each row: nothing is smoothed, and nothing is flagged"
    elif not 1.0 / _OTHER_PACE <= pace <= _OTHER_PACE:
        text = "the share of false alarms holds for the pace that was learned"
    else:
        return
    yield f"rows are {pace:.3g} times as far apart as those learned from: {text}"


def score_readings(model: Model, readings: Readings) -> Scores:
    """Score rows, each in its place."""
    detector = model.detector
    rows = sequence_of(readings.times, readings.unit, model.period)
    drivers = _matrix(readings, detector.twin.drivers, rows.order.size)[rows.order]
    responses = _matrix(readings, detector.twin.responses, rows.order.size)[rows.order]
    _, said = score(detector, detector.memory, rows.clock, drivers, responses)
    back = np.argsort(rows.order, kind="stable")
    return Scores(**{name: getattr(said, name)[back] for name in Scores.__dataclass_fields__})


def write_scores(scored: ScoredFile, tags: Sequence[str], path: Path) -> None:
    """Write one line for each row, empty where there is no score; replaces the file.

    Raises
    ------
    TableError
        If the file cannot be written.
    """
    scores = scored.scores
    columns: dict[str, Any] = {
        "time": pa.array(scored.readings.stamps),
        "score": _known(scores.score),
        "p_value": _known(scores.p_value),
        "flag": pa.array(scores.flag.astype(np.int8)),
        "extrapolated": pa.array(scores.extrapolated.astype(np.int8)),
    }
    table = pa.Table.from_arrays(
        [*columns.values(), *(_known(column) for column in scores.contributions.T)],
        names=[*columns, *(f"contribution.{tag}" for tag in tags)],
    )
    # pyarrow's "needed" quotes every text; none is what other programs write, and nearly always right.
    plain = not any(_NEEDS_QUOTES & set(str(text)) for text in (*scored.readings.stamps, *table.column_names))
    quoting = "none" if plain else "needed"
    options = pa_csv.WriteOptions(quoting_style=quoting, quoting_header=quoting)
    try:
        write_whole(path, lambda file: pa_csv.write_csv(table, file, options))
    except OSError as exc:
        raise TableError(f"{path}: cannot be written: {exc.strerror or exc}") from exc


def _matrix(readings: Readings, names: Sequence[str], rows: int) -> FloatArray:
    return np.column_stack([readings.tags[name] for name in names]) if names else np.empty((rows, 0))


def _known(values: FloatArray) -> ArrowArray:
    return pa.array(values, mask=np.isnan(values))
