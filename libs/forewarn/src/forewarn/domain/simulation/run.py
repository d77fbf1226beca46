"""Simulate long series of one machine fast.

A step of a hundred machines costs as much as one of a single machine. So a long time is cut into stretches that are
simulated side by side, as if they were machines; each begins early enough to forget the initial state of thermal lags
and slowly wandering surroundings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.simulation.growth import GrowthCourse, worst_of
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Values
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.schedule import Schedule, duty_at
from forewarn.domain.simulation.sensor_effects import SensorEffect, affect
from forewarn.domain.simulation.standstill import at_duty
from forewarn.domain.time import US_PER_S

_SETTLE_S: Final = 3600.0  # ten times the slowest lag
_LONGEST_STEP_S: Final = 60.0  # between readings: load and lags must move as for a fast sensor
_SHORTEST_SETTLING_STEP_S: Final = 1.0  # the warm-up can be coarser than the recorded part
_MOST_STRETCHES: Final = 64
_SETTLING_SHARE: Final = 0.125  # of a stretch, at most: less would waste more than it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRun:
    """Everything that determines one machine's readings."""

    asset_class: str  #: A key of ``kinds.KINDS``.
    #: Fields of the class's design that differ from its defaults.
    design: Mapping[str, float] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    schedule: Schedule | None = None
    courses: tuple[GrowthCourse, ...] = ()
    effects: tuple[SensorEffect, ...] = ()
    seed: int = 0


def times_us(start_s: float, step_s: float, rows: int) -> NDArray[np.int64]:
    """Return evenly spaced times from ``start_s`` [µs since 1970 UTC]."""
    times: NDArray[np.int64] = np.rint((start_s + np.arange(rows) * step_s) * US_PER_S).astype(np.int64)
    return times


def simulate(run: MachineRun, *, start_s: float, step_s: float, rows: int) -> Values:
    """Simulate readings at ``start_s``, ``start_s + step_s``, …: value per tag, each of shape (rows,), NaN without one.

    Raises KeyError if the class cannot be simulated.
    """
    kind = KINDS[run.asset_class]
    columns = _running(run, start_s, step_s, rows)
    ts_us = times_us(start_s, step_s, rows)
    if run.schedule is not None:
        sensors = kind.sensors(kind.design(**run.design))
        duty = duty_at(run.schedule, ts_us / US_PER_S)
        columns = at_duty(run.asset_class, columns, ts_us, duty, sensors=sensors, seed=run.seed)
    affected, _ = affect(columns, ts_us, run.effects, seed=run.seed, memory={})
    return affected


def _running(run: MachineRun, start_s: float, step_s: float, rows: int) -> Values:
    """Simulate readings of a machine that always runs."""
    kind = KINDS[run.asset_class]
    parts = int(np.ceil(step_s / _LONGEST_STEP_S))
    settling_s = max(step_s, _SHORTEST_SETTLING_STEP_S)
    settle = int(np.ceil(_SETTLE_S / settling_s)) * parts
    stretches = int(np.clip(rows * parts * _SETTLING_SHARE // settle, 1, _MOST_STRETCHES))
    if step_s > _SETTLE_S:  # readings are independent: each is a stretch of its own
        stretches, settle = rows, int(np.ceil(_SETTLE_S / step_s * parts))
    length = -(-rows // stretches)
    begins_s = start_s + np.arange(stretches) * length * step_s
    design, state = kind.design(**run.design), kind.start
    rng = np.random.default_rng(run.seed)
    read: list[Values] = []
    for place in range(1 - settle, (length - 1) * parts + 1):
        span_s = step_s if place > 0 else settling_s
        t_s = np.asarray(begins_s + place * span_s / parts, dtype=np.float64)
        surroundings, faults = run.profile.at(t_s), worst_of(run.courses, t_s)
        state, values = kind.step(design, state, dt_s=span_s / parts, surroundings=surroundings, faults=faults, rng=rng)
        if place >= 0 and place % parts == 0:
            read.append(values)
    tags = read[0]
    return {tag: np.stack([values[tag] for values in read], axis=1).ravel()[:rows] for tag in tags}
