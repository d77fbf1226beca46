"""Three-phase motors (NEMA MG-1, IEC 60034-1). Element-wise; NaN where an input is NaN."""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import not_negative, positive, ratio

#: Below this mean current the motor stands still and imbalance is the transducers' zero error.
MIN_MEAN_A: Final = 1.0

_SQRT3: Final = 3.0**0.5

#: NEMA MG-1 §14.36: permissible share of the rated power over voltage imbalance [%].
_DERATING_AT_PCT: Final = (0.0, 0.5, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
_DERATING: Final = (1.0, 1.0, 0.97, 0.95, 0.93, 0.89, 0.85, 0.82, 0.78, 0.76)


def phase_imbalance_pct(phase_r: FloatArray, phase_y: FloatArray, phase_b: FloatArray) -> FloatArray:
    """Return the imbalance of three phase currents or voltages [%], NEMA MG-1 §14.36.

    Largest deviation from the mean over the mean (not the span over the mean, which overstates it up to twofold). NaN
    while the motor stands still.
    """
    phases = np.stack(np.broadcast_arrays(phase_r, phase_y, phase_b)).astype(np.float64, copy=False)
    mean = phases.sum(axis=0) / 3.0
    return 100.0 * ratio(np.abs(phases - mean).max(axis=0), mean, MIN_MEAN_A)


def mean_of_phases(phase_r: FloatArray, phase_y: FloatArray, phase_b: FloatArray) -> FloatArray:
    """Average three phase currents or voltages."""
    return (phase_r + phase_y + phase_b) / 3.0


def derating_factor(voltage_imbalance_pct: FloatArray) -> FloatArray:
    """Return the permissible share of the rated power at a voltage imbalance, NEMA MG-1 §14.36.

    1 up to 0.5 %, 0.76 at 5 %, 0 above, where a motor should not run.
    """
    imbalance = not_negative(voltage_imbalance_pct)
    factor = np.interp(imbalance, _DERATING_AT_PCT, _DERATING)
    factor = np.where(imbalance > _DERATING_AT_PCT[-1], 0.0, factor)
    return np.where(np.isnan(imbalance), np.nan, factor)


def extra_temperature_rise_pct(voltage_imbalance_pct: FloatArray) -> FloatArray:
    """Return the extra winding temperature rise by voltage imbalance [% of the rise]: ``2·u²``, NEMA MG-1 §14.36."""
    return 2.0 * np.square(not_negative(voltage_imbalance_pct))


def synchronous_speed_rpm(line_frequency_hz: FloatArray, pole_count: FloatArray) -> FloatArray:
    """Return the speed of the rotating field [1/min]: ``120·f/p`` with p poles (not pole pairs)."""
    return 120.0 * line_frequency_hz / positive(pole_count)


def slip_pct(synchronous_speed_rpm: FloatArray, speed_rpm: FloatArray) -> FloatArray:
    """Return how far the rotor lags the field [%]; 100 at standstill, negative while it generates."""
    return 100.0 * (synchronous_speed_rpm - speed_rpm) / positive(synchronous_speed_rpm)


def three_phase_power_kw(
    line_voltage_v: FloatArray, line_current_a: FloatArray, power_factor: FloatArray
) -> FloatArray:
    """Return the electrical power of a balanced load [kW]: ``√3·U·I·cos φ`` with line-to-line voltage."""
    return _SQRT3 * line_voltage_v * line_current_a * power_factor / 1000.0


def power_factor(power_kw: FloatArray, line_voltage_v: FloatArray, line_current_a: FloatArray) -> FloatArray:
    """Return real over apparent power; NaN without current. Above 1 the meters contradict each other."""
    apparent_kva = _SQRT3 * line_voltage_v * line_current_a / 1000.0
    return ratio(power_kw, apparent_kva, 0.1)


def motor_load_pct(power_kw: FloatArray, motor_efficiency_pct: FloatArray, rated_power_kw: FloatArray) -> FloatArray:
    """Return shaft power over rated power [%] from the input power (US DOE, Determining Electric Motor Load, eq. 1)."""
    return power_kw * motor_efficiency_pct / positive(rated_power_kw)


def motor_load_by_slip_pct(
    synchronous_speed_rpm: FloatArray, speed_rpm: FloatArray, rated_speed_rpm: FloatArray
) -> FloatArray:
    """Return shaft power over rated power [%] from the slip: proportional to it below the breakdown torque.

    Within 20 %, as nameplate speeds are rounded (US DOE, Determining Electric Motor Load, eq. 4).
    """
    return 100.0 * (synchronous_speed_rpm - speed_rpm) / positive(synchronous_speed_rpm - rated_speed_rpm)
