"""Skoltech Anomaly Benchmark: a real pump loop, 34 recordings with one fault each.

Protocol: causal; one model per recording, from its first 400 rows; all other rows of the 34 recordings pooled.
All eight tags, as in `forewarn fit` and `forewarn score`. Labels are used only for counting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.scoring.readings import Readings, open_table, readings_of
from forewarn.adapters.scoring.scores import score_readings
from forewarn.adapters.scoring.training import Request, learn_readings
from forewarn.adapters.tables.table import TableError

TRAIN_ROWS: Final = 400
GROUPS: Final = ("valve1", "valve2", "other")

#: Its training rows include 296 rows of the fault, so nothing is known about the time before.
_DIRTY: Final = "other/2"

_SUSTAINED_S: Final = 10.0
_LABELS: Final = ("anomaly", "changepoint")

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SkabRecording:
    """One recording: its rows, and which of them are labelled anomalous."""

    name: str
    path: Path
    readings: Readings
    anomaly: BoolArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """What was flagged in a recording."""

    recording: SkabRecording
    flag: BoolArray

    @property
    def group(self) -> str:
        """Return the kind of experiment."""
        return self.recording.name.split("/")[0]

    @property
    def onset(self) -> int:
        """Return the first anomalous row after the training rows."""
        return TRAIN_ROWS + int(np.argmax(self.recording.anomaly[TRAIN_ROWS:]))

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Return the times of the rows [s]; TableError if the recording has none."""
        times = self.recording.readings.times
        if times is None:
            raise TableError(f"{self.recording.path}: no times")
        return times

    @property
    def delay_s(self) -> float:
        """Return the time from onset to the first flagged anomalous row; infinite without one."""
        hits = np.flatnonzero((self.flag & self.recording.anomaly)[TRAIN_ROWS:])
        return float(self.seconds[TRAIN_ROWS + hits[0]] - self.seconds[self.onset]) if hits.size else float("inf")

    @property
    def cries_before_onset(self) -> bool:
        """Return whether a flag lasted ten seconds before the fault began."""
        before = self.flag[TRAIN_ROWS : self.onset]
        edges = np.flatnonzero(np.diff(before, prepend=False, append=False))
        return any(end - first >= _SUSTAINED_S for first, end in zip(edges[::2], edges[1::2], strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Rates over pooled test rows."""

    f1: float
    far: float
    mar: float


def run_skab(data: Path) -> list[Outcome]:
    """Run the protocol; return what was flagged; TableError if the recordings are missing."""
    return [_judge(_read(path)) for path in _paths(data)]


def points(outcomes: Sequence[Outcome], *, always: bool = False) -> Points:
    """Return the point rates; ``always`` for a detector that always flags."""
    flag = np.concatenate([o.flag[TRAIN_ROWS:] for o in outcomes]) | always
    anomaly = np.concatenate([o.recording.anomaly[TRAIN_ROWS:] for o in outcomes])
    hit, false, missed = (flag & anomaly).sum(), (flag & ~anomaly).sum(), (~flag & anomaly).sum()
    return Points(
        f1=float(2 * hit / (2 * hit + false + missed)),
        far=float(false / (~anomaly).sum()),
        mar=float(missed / anomaly.sum()),
    )


def clean(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the recordings whose training rows are healthy."""
    return [outcome for outcome in outcomes if outcome.recording.name != _DIRTY]


def _paths(data: Path) -> list[Path]:
    for root in (data, data / "data", data / "skab" / "data"):
        paths = [path for group in GROUPS for path in sorted((root / group).glob("*.csv"), key=lambda p: int(p.stem))]
        if paths:
            return paths
    raise TableError(f"{data}: no SKAB recordings (valve1/*.csv, valve2/*.csv, other/*.csv) here, nor in data/")


def _read(path: Path) -> SkabRecording:
    table = open_table(path, "datetime", None)
    table.require(_LABELS)
    tags = [name for name in table.names if name not in ("datetime", *_LABELS)]
    return SkabRecording(
        name=f"{path.parent.name}/{path.stem}",
        path=path,
        readings=readings_of(table, "datetime", None, tags, sort=False),
        anomaly=table.numbers("anomaly") > 0.5,
    )


def _judge(recording: SkabRecording) -> Outcome:
    request = Request(path=recording.path, time="datetime")
    model = learn_readings(recording.readings.head(TRAIN_ROWS), request, {}).model
    return Outcome(recording=recording, flag=score_readings(model, recording.readings).flag)
