"""Write the example files of ``libs/forewarn/examples/history``: recorded by simulated machines, seeded.

``python -m forewarn.testing.example_histories DIRECTORY`` writes all of them, each in the style of a different
historian: other names, units, separators, dates and zones.
"""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import FaultCourse, Profile
from forewarn.domain.time import S_PER_DAY

_BERLIN: Final = ZoneInfo("Europe/Berlin")
_NEW_YORK: Final = ZoneInfo("America/New_York")

#: Event time and value by tag.
Row = tuple[datetime, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleRecording:
    """A recording of a machine."""

    asset_class: str
    start: datetime
    every: timedelta
    rows: int
    seed: int
    fault: FaultCourse | None = None


#: Three weeks of a healthy pump, every 15 minutes.
HEALTHY: Final = ExampleRecording(
    asset_class="centrifugal_pump",
    start=datetime(2026, 9, 1, tzinfo=UTC),
    every=timedelta(minutes=15),
    rows=2016,
    seed=1,
)

#: Twelve weeks of a chiller, hourly; its condenser tubes begin to foul after five.
FOULING: Final = ExampleRecording(
    asset_class="chiller",
    start=datetime(2026, 8, 17, tzinfo=UTC),
    every=timedelta(hours=1),
    rows=2016,
    seed=2,
    fault=FaultCourse(fault="tube_fouling", onset_s=35 * S_PER_DAY, duration_s=60 * S_PER_DAY),
)

#: Seven weeks of a pump, every half hour; its bearing begins to wear after three.
WEAR: Final = ExampleRecording(
    asset_class="centrifugal_pump",
    start=datetime(2026, 9, 20, tzinfo=UTC),
    every=timedelta(minutes=30),
    rows=2352,
    seed=3,
    fault=FaultCourse(fault="bearing_wear", onset_s=21 * S_PER_DAY, duration_s=30 * S_PER_DAY),
)


def record(recording: ExampleRecording) -> list[Row]:
    """Run the machine."""
    kind = KINDS[recording.asset_class]
    design, state, profile = kind.design(), kind.start, Profile()
    rng = np.random.default_rng(recording.seed)
    rows: list[Row] = []
    for number in range(recording.rows):
        elapsed_s = number * recording.every.total_seconds()
        severity = 0.0 if recording.fault is None else recording.fault.at(elapsed_s)
        faults = {} if recording.fault is None else {recording.fault.fault: np.asarray(severity)}
        state, values = kind.step(
            design,
            state,
            dt_s=recording.every.total_seconds(),
            surroundings=profile.at(recording.start.timestamp() + elapsed_s),
            faults=faults,
            rng=rng,
        )
        moment = recording.start + number * recording.every
        rows.append((moment, {tag: float(value) for tag, value in values.items()}))
    return rows


def write_healthy(path: Path) -> None:
    """Write tags and units of the class; times in UTC."""
    rows = record(HEALTHY)
    _write(path, ["time", *rows[0][1]], [[f"{t:%Y-%m-%dT%H:%M:%SZ}", *map(_number, v.values())] for t, v in rows])


def write_fouling(path: Path) -> None:
    """Write as a German building system: semicolons, decimal commas, local time, a dead sensor, a few gaps."""
    rows = record(FOULING)
    names = {
        "chw_supply_temp_c": "CHW Supply Temp [°C]",
        "chw_return_temp_c": "CHW Return Temp [°C]",
        "cdw_inlet_temp_c": "CDW Inlet Temp [°C]",
        "cdw_outlet_temp_c": "CDW Outlet Temp [°C]",
        "chw_flow_m3_h": "CHW Flow [m³/h]",
        "cdw_flow_m3_h": "CDW Flow [m³/h]",
        "evaporator_sat_temp_c": "Evaporator sat temp [°C]",
        "condenser_sat_temp_c": "Condenser sat temp [°C]",
        "power_kw": "Power [kW]",
        "current_r_a": "Current R [A]",
        "current_y_a": "Current Y [A]",
        "current_b_a": "Current B [A]",
        "vibration_mm_s": "Vibration RMS [mm/s]",
    }
    lines: list[list[str]] = []
    for number, (moment, values) in enumerate(rows):
        cells = [_number(values[tag]).replace(".", ",") if tag in values else "" for tag in names]
        if number % 97 == 50:  # occasional values missing from the historian
            cells[number % len(cells)] = ""
        lines.append([f"{moment.astimezone(_BERLIN):%d.%m.%Y %H:%M}", *cells, "0,0"])
    _write(path, ["Zeitstempel", *names.values(), "Reserve 1"], lines, delimiter=";")


def write_wear(path: Path) -> None:
    """Write as in America: psi, °F and gallons, month first, New York's time; a ghost sensor, text for a number."""
    rows = record(WEAR)
    columns: dict[str, tuple[str, Callable[[float], float]]] = {
        "Discharge Flow (gpm)": ("flow_m3_h", lambda v: v / 0.2271247),
        "Suction Pressure (psi)": ("suction_pressure_bar", lambda v: v * 14.503774),
        "Discharge Pressure (psi)": ("discharge_pressure_bar", lambda v: v * 14.503774),
        "Speed (rpm)": ("speed_rpm", lambda v: v),
        "Motor Power (hp)": ("power_kw", lambda v: v / 0.74569987),
        "Motor Current (A)": ("motor_current_a", lambda v: v),
        "Vibration (mm/s)": ("vibration_mm_s", lambda v: v),
        "Bearing Temp (degF)": ("bearing_temp_c", lambda v: v * 1.8 + 32),
        "Fluid Temp (degF)": ("fluid_temp_c", lambda _: 68.0),  # never connected
        "Ambient Temp (degF)": ("ambient_temp_c", lambda v: v * 1.8 + 32),
    }
    lines = [
        [
            f"{moment.astimezone(_NEW_YORK):%m/%d/%Y %I:%M:%S %p}",
            *(_number(change(values[tag])) for tag, change in columns.values()),
        ]
        for moment, values in rows
    ]
    lines[400][5] = "I/O Timeout"
    lines[401][5] = "Bad Input"
    _write(path, ["Timestamp", *columns], lines)


#: File name and writer.
FILES: Final[Mapping[str, Callable[[Path], None]]] = {
    "healthy_pump.csv": write_healthy,
    "tube_fouling_chiller.csv": write_fouling,
    "bearing_wear_pump.csv": write_wear,
}


def _number(value: float) -> str:
    return f"{value:.5g}"


def _write(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]], *, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)


def main(arguments: Sequence[str]) -> None:
    """Write the files into the given directory."""
    directory = Path(arguments[0] if arguments else "libs/forewarn/examples/history")
    directory.mkdir(parents=True, exist_ok=True)
    for name, write in FILES.items():
        write(directory / name)
        sys.stdout.write(f"wrote {directory / name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
