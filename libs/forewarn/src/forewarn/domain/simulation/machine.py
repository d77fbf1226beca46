"""What every simulated machine has in common: surroundings, faults, sensors, and how it goes from step to step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.dynamics import lagged, wander

#: Readings of one instant: tag → value of each machine.
Values = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a machine meets from outside, per machine or one for all.

    Attributes
    ----------
    demand
        Share of the rated duty that is asked for, 0–1.
    ambient_temp_c, relative_humidity_pct
        Air around the machine.
    """

    demand: FloatArray
    ambient_temp_c: FloatArray
    relative_humidity_pct: FloatArray


#: Severity of each fault, 0 (healthy) to 1 (failed), per machine or one for all.
Severities = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Instant:
    """What machines meet in one step.

    Attributes
    ----------
    dt_s
        Time since the step before.
    surroundings
        Demand and weather; arrays of shape (n,) for n machines.
    faults
        Severities by name.
    rng
        Source of wander and noise.
    """

    dt_s: float
    surroundings: Surroundings
    faults: Severities
    rng: np.random.Generator

    def wandered(self, before: FloatArray | float, *, spread: float, memory_s: float) -> FloatArray:
        """Next value of something that wanders; see ``dynamics.wander``."""
        like = self.surroundings.demand
        return wander(before, spread=spread, memory_s=memory_s, dt_s=self.dt_s, rng=self.rng, like=like)

    def lagged(
        self, before: FloatArray | None, target: FloatArray, *, time_constant_s: FloatArray | float
    ) -> FloatArray:
        """Next value of something that follows slowly; see ``dynamics.lagged``."""
        return lagged(before, target, time_constant_s=time_constant_s, dt_s=self.dt_s)


#: Shafts out of line after maintenance: both machines shake at once, bearings and coupling run warm. Nothing wears
#: yet, so it is no failure mode of a class.
MISALIGNMENT: Final = "misalignment"

# Failure modes that several classes have, under the same name in each.
BEARING_WEAR: Final = "bearing_wear"
THRUST_BEARING_WEAR: Final = "thrust_bearing_wear"
FAN_IMBALANCE: Final = "fan_imbalance"
ELECTRICAL_ISSUE: Final = "electrical_issue"


def severity_of(faults: Severities, name: str) -> FloatArray:
    """Severity of a fault; 0 where it is not named."""
    return np.asarray(faults.get(name, 0.0), dtype=np.float64)


def accelerating(severity: FloatArray) -> FloatArray:
    """Exponential growth from 0 to 1: slow at first, fast in the end, as wear that feeds on itself."""
    steepness = 3.0
    grown: FloatArray = np.expm1(steepness * severity) / np.expm1(steepness)
    return grown


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A sensor's imperfections: normal noise, then rounding to the resolution of its converter.

    ``noise`` is a standard deviation in the unit of the tag, one for all machines or one for each.
    """

    noise: FloatArray | float
    resolution: float

    def read(self, truth: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Measure a true value."""
        return self.rounded(truth + self.noise * rng.standard_normal(truth.shape))

    def rounded(self, values: FloatArray) -> FloatArray:
        """Values as the converter gives them."""
        # what np.round does, without what it costs for each single number
        measured: FloatArray = np.rint(np.rint(values / self.resolution) * self.resolution * _FINEST) / _FINEST
        return measured


_FINEST: Final = 1e6  # parts of a unit, below every resolution; removes 0.30000000000000004


def measure(truth: Values, sensors: Mapping[str, Sensor], rng: np.random.Generator) -> Values:
    """Read every sensor, in the order of ``sensors``."""
    return {tag: sensor.read(truth[tag], rng) for tag, sensor in sensors.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of machine.

    Attributes
    ----------
    design
        Makes a design from keyword arguments, all with defaults; arrays of shape (n,) make n machines.
    start
        State before the first step.
    advance
        ``advance(design, state, instant) -> (state, values)``: readings under the tags of the class.
    sensors
        Sensors of a design, by tag.
    faults
        Names of the faults that ``advance`` knows.
    """

    design: Callable[..., Any]
    start: Any
    advance: Callable[[Any, Any, Instant], tuple[Any, Values]]
    sensors: Callable[[Any], Mapping[str, Sensor]]
    faults: tuple[str, ...]

    def step(  # what is the machine's own, and what it meets
        self,
        design: object,
        state: object,
        *,
        dt_s: float,
        surroundings: Surroundings,
        faults: Severities,
        rng: np.random.Generator,
    ) -> tuple[Any, Values]:
        """Advance by ``dt_s`` and read the sensors; parameters as in ``Instant``."""
        return self.advance(design, state, Instant(dt_s=dt_s, surroundings=surroundings, faults=faults, rng=rng))


def whatever_the_design(sensors: Mapping[str, Sensor]) -> Callable[[Any], Mapping[str, Sensor]]:
    """The sensors of a kind whose designs all have the same."""
    return lambda _design: sensors
