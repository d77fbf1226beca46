"""Healthy plants that nobody tuned on: correlated noise, regimes, daily courses, quantised and spiky sensors."""

from collections.abc import Callable

import numpy as np

Rows = np.ndarray


def course(rng: np.random.Generator, rows: int, width: int, memory: float) -> Rows:
    """First-order autoregression of unit variance."""
    noise = rng.normal(size=(rows, width)) * np.sqrt(1 - memory**2)
    out = np.empty((rows, width))
    state = rng.normal(size=width)
    for row in range(rows):
        state = memory * state + noise[row]
        out[row] = state
    return out


def _white(rng: np.random.Generator, _machine: np.random.Generator, rows: int, tags: int) -> Rows:
    return rng.normal(size=(rows, tags))


def _sluggish(rng: np.random.Generator, _machine: np.random.Generator, rows: int, tags: int) -> Rows:
    return course(rng, rows, tags, 0.9)


def _very_sluggish(rng: np.random.Generator, _machine: np.random.Generator, rows: int, tags: int) -> Rows:
    return course(rng, rows, tags, 0.99)


def _heavy_tailed(rng: np.random.Generator, _machine: np.random.Generator, rows: int, tags: int) -> Rows:
    return rng.standard_t(3, size=(rows, tags))


def _loads(rng: np.random.Generator, machine: np.random.Generator, rows: int, tags: int) -> Rows:
    gains = machine.normal(size=(3, tags))
    return course(rng, rows, 3, 0.98) @ gains + 0.3 * rng.normal(size=(rows, tags))


def _regimes(rng: np.random.Generator, machine: np.random.Generator, rows: int, tags: int) -> Rows:
    levels = 3.0 * machine.normal(size=(4, tags))
    regime = np.repeat(rng.integers(0, 4, size=rows // 100 + 1), 100)[:rows]
    return levels[regime] + 0.3 * rng.normal(size=(rows, tags)) + 0.3 * course(rng, rows, tags, 0.95)


def _daily(rng: np.random.Generator, machine: np.random.Generator, rows: int, tags: int) -> Rows:
    """One row a minute; each day is a little different."""
    minute = np.arange(rows)
    days = rng.normal(size=(rows // 1440 + 1, 2)) * [0.1, 0.5]
    shift, offset = days[minute // 1440].T
    weather = np.sin(2 * np.pi * minute / 1440 + shift) + offset
    gains = machine.normal(size=(2, tags))
    load = course(rng, rows, 1, 0.995)
    return np.outer(weather, gains[0]) + load * gains[1] + 0.3 * rng.normal(size=(rows, tags))


def _weekly(rng: np.random.Generator, machine: np.random.Generator, rows: int, tags: int) -> Rows:
    """One row an hour; load on working days, weather by day."""
    hour = np.arange(rows)
    weather = np.sin(2 * np.pi * hour / 24) + course(rng, rows, 1, 0.98)[:, 0]
    load = (hour % 168 < 120) + 0.2 * course(rng, rows, 1, 0.8)[:, 0]
    gains = machine.normal(size=(2, tags))
    return np.outer(weather, gains[0]) + np.outer(load, gains[1]) + 0.3 * course(rng, rows, tags, 0.5)


def _quantised(rng: np.random.Generator, _machine: np.random.Generator, rows: int, tags: int) -> Rows:
    return np.round(2.0 * course(rng, rows, tags, 0.9))


def _spiky(rng: np.random.Generator, _machine: np.random.Generator, rows: int, tags: int) -> Rows:
    out = course(rng, rows, tags, 0.7)
    out[rng.random((rows, tags)) < 0.002] += 8.0
    return out


def _on_off(rng: np.random.Generator, machine: np.random.Generator, rows: int, tags: int) -> Rows:
    running = np.repeat(rng.random(rows // 200 + 1) < 0.6, 200)[:rows, None]
    return running * (5.0 + machine.normal(size=tags)) + 0.2 * rng.normal(size=(rows, tags))


PLANTS: dict[str, Callable[[np.random.Generator, np.random.Generator, int, int], Rows]] = {
    "white noise": _white,
    "autocorrelated (0.9)": _sluggish,
    "autocorrelated (0.99)": _very_sluggish,
    "heavy tails (t, 3)": _heavy_tailed,
    "three slow loads": _loads,
    "four regimes": _regimes,
    "daily course, 1 min": _daily,
    "weekly course, 1 h": _weekly,
    "quantised": _quantised,
    "spikes": _spiky,
    "on and off": _on_off,
}


def healthy(plant: str, seed: int, rows: int, tags: int) -> Rows:
    """Rows of one machine; another seed is another time of the same machine."""
    return PLANTS[plant](np.random.default_rng(seed), np.random.default_rng(99), rows, tags)
