"""Machine temperature of the Numenta Anomaly Benchmark: one sensor, 79 days, four labelled windows.

Protocol: rows sorted by time (one hour occurs twice); one model from the first 15 % of the rows, which contain the
first window. Counted are the three later windows, and the share of flagged rows outside all windows.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.scoring.readings import Readings, open_table, readings_of
from forewarn.adapters.scoring.scores import score_readings
from forewarn.adapters.scoring.training import Request, learn_readings
from forewarn.adapters.tables.table import TableError

NAME: Final = "realKnownCause/machine_temperature_system_failure.csv"
TRAIN_SHARE: Final = 0.15

#: The goal is at most 0.5 % of flagged rows outside the windows.
FAR: Final = 0.005

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NabOutcome:
    """Flags of the rows after the training rows, and the windows in them."""

    name: str
    flag: BoolArray
    windows: tuple[BoolArray, ...]
    outside: BoolArray

    @property
    def hits(self) -> int:
        """Count windows with a flagged row."""
        return sum(bool((self.flag & window).any()) for window in self.windows)

    @property
    def share_outside(self) -> float:
        """Return the share of flagged rows outside all windows."""
        return float(self.flag[self.outside].mean())

    @property
    def episodes_outside(self) -> int:
        """Count separate stretches of flagged rows outside all windows."""
        return int(np.count_nonzero(np.diff((self.flag & self.outside).astype(np.int8), prepend=0) == 1))


def run_nab(data: Path) -> list[NabOutcome]:
    """Run the protocol with Forewarn and with simple detectors; TableError if the series or its labels are missing."""
    path, windows_s = _find(data)
    readings = readings_of(open_table(path, "timestamp", None), "timestamp", None, ["value"], sort=True)
    rows = int(TRAIN_SHARE * len(readings.stamps))
    request = Request(path=path, time="timestamp", far=FAR, sort=True)
    model = learn_readings(readings.head(rows), request, {}).model
    value = readings.tags["value"]
    flags = {
        "forewarn": score_readings(model, readings).flag,
        "always alarmed": np.ones(len(value), dtype=np.bool_),
        "robust z-score of the training rows > 3": _robust_z(value, rows) > 3.0,
        "beyond the range of the training rows": (value < value[:rows].min()) | (value > value[:rows].max()),
    }
    return [_outcome(name, flag, readings, rows, windows_s) for name, flag in flags.items()]


def _find(data: Path) -> tuple[Path, list[tuple[float, float]]]:
    for root in (data, data / "nab"):
        path, labels = root / "data" / NAME, root / "labels" / "combined_windows.json"
        if path.is_file() and labels.is_file():
            windows = json.loads(labels.read_text(encoding="utf-8"))[NAME]
            return path, [(_seconds(first), _seconds(last)) for first, last in windows]
    raise TableError(f"{data}: no data/{NAME} and labels/combined_windows.json here")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _robust_z(value: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    middle = np.median(value[:rows])
    z: NDArray[np.float64] = np.abs(value - middle) / (1.4826 * np.median(np.abs(value[:rows] - middle)))
    return z


def _outcome(
    name: str, flag: BoolArray, readings: Readings, rows: int, windows_s: list[tuple[float, float]]
) -> NabOutcome:
    if readings.times is None:
        raise TableError("the series has no times")
    times = readings.times[rows:]
    windows = [(times >= first) & (times <= last) for first, last in windows_s]
    outside = ~np.any(windows, axis=0)
    return NabOutcome(name=name, flag=flag[rows:], windows=tuple(w for w in windows if w.any()), outside=outside)
