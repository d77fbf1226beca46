"""Learns a model from a file of healthy readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forewarn.adapters.scoring.model import Model
from forewarn.adapters.scoring.readings import Readings, open_table, readings_of
from forewarn.adapters.tables.table import Table, TableError, require_one_purpose
from forewarn.domain.detection.detector import settings_for
from forewarn.domain.detection.learn import LearnedDetector, NothingToLearnError, learn
from forewarn.domain.detection.rows import sample_period, sequence_of

_ANY_PERIOD: Final = 1.0  # rows without a common clock have none


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The user's choices for the healthy readings."""

    path: Path
    time: str | None = None
    unit: str | None = None
    drivers: tuple[str, ...] = ()
    far: float = 0.01
    sort: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Training:
    """A model and how its training went; ``unused`` gives columns that are not tags, with the reason."""

    model: Model
    lesson: LearnedDetector
    readings: Readings
    unused: Mapping[str, str]

    def suspicions(self) -> list[str]:
        """Describe suspicious stretches of the baseline."""
        stamps = self.readings.stamps
        timed = self.readings.times is not None
        out = []
        for found in self.lesson.suspicious:
            span = f"rows {found.first + 1} to {found.last + 1}"
            when = f" ({stamps[found.first]} to {stamps[found.last]})" if timed else ""
            out.append(f"{span}{when} unlike the rest in {', '.join(found.tags)}")
        return out


def train(request: Request) -> Training:
    """Learn from a file.

    Raises
    ------
    TableError
        If the file cannot be used.
    """
    table = open_table(request.path, request.time, request.unit)
    tags, unused = _tags_of(table, request)
    readings = readings_of(table, request.time, request.unit, tags, sort=request.sort)
    return learn_readings(readings, request, unused)


def learn_readings(readings: Readings, request: Request, unused: Mapping[str, str]) -> Training:
    """Learn from rows already read; ``unused`` gives columns that are not tags.

    Raises
    ------
    TableError
        If they do not allow a model.
    """
    period = _ANY_PERIOD if readings.times is None else sample_period(readings.times, readings.unit) or _ANY_PERIOD
    settings = settings_for(request.far, in_time=readings.times is not None)
    rows = sequence_of(readings.times, readings.unit, period)
    try:
        lesson = learn(readings.tags, request.drivers, rows, settings)
    except NothingToLearnError as exc:
        raise TableError(f"{request.path}: {exc}") from exc
    model = Model(
        detector=lesson.detector,
        time=request.time,
        unit=request.unit,
        moments=readings.moments,
        period=period,
        far=request.far,
    )
    return Training(model=model, lesson=lesson, readings=readings, unused={**unused, **lesson.left_out})


def _tags_of(table: Table, request: Request) -> tuple[Sequence[str], dict[str, str]]:
    special = [name for name in (request.time, request.unit) if name is not None]
    require_one_purpose([*special, *request.drivers])
    table.require(request.drivers)
    textual = table.without_numbers([n for n in table.names if n not in {*special, *request.drivers}])
    unused = {**table.ignored, **textual}
    tags = [name for name in table.names if name not in special and name not in textual]
    if not tags:
        reasons = [f"{name!r}: {reason}" for name, reason in unused.items()]
        raise TableError(f"{request.path}: no column of numbers to judge; " + "; ".join(reasons or ["no other column"]))
    return tags, unused
