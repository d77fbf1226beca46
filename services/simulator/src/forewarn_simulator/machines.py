"""Simulated machines as sources of readings."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.plant_document import SimulatedSource
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.growth import GrowthCourse, worst_of
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Values
from forewarn.domain.simulation.profile import FaultCourse
from forewarn.domain.simulation.run import MachineRun, simulate, times_us
from forewarn.domain.simulation.schedule import duty_at
from forewarn.domain.simulation.sensor_effects import Memory, affect
from forewarn.domain.simulation.standstill import at_duty
from forewarn.domain.simulation.story import Story
from forewarn.domain.time import US_PER_S
from forewarn_simulator.reading import SourceReading

_LONGEST_STEP_S: Final = 600.0  # after a longer pause the machine has reached steady state anyway
_SETTLE_STEP_S: Final = 60.0
_SETTLE_STEPS: Final = 60  # an hour: ten times the slowest lag
_SETTLING: Final = 1  # seed of the time before the first reading, apart from that of the readings
_BULK_ROWS: Final = 1000  # a longer history is computed in one go


class SimulatedMachine:
    """One machine computed from physics; implements ``reading.ReadingSource``.

    Readings are taken at whole multiples of the interval. Ticks missed while the process is busy or
    blocked are left out and leave a gap, as with a real machine.
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
        story: Story | None = None,
    ) -> None:
        self._asset_id = asset_id
        self._asset_class = asset_class
        self._source = source
        self._kind = KINDS[asset_class]
        self._design = self._kind.design(**source.design)
        self._state = self._kind.start
        self._profile = source.day.profile()
        self._schedule = source.schedule
        self._planned = tuple(fault.course(registered_s) for fault in source.faults)
        self._courses = () if story is None else story.run.courses
        self._effects = () if story is None else story.run.effects
        self._memory: Memory = {}
        self._unsent = {tag for tag, sensor in source.sensors.items() if not sensor.sent}
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
        """Return the time of the next tick."""
        return self._next_tick * self._interval_s

    def inject(self, course: FaultCourse) -> None:
        """Add a fault."""
        self._planned = (*self._planned, course)

    def history(self, now_s: float) -> Iterator[SourceReading]:
        """Return the recent past, ending just before the first live tick."""
        every_s, count = self._source.history.every_s, self._source.history.rows
        end_s = min(now_s, self.next_due_s - self._interval_s)
        if count > _BULK_ROWS:
            yield from self._long_history(end_s - (count - 1) * every_s, every_s, count)
            return
        if count:
            self._settle(end_s - count * every_s)
        for back in range(count, 0, -1):
            yield from self._read(end_s - (back - 1) * every_s, historical=self._source.history.historical)

    def due(self, now_s: float) -> Iterable[SourceReading]:
        """Return the reading of the newest tick, unless it was returned before."""
        tick = math.floor(now_s / self._interval_s)
        if tick < self._next_tick:
            return ()
        self._next_tick = tick + 1
        if self._last_s is None:
            self._settle((tick - 1) * self._interval_s)
        return self._read(tick * self._interval_s)

    def _long_history(self, start_s: float, every_s: float, rows: int) -> Iterator[SourceReading]:
        """Compute the history in one go, with the story's faults only: the plan's begin with the registration."""
        run = MachineRun(
            asset_class=self._asset_class,
            design=self._source.design,
            profile=self._profile,
            courses=self._courses,
            seed=int(self._rng.integers(2**31)),
        )
        columns = simulate(run, start_s=start_s, step_s=every_s, rows=rows)
        yield from self._sent(columns, times_us(start_s, every_s, rows), historical=self._source.history.historical)

    def _settle(self, before_s: float) -> None:
        """Warm the machine up, or the temperatures of its first reading would be those at no load."""
        self._last_s = before_s
        rng = np.random.default_rng([self._source.seed, int(self._start_s), _SETTLING])
        for back in range(_SETTLE_STEPS, -1, -1):
            at_s = before_s - back * _SETTLE_STEP_S
            self._state, _ = self._kind.step(
                self._design,
                self._state,
                dt_s=_SETTLE_STEP_S,
                surroundings=self._profile.at(at_s),
                faults=_worst(self._planned, self._courses, at_s),
                rng=rng,
            )

    def _read(self, at_s: float, *, historical: bool = False) -> Iterable[SourceReading]:
        elapsed_s = self._interval_s if self._last_s is None else at_s - self._last_s
        self._last_s = at_s
        self._state, values = self._kind.step(
            self._design,
            self._state,
            dt_s=min(max(elapsed_s, 0.0), _LONGEST_STEP_S),
            surroundings=self._profile.at(at_s),
            faults=_worst(self._planned, self._courses, at_s),
            rng=self._rng,
        )
        columns = {tag: np.atleast_1d(value) for tag, value in values.items()}
        return self._sent(columns, np.array([round(at_s * US_PER_S)], dtype=np.int64), historical=historical)

    def _sent(self, columns: Values, ts_us: NDArray[np.int64], *, historical: bool) -> Iterable[SourceReading]:
        """Return what the sensors send: readings without missing sensors and values."""
        if self._schedule is not None:
            duty = duty_at(self._schedule, ts_us / US_PER_S)
            sensors = self._kind.sensors(self._design)
            columns = at_duty(self._asset_class, columns, ts_us, duty, sensors=sensors, seed=self._source.seed)
        columns, self._memory = affect(columns, ts_us, self._effects, seed=self._source.seed, memory=self._memory)
        return readings_of(
            self._asset_id,
            ts_us,
            {tag: values for tag, values in columns.items() if tag not in self._unsent},
            historical=historical,
        )


def _worst(planned: Sequence[FaultCourse], grown: Sequence[GrowthCourse], at_s: float) -> dict[str, FloatArray]:
    """Return the severity of every fault; of two courses of the same fault, the worse."""
    severities = worst_of(grown, at_s)
    for course in planned:
        severities[course.fault] = np.maximum(severities.get(course.fault, 0.0), course.at(at_s))
    return severities


def readings_of(
    asset_id: str, ts_us: NDArray[np.int64], columns: Values, *, historical: bool
) -> Iterable[SourceReading]:
    """Yield readings of columns, row by row, without missing values and empty readings."""
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    for at_us, row in zip(ts_us.tolist(), rows, strict=True):
        metrics = {tag: value for tag, value in zip(columns, row, strict=True) if math.isfinite(value)}
        if metrics:
            yield SourceReading(asset_id=asset_id, ts_us=at_us, metrics=metrics, historical=historical)
