"""Healthy recordings of plants with load and weather, each odd in its own way; nobody tuned on them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from support.plants import Rows, course

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recording:
    """Tags of one healthy machine; the first ``learned`` rows are its baseline."""

    tags: dict[str, Rows]
    drivers: tuple[str, ...] = ("load",)
    learned: int = 6_000
    step_s: float = 60.0

    def split(self) -> tuple[dict[str, Rows], dict[str, Rows]]:
        """Tags of the baseline, and of what follows."""
        first = {name: values[: self.learned] for name, values in self.tags.items()}
        return first, {name: values[self.learned :] for name, values in self.tags.items()}


def _slow(rng: np.random.Generator, rows: int, memory: float) -> Rows:
    return course(rng, rows, 1, memory)[:, 0]


def _weather(rng: np.random.Generator, rows: int, step_s: float) -> Rows:
    """A daily course; each day is warmer or colder, and swings more or less."""
    day = np.arange(rows) * step_s / _DAY_S
    days = np.arange(int(day[-1]) + 2) + 0.5
    swing, offset = 1.0 + 0.3 * _slow(rng, days.size, 0.6), 0.5 * _slow(rng, days.size, 0.7)
    return np.interp(day, days, swing) * np.sin(2 * np.pi * day) + np.interp(day, days, offset)


def _lagging(inputs: Rows, rows: float) -> Rows:
    out = np.empty(inputs.size)
    state = inputs[0]
    for row, value in enumerate(inputs):
        state += (value - state) / rows
        out[row] = state
    return out


def _followers(
    rng: np.random.Generator, machine: np.random.Generator, *inputs: Rows, count: int = 5
) -> dict[str, Rows]:
    """Tags that follow the inputs, the first one bent, with a third of a spread of noise."""
    bend = inputs[0] ** 2 / (1.0 + np.abs(inputs[0]))
    out = {}
    for number, gains in enumerate(machine.normal(size=(count, len(inputs)))):
        follows = sum(gain * values for gain, values in zip(gains, inputs, strict=True))
        out[f"tag{number}"] = follows + 0.15 * gains[0] * bend + 0.3 * rng.normal(size=bend.size)
    return out


def _ten_days(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    weather, load = _weather(rng, 15 * 288, 300.0), _slow(rng, 15 * 288, 0.95)
    tags = {"ambient": weather, "load": load, **_followers(rng, machine, weather, load)}
    return Recording(tags=tags, drivers=("ambient", "load"), learned=10 * 288, step_s=300.0)


def _every_other_day(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    rows = 21 * 144
    load = np.where(np.arange(rows) // 144 % 2, 1.0, -1.0) + 0.1 * _slow(rng, rows, 0.8)
    weather = 0.5 * _weather(rng, rows, 600.0)
    tags = {"ambient": weather, "load": load, **_followers(rng, machine, load, weather)}
    return Recording(tags=tags, drivers=("ambient", "load"), learned=14 * 144, step_s=600.0)


def _spring(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    rows = 40 * 48
    weather, load = _weather(rng, rows, 1800.0) + np.linspace(0.0, 2.0, rows), _slow(rng, rows, 0.9)
    tags = {"ambient": weather, "load": load, **_followers(rng, machine, weather, load)}
    return Recording(tags=tags, drivers=("ambient", "load"), learned=30 * 48, step_s=1800.0)


def _working_week(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    hour = np.arange(12 * 168)
    works = (hour // 24 % 7 < 5) & (hour % 24 >= 7) & (hour % 24 < 19)
    load, weather = np.where(works, 1.0, -0.5) + 0.15 * _slow(rng, hour.size, 0.5), _weather(rng, hour.size, 3600.0)
    tags = {"ambient": weather, "load": load, **_followers(rng, machine, load, weather)}
    return Recording(tags=tags, drivers=("ambient", "load"), learned=8 * 168, step_s=3600.0)


def _counter_and_ends(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load = _slow(rng, 12_000, 0.99)
    ends = {"hours": np.arange(12_000) / 60.0, "sat": np.minimum(load, 0.75), "valve": np.clip(0.5 + 0.6 * load, 0, 1)}
    return Recording(tags={"load": load, **_followers(rng, machine, load, count=4), **ends}, learned=8_000)


def _starts(rng: np.random.Generator, _machine: np.random.Generator) -> Recording:
    running: list[float] = []
    while len(running) < 12 * 1440:
        running += [1.0] * int(rng.uniform(120, 600)) + [0.0] * int(rng.uniform(60, 400))
    on = np.array(running[: 12 * 1440])
    load = on * (1.0 + 0.15 * _slow(rng, on.size, 0.9))
    noise = rng.normal(size=(5, on.size))
    tags = {
        "load": 100.0 * load + 0.2 * noise[0],
        "temperature": 20.0 + 50.0 * _lagging(on, 60.0) + 0.5 * noise[1],
        "current": 30.0 * load + 0.2 * noise[2],
        "vibration": 2.0 * on * np.exp(0.2 * noise[3]) + 0.1 * np.abs(noise[3]),
        "pressure": 5.0 * on + 0.05 * noise[4],
    }
    return Recording(tags=tags, learned=8 * 1440)


def _whole_numbers(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load, weather = _slow(rng, 8_000, 0.97), _weather(rng, 8_000, 60.0)
    tags = {"load": load, **_followers(rng, machine, load, weather)}
    return Recording(tags={name: np.round(2.0 * values) for name, values in tags.items()}, learned=5_000)


def _fifth_missing(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load, weather = _slow(rng, 8_000, 0.97), _slow(rng, 8_000, 0.9)
    tags = {"load": load, "ambient": weather, **_followers(rng, machine, load, weather)}
    holed = {name: np.where(rng.random(values.size) < 0.2, np.nan, values) for name, values in tags.items()}
    return Recording(tags=holed, drivers=("load", "ambient"), learned=5_000)


def _sensors_out(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load, weather = _slow(rng, 8_000, 0.97), _slow(rng, 8_000, 0.9)
    followers = _followers(rng, machine, load, weather)
    for values in followers.values():
        for start in rng.integers(0, values.size, 12):
            values[start : start + int(rng.uniform(20, 250))] = np.nan
    return Recording(tags={"load": load, "ambient": weather, **followers}, drivers=("load", "ambient"), learned=5_000)


def _skewed(rng: np.random.Generator, _machine: np.random.Generator) -> Recording:
    load = _slow(rng, 9_000, 0.98)
    tags = {f"tag{number}": np.exp(0.4 * load + 0.5 * _slow(rng, 9_000, 0.5)) for number in range(5)}
    return Recording(tags={"load": load, **tags})


def _lags(rng: np.random.Generator, _machine: np.random.Generator) -> Recording:
    load = np.repeat(rng.normal(size=100), 90)
    first = _lagging(load + 0.2 * load**3, 30.0)
    tags = {"load": load, "first": first, "second": _lagging(first, 20.0), "flow": 2.0 * load}
    return Recording(tags={name: values + 0.07 * rng.normal(size=9_000) for name, values in tags.items()})


def _noise_by_load(rng: np.random.Generator, _machine: np.random.Generator) -> Recording:
    load = _slow(rng, 9_000, 0.98)
    noise = 0.3 * np.exp(0.6 * load) * rng.standard_t(4, size=(5, 9_000))
    return Recording(tags={"load": load, **{f"tag{n}": (n + 1) * load + own for n, own in enumerate(noise)}})


def _held_samples(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load = _slow(rng, 9_000, 0.99)
    tags = {"load": load, **_followers(rng, machine, load)}
    held = zip(tags.items(), (1, 5, 10, 20, 30, 60), strict=True)
    return Recording(tags={name: np.repeat(values[::every], every)[:9_000] for (name, values), every in held})


def _bursts(rng: np.random.Generator, _machine: np.random.Generator) -> Recording:
    load, valve = _slow(rng, 9_000, 0.98), np.zeros(9_000)
    for start in rng.integers(0, 9_000, 60):
        valve[start : start + int(rng.uniform(3, 15))] = 1.0
    noise = rng.normal(size=(3, 9_000))
    flows = {"flow": 5 * load + 20 * valve + 0.3 * noise[0], "pressure": 3 * load - 5 * valve + 0.3 * noise[1]}
    tags = {"load": load, "valve": valve, **flows, "temperature": load + 0.2 * noise[2]}
    return Recording(tags=tags, drivers=("load", "valve"))


def _batches(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    pieces, rows = [], 0
    while rows < 12_000:
        part = np.linspace(0.0, 1.0, int(240 * np.exp(0.1 * rng.normal())))
        pieces.append(np.clip(np.minimum(part, 1.0 - part) / 0.3, 0.0, 1.0) * (1.0 + 0.1 * rng.normal()))
        rows += part.size
    load = np.concatenate(pieces)[:12_000]
    tags = {"load": load, **_followers(rng, machine, 2.0 * load - 1.0, _lagging(load, 40.0))}
    return Recording(tags=tags, learned=8_000)


def _few_rows(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load, weather = _slow(rng, 3_200, 0.5), _slow(rng, 3_200, 0.3)
    return Recording(tags={"load": load, **_followers(rng, machine, load, weather, count=31)}, learned=200)


def _two_hours(rng: np.random.Generator, machine: np.random.Generator) -> Recording:
    load = _slow(rng, 14_400, 0.998)
    followers = _followers(rng, machine, load, count=6)
    slow = {name: values + 0.3 * _slow(rng, 14_400, 0.9) for name, values in followers.items()}
    return Recording(tags={"load": load, **slow}, learned=7_200, step_s=1.0)


DRIVEN_PLANTS: dict[str, Callable[[np.random.Generator, np.random.Generator], Recording]] = {
    "ten days of weather, 5 min": _ten_days,
    "another load every other day, 10 min": _every_other_day,
    "30 days of spring, then 10 warmer ones, 30 min": _spring,
    "working weeks, 1 h": _working_week,
    "a counter, tags that reach their ends": _counter_and_ends,
    "starts and stops with warm-up": _starts,
    "whole numbers": _whole_numbers,
    "20 % of the values missing": _fifth_missing,
    "sensors out for hours": _sensors_out,
    "log-normal tags": _skewed,
    "lags of the third power of a stepped load": _lags,
    "heavy noise that grows with the load": _noise_by_load,
    "samples held up to 60 rows": _held_samples,
    "rare bursts of a valve": _bursts,
    "batches of varying length": _batches,
    "200 rows of 32 tags": _few_rows,
    "two hours of a slow load, 1 s": _two_hours,
}


def recording(plant: str, seed: int) -> Recording:
    """One time of one machine."""
    return DRIVEN_PLANTS[plant](np.random.default_rng(1000 + seed), np.random.default_rng(50 + seed))
