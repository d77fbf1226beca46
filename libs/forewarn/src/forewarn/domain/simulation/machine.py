"""Common to all simulated machines: surroundings, faults, sensors, and the step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.dynamics import lagged, wander

#: Readings of one instant: tag → value of each machine.
Values = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Surroundings of a machine, per machine or one for all."""

    demand: FloatArray  #: Demanded share of the rated duty, 0–1.
    #: Air around the machine.
    ambient_temp_c: FloatArray
    relative_humidity_pct: FloatArray


#: Severity of each fault, 0 (healthy) to 1 (failed), per machine or one for all.
Severities = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Instant:
    """Input of one step: surroundings, severities by fault, and wandering quantities."""

    surroundings: Surroundings
    faults: Severities
    wander: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Wander:
    """Slow random movement about 0; see ``dynamics.wander``."""

    spread: float
    memory_s: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MachineState:
    """State of machines between steps: wandering quantities, and the lagging tags once started."""

    wander: Mapping[str, FloatArray] = field(default_factory=dict)
    lagging: Mapping[str, FloatArray] = field(default_factory=dict)


#: Shafts misaligned by maintenance: both machines vibrate at once, bearings and coupling run warm. This is no wear,
#: hence no failure mode of a class.
MISALIGNMENT: Final = "misalignment"

# Failure modes common to several classes.
BEARING_WEAR: Final = "bearing_wear"
THRUST_BEARING_WEAR: Final = "thrust_bearing_wear"
FAN_IMBALANCE: Final = "fan_imbalance"
ELECTRICAL_ISSUE: Final = "electrical_issue"


def severity_of(faults: Severities, name: str) -> FloatArray:
    """Return the severity of a fault; 0 if not given."""
    return np.asarray(faults.get(name, 0.0), dtype=np.float64)


def accelerating(severity: FloatArray) -> FloatArray:
    """Grow exponentially from 0 to 1: slow at first, fast in the end, as self-accelerating wear does."""
    steepness = 3.0
    grown: FloatArray = np.expm1(steepness * severity) / np.expm1(steepness)
    return grown


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor's imperfections: normal noise, then rounding to the resolution of its converter.

    ``noise`` is a standard deviation in the unit of the tag, one for all machines or one for each; readings are at
    least ``least``.
    """

    noise: FloatArray | float
    resolution: float
    least: float | None = None

    def read(self, truth: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Measure a true value."""
        measured = self.rounded(truth + self.noise * rng.standard_normal(truth.shape))
        return measured if self.least is None else np.maximum(measured, self.least)

    def rounded(self, values: FloatArray) -> FloatArray:
        """Round values to the converter's resolution."""
        # as np.round, but faster for single numbers
        measured: FloatArray = np.rint(np.rint(values / self.resolution) * self.resolution * _FINEST) / _FINEST
        return measured


_FINEST: Final = 1e6  # parts of a unit, below every resolution; removes 0.30000000000000004


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of machine."""

    #: Makes a design from keyword arguments, all with defaults; arrays of shape (n,) make n machines.
    design: Callable[..., Any]
    wander: Mapping[str, Wander] = field(default_factory=dict)  #: Wandering quantities, by name.
    #: ``truth(design, instant)``: true value of every tag; for lagging tags the steady value.
    truth: Callable[[Any, Instant], Values]
    #: Lagging tags, with the design's field of their time constant [s].
    lags: Mapping[str, str] = field(default_factory=dict)
    sensors: Callable[[Any], Mapping[str, Sensor]]  #: Sensors of a design, by tag.
    faults: tuple[str, ...]  #: Names of the faults in ``truth``.

    @property
    def start(self) -> MachineState:
        """Return the state before the first step."""
        return MachineState()

    def step(  # the machine's own fields, and its surroundings
        self,
        design: object,
        state: MachineState,
        *,
        dt_s: float,
        surroundings: Surroundings,
        faults: Severities,
        rng: np.random.Generator,
    ) -> tuple[MachineState, Values]:
        """Advance by ``dt_s`` and read every sensor, in the order of ``sensors``.

        ``surroundings`` and ``faults`` hold arrays of shape (n,) for n machines; ``rng`` drives wander and noise.
        """
        like = surroundings.demand
        wandered = {
            name: wander(
                state.wander.get(name, 0.0), spread=w.spread, memory_s=w.memory_s, dt_s=dt_s, rng=rng, like=like
            )
            for name, w in self.wander.items()
        }
        truth = self.truth(design, Instant(surroundings=surroundings, faults=faults, wander=wandered))
        lagging = {
            tag: lagged(state.lagging.get(tag), truth[tag], time_constant_s=getattr(design, name), dt_s=dt_s)
            for tag, name in self.lags.items()
        }
        truth |= lagging
        values = {tag: sensor.read(truth[tag], rng) for tag, sensor in self.sensors(design).items()}
        return MachineState(wander=wandered, lagging=lagging), values
