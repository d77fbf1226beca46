"""Small fleets with known lives: wear that grows to the same end, seen by noisy sensors."""

from collections.abc import Sequence

import numpy as np

from forewarn.domain.prognosis.runs import Runs

_LIFE = 60


def runs_of(parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Runs:
    """Put (time, tags, drivers) of several units together."""
    time, tags, drivers = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    return Runs(starts=starts, time=time, tags=tags, drivers=drivers)


def worn_fleet(
    units: int, seed: int = 0, *, tags: int = 2, rows: int = 60, noise: float = 0.1, load: bool = False
) -> Runs:
    """Runs to failure; wear is the square of the share of life that is gone. With ``load`` it shifts every tag."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(units):
        life = max(8, round(_LIFE * float(np.exp(0.25 * rng.normal()))))
        time = np.arange(1.0, life + 1.0)
        drivers = rng.uniform(0.0, 1.0, (life, 1)) if load else np.empty((life, 0))
        wear = (time / life) ** 2
        values = np.outer(wear, [1.0, -1.0]) + noise * rng.normal(size=(life, 2))
        parts.append((time, values + (5.0 * drivers if load else 0.0), drivers))
    return runs_of(parts)


def cut_off(runs: Runs, seed: int = 0) -> tuple[Runs, np.ndarray]:
    """Histories that stop somewhere before the failure, and the life that was left."""
    rng = np.random.default_rng(seed)
    parts, left = [], []
    for own in runs.slices():
        end = own.start + max(1, int((own.stop - own.start) * rng.uniform(0.2, 0.98)))
        parts.append((runs.time[own.start : end], runs.tags[own.start : end], runs.drivers[own.start : end]))
        left.append(runs.time[own.stop - 1] - runs.time[end - 1])
    return runs_of(parts), np.array(left)
