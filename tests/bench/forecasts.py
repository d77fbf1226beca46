"""Measures forecasts: ``PYTHONPATH=tests python -m bench.forecasts [NAB.csv]``.

Prints the tables of ``libs/forewarn/docs/forecasting.md``. Forecasts are made from what lies before
an origin and compared with what came after it. Machines are simulated with a course of the day and
of the week.
"""

import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.forecasting.statsmodels_methods import StatsmodelsForecaster
from forewarn.domain.forecast.baselines import moving_average
from forewarn.domain.forecast.early import foresee
from forewarn.domain.forecast.horizons import Grid, grid_for
from forewarn.domain.forecast.memory import BUCKET_S, KEPT, SeriesMemory
from forewarn.domain.forecast.outlook import look_ahead
from forewarn.domain.forecast.series import NotForecastable, resample
from forewarn.domain.forecast.watch import Watch, watched_columns, watches
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.derive import derive
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Surroundings
from forewarn.domain.simulation.profile import Profile
from unit.catalogue.operating_points import STATED

DAY_S = 86_400
STEP_S = 900.0
DAYS = 60
PER_DAY = DAY_S // BUCKET_S
MACHINES = 4
LEVEL = 0.8
CATALOGUE = load_catalogue()
TUNE = StatsmodelsForecaster().tune

COLUMNS = {
    "centrifugal_pump": ("vibration_mm_s", "bearing_temp_c", "power_kw"),
    "chiller": ("condenser_approach_k", "power_kw"),
    "heat_exchanger": ("cleanliness_pct",),
    "electric_motor": ("winding_temp_c",),
    "fan": ("vibration_de_mm_s",),
}
FAULTS = (
    ("centrifugal_pump", "bearing_wear"),
    ("centrifugal_pump", "impeller_wear"),
    ("chiller", "tube_fouling"),
    ("heat_exchanger", "fouling"),
    ("centrifugal_pump", None),
    ("chiller", None),
    ("electric_motor", None),
)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def simulated(name: str, fault: str | None, seed: int) -> tuple[FloatArray, Mapping[str, FloatArray]]:
    """Times [s] and columns, shape (steps, machines); a fault grows from day 15 to day 60."""
    kind, rng = KINDS[name], np.random.default_rng(seed)
    design, state = kind.design(), kind.start
    phases = rng.random(MACHINES)
    times = np.arange(0.0, DAYS * DAY_S, STEP_S)
    rows = []
    for now in times.tolist():
        workday = 1.0 if now // DAY_S % 7 < 5 else 0.85
        hours = [Profile(phase=float(phase)).at(now) for phase in phases]
        around = Surroundings(
            demand=workday * np.array([float(hour.demand) for hour in hours]),
            ambient_temp_c=np.array([float(hour.ambient_temp_c) for hour in hours]),
            relative_humidity_pct=np.array([float(hour.relative_humidity_pct) for hour in hours]),
        )
        severity = np.full(MACHINES, min(1.0, max(0.0, (now / DAY_S - 15) / (DAYS - 15))))
        faults = {fault: severity} if fault is not None else {}
        state, values = kind.step(design, state, dt_s=STEP_S, surroundings=around, faults=faults, rng=rng)
        rows.append({tag: np.broadcast_to(value, MACHINES) for tag, value in values.items()})
    columns = {tag: np.stack([row[tag] for row in rows]).astype(np.float64) for tag in rows[0]}
    asset_class = CATALOGUE[name]
    plate = {field.name: field.default for field in asset_class.nameplate if field.default is not None}
    unread = np.full(times.size * MACHINES, np.nan)
    flat = {tag: columns[tag].ravel() if tag in columns else unread for tag in asset_class.tag_names}
    made = derive(asset_class, flat, plate | STATED.get(name, {}))
    return times, columns | {key: value.reshape(times.size, MACHINES) for key, value in made.items()}


