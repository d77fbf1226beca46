"""Writes recordings of simulated machines to CSV, Parquet or JSON Lines, and their true labels to CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from forewarn.domain.simulation.recording import SimulatedRecording
from forewarn.domain.time import US_PER_S

_PLAIN: Final = csv.WriteOptions(quoting_style="needed")
FORMATS: Final = (".csv", ".parquet", ".jsonl")
_LABELS_FORMAT: Final = ".csv"
#: Columns of a labels file, explained on the docs page ``scenarios.md``.
LABEL_COLUMNS: Final = (
    "asset_id",
    "ts",
    "scenario",
    "fault",
    "failure_mode",
    "present",
    "severity",
    "onset",
    "fails_at",
    "rul_days",
)


class FormatError(ValueError):
    """A file name's format cannot be written."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NamedRecording:
    """A recording and the asset it belongs to."""

    asset_id: str
    recording: SimulatedRecording


def require_format(path: Path) -> str:
    """Return the format of a file name.

    Raises
    ------
    FormatError
        It is not one of ``FORMATS``.
    """
    if path.suffix not in FORMATS:
        raise FormatError(f"{path}: the name must end in {', '.join(FORMATS)}, which says the format")
    return path.suffix


def require_labels_apart(labels: Path, readings: Path) -> None:
    """Check that labels go to a CSV file of their own.

    Raises
    ------
    FormatError
        If it is the readings' file, or its name has another format.
    """
    if labels.resolve() == readings.resolve():
        raise FormatError(f"{labels}: the truth never goes into the readings' file: give labels a file of their own")
    if labels.suffix != _LABELS_FORMAT:
        raise FormatError(f"{labels}: labels are written as CSV: the name must end in {_LABELS_FORMAT}")


def write_readings(path: Path, recordings: Sequence[NamedRecording]) -> None:
    """Write readings: ``ts``, ``asset_id``, then a column for each tag; JSON Lines hold readings of the raw contract.

    Raises
    ------
    FormatError
        If the file name does not say a format.
    OSError
        If the file cannot be written.
    """
    suffix = require_format(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".jsonl":
        with path.open("wb") as file:
            for item in recordings:
                file.writelines(json_lines(item))
        return
    table = pa.concat_tables([readings_table(item) for item in recordings], promote_options="default")
    if suffix == ".csv":
        csv.write_csv(_with_text_times(table, "ts"), path, _PLAIN)
    else:
        parquet.write_table(table, path)


def write_labels(path: Path, recordings: Sequence[NamedRecording]) -> None:
    """Write the true labels of the readings, in their order.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.concat_tables([labels_table(item) for item in recordings])
    csv.write_csv(_with_text_times(table, "ts", "onset", "fails_at"), path, _PLAIN)


def readings_csv(item: NamedRecording) -> bytes:
    """Return readings as CSV text."""
    return _csv(_with_text_times(readings_table(item), "ts"))


def labels_csv(item: NamedRecording) -> bytes:
    """Return labels as CSV text."""
    return _csv(_with_text_times(labels_table(item), "ts", "onset", "fails_at"))


def text_times(item: NamedRecording) -> list[str]:
    """Return the time of each reading, ISO 8601 in UTC."""
    times: list[str] = _text_times(_times(item.recording.stamped_us)).to_pylist()
    return times


def readings_table(item: NamedRecording) -> pa.Table:
    """Return readings as columns."""
    recording = item.recording
    columns = {"ts": _times(recording.stamped_us), "asset_id": pa.array([item.asset_id] * recording.rows)}
    columns |= {tag: pa.array(values, from_pandas=True) for tag, values in recording.columns.items()}
    return pa.table(columns)


def labels_table(item: NamedRecording) -> pa.Table:
    """Return labels as columns, see ``LABEL_COLUMNS``."""
    recording, rows = item.recording, item.recording.rows
    story, truth = recording.story, recording.truth
    constant = {
        "asset_id": item.asset_id,
        "scenario": story.scenario.name,
        "fault": story.fault,
        "failure_mode": story.mode,
    }
    columns = {name: pa.array([value] * rows, pa.string()) for name, value in constant.items()}
    columns |= {
        "ts": _times(recording.stamped_us),
        "present": pa.array(truth.present.astype(np.int8)),
        "severity": pa.array(truth.severity),
        "onset": _moment(story.onset_s, rows),
        "fails_at": _moment(story.fails_s, rows),
        "rul_days": pa.array(truth.rul_days, from_pandas=True),
    }
    return pa.table({name: columns[name] for name in LABEL_COLUMNS})


def json_lines(item: NamedRecording) -> list[bytes]:
    """Yield readings of the raw contract, one a line, marked as history; readings without any value are left out."""
    recording = item.recording
    times = text_times(item)
    tags = list(recording.columns)
    rows = zip(*(values.tolist() for values in recording.columns.values()), strict=True)
    encoder = msgspec.json.Encoder()
    lines: list[bytes] = []
    for ts, row in zip(times, rows, strict=True):
        metrics = {tag: value for tag, value in zip(tags, row, strict=True) if value == value}  # noqa: PLR0124  # not NaN
        if metrics:
            reading = {"asset_id": item.asset_id, "ts": ts, "metrics": metrics, "source": "scenario"}
            lines.append(encoder.encode(reading | {"historical": True}) + b"\n")
    return lines


def _csv(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, _PLAIN)
    return bytes(sink.getvalue().to_pybytes())


def _times(us: NDArray[np.int64]) -> pa.Array:
    return pa.array(us, pa.timestamp("us", tz="UTC"))


def _moment(t_s: float | None, rows: int) -> pa.Array:
    at_us = None if t_s is None else round(t_s * US_PER_S)
    return pa.array([at_us] * rows, pa.timestamp("us", tz="UTC"))


def _with_text_times(table: pa.Table, *names: str) -> pa.Table:
    for name in names:
        table = table.set_column(table.column_names.index(name), name, _text_times(table[name]))
    return table


def _text_times(times: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Format times as the contracts do, ISO 8601."""
    naive = times.cast(pa.timestamp("us"))
    return pa.compute.strftime(naive, format="%Y-%m-%dT%H:%M:%SZ")
