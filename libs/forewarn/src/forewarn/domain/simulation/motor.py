"""A three-phase induction motor on the mains, from its power balance.

Real power is shaft power plus losses: a fixed part (iron, friction) and one with the square of the load. Reactive power
magnetises the iron and feeds the leakage in the windings; real and reactive current add at right angles. The slip
follows the torque and falls with the square of the voltage. The winding warms with the losses over the thermal
resistance of the cooling, with a lag.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.motor import synchronous_speed_rpm
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    ELECTRICAL_ISSUE,
    MISALIGNMENT,
    Instant,
    Kind,
    Sensor,
    Severities,
    Values,
    Wander,
    accelerating,
    severity_of,
)
from forewarn.domain.simulation.parts import (
    AIR_TEMP,
    ROLLING_BEARING_TEMP,
    VIBRATION,
    alike,
    bearing_c,
    rotor_vibration,
    whatever_the_design,
)

WINDING_OVERHEATING: Final = "winding_overheating"

_SQRT3: Final = 3.0**0.5
_FIXED_LOSSES: Final = 0.45  # no-load share of the losses at rated load
_MAGNETISING: Final = 0.40  # reactive power without load over rated real power: 4 poles, IE3
_LEAKAGE: Final = 0.15  # reactive power with the square of the load
#: Phase imbalance on a healthy supply: currents about seven times as much as voltages (NEMA MG-1).
_VOLTAGE_OFFSETS: Final = (0.0012, -0.0002, -0.0010)
_CURRENT_OFFSETS: Final = (0.0084, -0.0014, -0.0070)
#: Effect of shorted turns in one winding on its current and the others.
_FAULT_OFFSETS: Final = (0.27, -0.14, -0.13)


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorDesign:
    """Nameplate and installation of one motor, or of many as arrays."""

    rated_power_kw: FloatArray | float = 75.0
    rated_efficiency: FloatArray | float = 0.95
    rated_slip: FloatArray | float = 0.010
    pole_count: FloatArray | float = 4.0
    frequency_hz: FloatArray | float = 50.0
    voltage_v: FloatArray | float = 400.0
    #: Rise of the winding at rated load with clean cooling: class F, used as class B (IEC 60034-1).
    winding_rise_k: FloatArray | float = 65.0
    vibration_mm_s: FloatArray | float = 1.3  #: Vibration of the drive end when healthy at rated load.
    winding_time_constant_s: float = 240.0  #: Lag of the copper; the frame's, ten times longer, is neglected.
    bearing_time_constant_s: float = 300.0


MOTOR_SENSORS: Final[dict[str, Sensor]] = {
    "power_kw": Sensor(noise=0.2, resolution=0.02),
    "speed_rpm": Sensor(noise=0.3, resolution=0.05),
    "line_frequency_hz": Sensor(noise=0.003, resolution=0.001),
    **alike(Sensor(noise=0.3, resolution=0.05), "current_r_a", "current_y_a", "current_b_a"),
    **alike(Sensor(noise=0.25, resolution=0.05), "voltage_ry_v", "voltage_yb_v", "voltage_br_v"),
    "winding_temp_c": Sensor(noise=0.15, resolution=0.02),
    **alike(ROLLING_BEARING_TEMP, "bearing_de_temp_c", "bearing_nde_temp_c"),
    **alike(VIBRATION, "vibration_de_mm_s", "vibration_nde_mm_s"),
    "ambient_temp_c": AIR_TEMP,
}


def _truth(design: MotorDesign, instant: Instant) -> Values:
    ambient_c, faults = instant.surroundings.ambient_temp_c, instant.faults
    load, voltage, frequency = (1.0 + value for value in instant.wander.values())
    wear = accelerating(severity_of(faults, BEARING_WEAR))
    share = (0.55 + 0.4 * instant.surroundings.demand) * load + 0.004 * wear  # of the rated power at the shaft
    truth = _electrics(design, share, voltage, frequency, severity_of(faults, ELECTRICAL_ISSUE))
    healthy, own_k = design.vibration_mm_s * (0.8 + 0.2 * share), 20.0 + 14.0 * np.square(share)
    return truth | {
        "vibration_de_mm_s": rotor_vibration(healthy, faults, worn=8.4, misaligned=5.0),
        "vibration_nde_mm_s": rotor_vibration(0.85 * healthy, faults, worn=1.5, misaligned=2.5),
        "winding_temp_c": ambient_c + _winding_rise_k(design, share, voltage, faults),
        "bearing_de_temp_c": ambient_c + bearing_c(own_k, faults, worn_k=36.0, misaligned_k=10.0),
        "bearing_nde_temp_c": ambient_c + 0.88 * own_k,
        "ambient_temp_c": ambient_c,
    }


def _electrics(
    design: MotorDesign, share: FloatArray, voltage: FloatArray, frequency: FloatArray, shorted: FloatArray
) -> Values:
    rated_kw = np.asarray(design.rated_power_kw)
    power_kw = rated_kw * (share + _losses(share, voltage) * (1.0 / design.rated_efficiency - 1.0))
    reactive_kvar = rated_kw * (_MAGNETISING * np.square(voltage) + _LEAKAGE * np.square(share / voltage))
    mean_a = np.hypot(power_kw, reactive_kvar) * 1000.0 / (_SQRT3 * design.voltage_v * voltage)
    field_rpm = synchronous_speed_rpm(design.frequency_hz * frequency, np.asarray(design.pole_count))
    truth = {
        "power_kw": power_kw,
        "line_frequency_hz": design.frequency_hz * frequency,
        "speed_rpm": field_rpm * (1.0 - design.rated_slip * share / np.square(voltage)),
    }
    for phase, healthy, fault in zip("ryb", _CURRENT_OFFSETS, _FAULT_OFFSETS, strict=True):
        truth[f"current_{phase}_a"] = mean_a * (1.0 + healthy + fault * shorted)
    for phases, offset in zip(("ry", "yb", "br"), _VOLTAGE_OFFSETS, strict=True):
        truth[f"voltage_{phases}_v"] = design.voltage_v * voltage * (1.0 + offset)
    return truth


def _losses(share: FloatArray, voltage: FloatArray) -> FloatArray:
    """Return losses over those at rated load: iron with the square of the voltage, copper with that of the current."""
    fixed = _FIXED_LOSSES * np.square(voltage)
    losses: FloatArray = fixed + (1.0 - _FIXED_LOSSES) * np.square(share / voltage)
    return losses


def _winding_rise_k(design: MotorDesign, share: FloatArray, voltage: FloatArray, faults: Severities) -> FloatArray:
    dirt = 1.12 * severity_of(faults, WINDING_OVERHEATING)  # thermal resistance that dirt adds
    # the negative sequence of unequal currents heats without torque
    extra = 0.2 * np.square(severity_of(faults, ELECTRICAL_ISSUE))
    return design.winding_rise_k * _losses(share, voltage) * (1.0 + dirt + extra)


MOTOR: Final = Kind(
    design=MotorDesign,
    wander={  # the driven machine and the mains, relative deviations
        "load": Wander(spread=0.02, memory_s=30.0),
        "voltage": Wander(spread=0.006, memory_s=120.0),
        "frequency": Wander(spread=0.0004, memory_s=60.0),
    },
    truth=_truth,
    lags={
        "winding_temp_c": "winding_time_constant_s",
        "bearing_de_temp_c": "bearing_time_constant_s",
        "bearing_nde_temp_c": "bearing_time_constant_s",
    },
    sensors=whatever_the_design(MOTOR_SENSORS),
    faults=(BEARING_WEAR, WINDING_OVERHEATING, ELECTRICAL_ISSUE, MISALIGNMENT),
)