def judged(times: FloatArray, values: FloatArray, origins_s: list[float], horizon_s: float) -> Iterator[tuple]:
    """What was forecast at each origin against what came: MAE of average and choice, coverage, method, CPU."""
    grid: Grid = grid_for(horizon_s)
    for origin_s in origins_s:
        before, after = times < origin_s, (times >= origin_s) & (times < origin_s + horizon_s)
        series = resample(times[before], values[before], np.ones(before.sum()), step_s=grid.step_s, steps=grid.steps)
        start = time.process_time()
        outlook = look_ahead(series, round(horizon_s / grid.step_s), TUNE)
        cpu = time.process_time() - start
        places = ((times[after] - outlook.start_s) // grid.step_s).astype(int)
        inside = (places < outlook.horizon) & np.isfinite(values[after])
        counts = np.bincount(places[inside], minlength=outlook.horizon)
        sums = np.bincount(places[inside], weights=values[after][inside], minlength=outlook.horizon)
        known = counts > 0
        truth = sums[known] / counts[known]
        lower, upper = outlook.interval(LEVEL)
        average = moving_average(series.values, round(DAY_S / grid.step_s), outlook.horizon)
        yield (
            float(np.abs(truth - average[known]).mean()),
            float(np.abs(truth - outlook.expected[known]).mean()),
            float(((truth >= lower[known]) & (truth <= upper[known])).mean()),
            outlook.method,
            cpu,
        )


def report(label: str, unit: str, horizon_s: float, found: list[tuple]) -> None:
    average, chosen, coverage, _, cpu = (np.array(column) for column in zip(*found, strict=True))
    methods = ", ".join(f"{name} {count}" for name, count in Counter(row[3] for row in found).most_common(3))
    _say(
        f"| {label} | {horizon_s / 3600:g} h | {len(found)} | {average.mean():.3g} {unit} | {chosen.mean():.3g} {unit} "
        f"| {coverage.mean():.0%} | {methods} | {1e3 * cpu.mean():.0f} ms |",
    )


def accuracy(nab: Path | None) -> None:
    _say("| column | horizon | forecasts | MAE moving average | MAE chosen | in the 80 % interval | chosen | CPU |")
    _say("|---|---|---|---|---|---|---|---|")
    for name, columns in COLUMNS.items():
        times, values = simulated(name, None, 1)
        for column in columns:
            for horizon_s, origins in ((48 * 3600.0, (30, 37, 45, 52)), (7.0 * DAY_S, (33, 39, 46, 52))):
                origins_s = [(day + 0.4) * DAY_S // 10_800 * 10_800 for day in origins]
                found = [
                    row
                    for machine in range(2)
                    for row in judged(times, values[column][:, machine], origins_s, horizon_s)
                ]
                report(f"{name}, {column}", CATALOGUE[name].units[column], horizon_s, found)
    if nab is not None:
        with nab.open() as lines:
            rows = {(_utc_s(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)}
        times, series = np.array(sorted(rows)).T
        for horizon_s in (8 * 3600.0, 48 * 3600.0, 7.0 * DAY_S):
            origins_s = [times[0] // DAY_S * DAY_S + day * DAY_S for day in range(30, 70, 4)]
            report("NAB machine temperature", "°F", horizon_s, list(judged(times, series, origins_s, horizon_s)))


def _utc_s(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def early(name: str, fault: str | None, seed: int) -> None:
    """First early alarm against the first bucket beyond the limit, looking every 12 h of event time."""
    asset_class = CATALOGUE[name]
    columns = watched_columns(asset_class)
    times, values = simulated(name, fault, seed)
    buckets = (times // BUCKET_S).astype(int)
    leads, limits, false, looks, cpu = [], 0, 0, 0, 0.0
    for machine in range(MACHINES):
        table = np.stack(
            [np.bincount(buckets, weights=values[c][:, machine]) / np.bincount(buckets) for c in columns], axis=1
        )
        crossed = {w.rule: _first_crossing(w, table[:, columns.index(w.column)]) for w in watches(asset_class)}
        alarmed: dict[str, int] = {}
        for now in range(5 * PER_DAY, len(table), 4):
            memory = SeriesMemory(
                columns=columns,
                seen_us=0,
                index=now,
                counts=(0,) * len(columns),
                sums=(0.0,) * len(columns),
                closed=table[max(0, now - KEPT) : now].astype("<f4").tobytes(),
            )
            start = time.process_time()
            found = foresee(memory, asset_class, TUNE)
            cpu += time.process_time() - start
            looks += 1
            for item in found:
                if item.probability >= 0.8:
                    alarmed.setdefault(item.rule, now)
        for rule, now in alarmed.items():
            if crossed[rule] is None:
                false += 1
            elif now <= crossed[rule]:
                leads.append((crossed[rule] - now) / PER_DAY)
        limits += sum(at is not None for at in crossed.values())
    lead = f"{np.median(leads):.1f} ({min(leads):.1f} to {max(leads):.1f})" if leads else "–"
    machine = f"{name}, {fault or 'healthy'}"
    _say(
        f"| {machine} | {MACHINES} | {len(leads)} of {limits} | {lead} | {false} | {1e3 * cpu / looks:.1f} ms |",
    )


def _first_crossing(watch: Watch, course: FloatArray) -> int | None:
    beyond = np.flatnonzero(course >= watch.limit if watch.rising else course <= watch.limit)
    return int(beyond[0]) if beyond.size else None


def main(arguments: list[str]) -> None:
    try:
        accuracy(Path(arguments[0]) if arguments else None)
    except NotForecastable as exc:
        raise SystemExit(f"the data do not allow it: {exc}") from exc
    _say("\n| machine, fault | machines | crossings foreseen | lead, days (range) | others | CPU a look |")
    _say("|---|---|---|---|---|---|")
    for name, fault in FAULTS:
        early(name, fault, 2)


if __name__ == "__main__":
    main(sys.argv[1:])
