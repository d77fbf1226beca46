"""Simulated machines as sources of readings."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import FaultCourse
from forewarn_simulator.plant import SimulatedSource
from forewarn_simulator.reading import SourceReading

_US_PER_S: Final = 1_000_000
_LONGEST_STEP_S: Final = 600.0  # after a longer pause the machine has settled anyway


class SimulatedMachine:
    """One machine computed from physics; implements ``reading.ReadingSource``.

    Readings stand at whole multiples of the interval. Ticks that pass while the process is busy or
    blocked are left out: the gap shows, as it does with a real machine.
    """

    def __init__(
        self,
        asset_id: str,
        asset_class: str,
        source: SimulatedSource,
        *,
        interval_s: float,
        registered_s: float,
        start_s: float,
    ) -> None:
        self._asset_id = asset_id
        self._source = source
        self._kind = KINDS[asset_class]
        self._design = self._kind.design(**source.design)
        self._state = self._kind.start
        self._profile = source.day.profile()
        self._courses = tuple(fault.course(registered_s) for fault in source.faults)
        self._rng = np.random.default_rng([source.seed, int(start_s)])
        self._interval_s = interval_s
        self._start_s = start_s
        self._next_tick = math.ceil(start_s / interval_s)
        self._last_s: float | None = None

    @property
    def faults(self) -> Sequence[str]:
        """Faults that can be injected."""
        return self._kind.faults

    @property
    def next_due_s(self) -> float:
        """Time of the next tick."""
        return self._next_tick * self._interval_s

    def inject(self, course: FaultCourse) -> None:
        """Let one more fault grow."""
        self._courses = (*self._courses, course)

    def history(self, now_s: float) -> Iterator[SourceReading]:
        """The recent past, ending just before the first live tick."""
        every_s = self._source.history.every_s
        count = int(self._source.history.length_s // every_s)
        end_s = min(now_s, self.next_due_s - self._interval_s)
        for back in range(count, 0, -1):
            yield self._read(end_s - (back - 1) * every_s)

    def due(self, now_s: float) -> Iterable[SourceReading]:
        """The newest tick that has passed, if it was not read yet."""
        tick = math.floor(now_s / self._interval_s)
        if tick < self._next_tick:
            return ()
        self._next_tick = tick + 1
        return (self._read(tick * self._interval_s),)

    def _read(self, at_s: float) -> SourceReading:
        elapsed_s = self._interval_s if self._last_s is None else at_s - self._last_s
        self._last_s = at_s
        severities: dict[str, np.float64] = {}
        for course in self._courses:
            worst = max(float(severities.get(course.fault, 0.0)), course.at(at_s))
            severities[course.fault] = np.float64(worst)
        self._state, values = self._kind.step(
            self._design,
            self._state,
            dt_s=min(max(elapsed_s, 0.0), _LONGEST_STEP_S),
            surroundings=self._profile.at(at_s),
            faults=severities,
            rng=self._rng,
        )
        metrics = {tag: float(value) for tag, value in values.items()}
        return SourceReading(asset_id=self._asset_id, ts_us=round(at_s * _US_PER_S), metrics=metrics)
