"""Parts shared by several machines: sensors, bearings and rotors."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.dynamics import joined_rms
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    MISALIGNMENT,
    Sensor,
    Severities,
    accelerating,
    severity_of,
)

AIR_TEMP: Final = Sensor(noise=0.08, resolution=0.02)
OIL_TEMP: Final = Sensor(noise=0.1, resolution=0.02)
WATER_TEMP: Final = Sensor(noise=0.03, resolution=0.01)
ROLLING_BEARING_TEMP: Final = Sensor(noise=0.1, resolution=0.02)
SLEEVE_BEARING_TEMP: Final = Sensor(noise=0.15, resolution=0.02)
VIBRATION: Final = Sensor(noise=0.04, resolution=0.005)
FAN_VIBRATION: Final = Sensor(noise=0.05, resolution=0.005)
AXIAL_POSITION: Final = Sensor(noise=0.003, resolution=0.0005)


def alike(sensor: Sensor, *tags: str) -> dict[str, Sensor]:
    """Return the same sensor for several tags."""
    return dict.fromkeys(tags, sensor)


def whatever_the_design(sensors: Mapping[str, Sensor]) -> Callable[[Any], Mapping[str, Sensor]]:
    """Return a function with the sensors of a kind that do not depend on the design."""
    return lambda _design: sensors


def bearing_c(healthy_c: FloatArray, faults: Severities, *, worn_k: float, misaligned_k: float = 0.0) -> FloatArray:
    """Return a bearing's steady temperature: healthy, plus the effect of wear and misalignment."""
    worn = accelerating(severity_of(faults, BEARING_WEAR))
    return healthy_c + worn_k * worn + misaligned_k * severity_of(faults, MISALIGNMENT)


def rotor_vibration(healthy: FloatArray, faults: Severities, *, worn: float, misaligned: float = 0.0) -> FloatArray:
    """Return the vibration of a rotor: independent parts of the healthy machine, worn bearings and misalignment."""
    wear, offset = accelerating(severity_of(faults, BEARING_WEAR)), severity_of(faults, MISALIGNMENT)
    return joined_rms(healthy, worn * wear, misaligned * offset)
