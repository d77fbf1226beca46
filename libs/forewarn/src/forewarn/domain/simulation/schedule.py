"""Running hours of a machine, and its start and stop sequence.

Auxiliaries (water pumps, oil, fans) start first and stop last, the machine itself ramps in between, and its bearings
and windings warm up and cool down slowly. All is a function of time alone: no state, any cutting of time.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray

_DAYS: Final = 7
_HOURS: Final = 24.0
_THURSDAY: Final = 3  # day 0 of the epoch, where Monday is 0
_AUXILIARY_SHARE: Final = 1.0 / 3.0  # of the run-up: auxiliaries first


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Weekly running hours."""

    #: Of the running days, 0–24.
    start_hour: float = 6.0
    stop_hour: float = 20.0
    days: tuple[int, ...] = (0, 1, 2, 3, 4)  #: Running days, Monday is 0.
    utc_offset_h: float = 0.0  #: Of the plant's clock.
    day_s: float = 86_400.0  #: Length of a "day"; a demo shortens it.
    run_up_s: float = 180.0  #: From the start of the auxiliaries to full duty, and back.
    warm_up_s: float = 300.0  #: Time constant of parts that warm up with use.

    def __post_init__(self) -> None:
        if not 0.0 <= self.start_hour < self.stop_hour <= _HOURS:
            hours = f"{self.start_hour:g} to {self.stop_hour:g}"
            raise ValueError(f"a running day lies within 0 and 24 h and ends after it starts, not {hours}")
        if not self.days or not set(self.days) <= set(range(_DAYS)) or len(set(self.days)) < len(self.days):
            raise ValueError(f"days must be numbers from 0 (Monday) to 6 (Sunday), each once, not {list(self.days)}")
        shortest_s = self.day_s * (self.stop_hour - self.start_hour) / _HOURS
        if self.run_up_s <= 0.0 or self.warm_up_s <= 0.0 or shortest_s < 2.0 * self.run_up_s:
            lengths = f"{shortest_s:g} s, must be longer than twice run_up_s, {self.run_up_s:g} s"
            raise ValueError(f"a running day, {lengths}, which must be above 0")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Duty:
    """How far a machine is on, each 0–1: auxiliaries, the machine itself, and its warmth."""

    auxiliary: FloatArray
    main: FloatArray
    warmth: FloatArray


def duty_at(schedule: Schedule, t_s: float | FloatArray) -> Duty:
    """Return how far the machine is on at a time [s since 1970 UTC]."""
    starts, ends = _running_times(schedule)
    week_s = _DAYS * schedule.day_s
    shift_s = (_THURSDAY + schedule.utc_offset_h / _HOURS) * schedule.day_s
    within_s = np.mod(np.asarray(t_s, dtype=np.float64) + shift_s, week_s)
    period = np.searchsorted(starts, within_s, side="right") - 1
    since_start_s = within_s - starts[period]
    after_end_s = within_s - ends[period]
    sequence_s = schedule.run_up_s
    lead_s = _AUXILIARY_SHARE * sequence_s
    ramp_s = sequence_s - lead_s
    off = after_end_s > 0.0
    main = np.where(off, 1.0 - after_end_s / ramp_s, (since_start_s - lead_s) / ramp_s)
    auxiliary = np.where(off, 1.0 - (after_end_s - ramp_s) / lead_s, since_start_s / lead_s)
    warmed = -np.expm1(-np.maximum(since_start_s - lead_s, 0.0) / schedule.warm_up_s)
    cooled = np.exp(-np.maximum(after_end_s, 0.0) / schedule.warm_up_s)
    return Duty(
        auxiliary=np.clip(auxiliary, 0.0, 1.0),
        main=np.clip(main, 0.0, 1.0),
        warmth=np.where(off, cooled, warmed),
    )


@lru_cache(maxsize=256)
def _running_times(schedule: Schedule) -> tuple[FloatArray, FloatArray]:
    """Return begin and end of each running period [s since Monday], from the week before to the one after."""
    merged: list[list[float]] = []
    for day in range(-_DAYS, 2 * _DAYS):
        if day % _DAYS not in schedule.days:
            continue
        begin_s, end_s = (schedule.day_s * (day + hour / _HOURS) for hour in (schedule.start_hour, schedule.stop_hour))
        if merged and merged[-1][1] >= begin_s:
            merged[-1][1] = end_s
        else:
            merged.append([begin_s, end_s])
    return np.array([begin for begin, _ in merged]), np.array([end for _, end in merged])
