"""What every simulated machine has in common: surroundings, faults, sensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frame import FloatArray

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


#: Shafts out of line after maintenance: both machines shake at once, bearings and coupling run warm. Nothing wears
#: yet, so it is no failure mode of a class.
MISALIGNMENT: Final = "misalignment"


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
