"""Plays recordings back as if they happened now."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from forewarn.adapters.plant_document import ReplaySource
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.time import US_PER_S
from forewarn_simulator.reading import SourceReading

_MAX_LAG_S: Final = 60.0  # further behind (the process slept), continue from now instead of catching up in a burst


class RecordingError(Exception):
    """A recording cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Rows of a CSV file: seconds since the first row, and the tags that have a value."""

    offsets_s: tuple[float, ...]
    rows: tuple[dict[str, float], ...]

    @property
    def step_s(self) -> float:
        """Usual time between two rows."""
        steps = sorted(b - a for a, b in pairwise(self.offsets_s))
        return steps[len(steps) // 2] if steps else 1.0


def find_recording(name: str, directories: Iterable[Path]) -> Path | None:
    """Return the first file of that name, absolute or in one of the directories or its ``data``."""
    candidates = [Path(name)] if Path(name).is_absolute() else []
    candidates += [place / name for directory in directories for place in (directory, directory / "data")]
    return next((path for path in candidates if path.is_file()), None)


def read_recording(path: Path, asset_class: AssetClass, time_column: str) -> Recording:
    """Read a CSV file. Columns are tags or their aliases, others are ignored; empty cells are missing values.

    Raises ``RecordingError`` if time column, tags or rows are missing, a value is not a number, or times are not
    increasing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            lines = csv.DictReader(file, delimiter=";" if header.count(";") > header.count(",") else ",")
            return _recording(path, lines, asset_class, time_column)
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise RecordingError(f"{path}: cannot be read as CSV in UTF-8: {exc}") from exc


def _recording(path: Path, lines: "csv.DictReader[str]", asset_class: AssetClass, time_column: str) -> Recording:
    names = lines.fieldnames or ()
    if time_column not in names:
        raise RecordingError(f"{path}: no column {time_column!r}; there are {', '.join(names)}")
    columns = _columns(names, asset_class)
    if not columns:
        raise RecordingError(f"{path}: no column is a tag of class {asset_class.name} or an alias of one")
    times: list[float] = []
    rows: list[dict[str, float]] = []
    for line in lines:
        where = f"{path}, line {lines.line_num}"
        times.append(_time(line[time_column] or "", where))
        rows.append(_values(line, columns, where))
        if len(times) > 1 and times[-1] <= times[-2]:
            raise RecordingError(f"{where}: time {line[time_column]} is not after the row before")
    if not rows:
        raise RecordingError(f"{path}: no rows")
    return Recording(offsets_s=tuple(t - times[0] for t in times), rows=tuple(rows))


def _columns(names: Iterable[str], asset_class: AssetClass) -> dict[str, str]:
    known = {alias: tag.name for tag in asset_class.tags for alias in (tag.name, *tag.aliases)}
    return {name: known[name] for name in names if name in known}


def _time(text: str, where: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:
        raise RecordingError(f"{where}: {text!r} is not an ISO 8601 time") from exc
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _values(line: Mapping[str, str | None], columns: Mapping[str, str], where: str) -> dict[str, float]:
    values = {}
    for column, tag in columns.items():
        text = (line[column] or "").strip()
        if not text:
            continue
        try:
            values[tag] = float(text)
        except ValueError as exc:
            raise RecordingError(f"{where}, column {column}: {text!r} is not a number") from exc
        if not math.isfinite(values[tag]):
            raise RecordingError(f"{where}, column {column}: {text} is not a finite number")
    return values


class Replay:
    """One recording as an asset; implements ``reading.ReadingSource``.

    The first live row plays at ``start_s``; the others follow at their recorded intervals, divided by the speed.
    """

    def __init__(self, asset_id: str, recording: Recording, source: ReplaySource, *, start_s: float) -> None:
        self._asset_id = asset_id
        self._recording = recording
        self._source = source
        self._row = 0
        self._row_s = start_s  # when the current row plays

    @property
    def next_due_s(self) -> float:
        """When the current row plays."""
        return self._row_s if self._row < len(self._recording.rows) else math.inf

    def history(self, now_s: float) -> Iterator[SourceReading]:
        """Return the first rows, as if they had just been measured."""
        count = min(self._source.history_rows, len(self._recording.rows))
        if count == 0:
            return
        self._row = 0
        self._row_s = min(now_s, self._row_s) - self._recording.offsets_s[count - 1] / self._source.speed
        for _ in range(count):
            yield from self._play()

    def due(self, now_s: float) -> Iterator[SourceReading]:
        """Return the rows that are due."""
        if now_s - self.next_due_s > _MAX_LAG_S:
            self._row_s = now_s
        while self.next_due_s <= now_s:
            yield from self._play()

    def _play(self) -> Iterator[SourceReading]:
        offsets, row = self._recording.offsets_s, self._row
        metrics = self._recording.rows[row]
        if metrics:
            yield SourceReading(asset_id=self._asset_id, ts_us=round(self._row_s * US_PER_S), metrics=metrics)
        self._row += 1
        if self._row < len(offsets):
            self._row_s += (offsets[self._row] - offsets[row]) / self._source.speed
        elif self._source.loop:
            self._row = 0
            self._row_s += self._recording.step_s / self._source.speed
