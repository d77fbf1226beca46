"""Fans (ISO 5801, AMCA 210). Element-wise; NaN where an input is NaN. Air counts as incompressible (below 2.5 kPa)."""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import S_PER_H
from forewarn.domain.physics.energy import efficiency_pct
from forewarn.domain.physics.numerics import positive

#: Below this a flow probe in a duct shows its zero error.
MIN_FLOW_M3_H: Final = 10.0
#: Below this driven-pulley speed a belt drive stands still or creeps.
MIN_BELT_RPM: Final = 30.0


def fan_law_flow(flow_m3_h: FloatArray, speed_ratio: FloatArray, diameter_ratio: FloatArray) -> FloatArray:
    """Return the flow at another speed and size: ``Q ~ n·d³``."""
    return flow_m3_h * speed_ratio * diameter_ratio**3


def fan_law_pressure(
    pressure_pa: FloatArray, speed_ratio: FloatArray, diameter_ratio: FloatArray, density_ratio: FloatArray
) -> FloatArray:
    """Return the pressure rise at another speed, size and density: ``p ~ rho·n²·d²``."""
    return pressure_pa * density_ratio * np.square(speed_ratio * diameter_ratio)


def fan_law_power(
    power_kw: FloatArray, speed_ratio: FloatArray, diameter_ratio: FloatArray, density_ratio: FloatArray
) -> FloatArray:
    """Return the power at another speed, size and density: ``P ~ rho·n³·d⁵``."""
    return power_kw * density_ratio * speed_ratio**3 * diameter_ratio**5


def velocity_pressure_pa(flow_m3_h: FloatArray, duct_area_m2: FloatArray, density_kg_m3: FloatArray) -> FloatArray:
    """Return the dynamic pressure at the outlet [Pa]: ``rho/2·(Q/A)²``."""
    return 0.5 * density_kg_m3 * np.square(flow_m3_h / S_PER_H / positive(duct_area_m2))


def air_power_kw(flow_m3_h: FloatArray, pressure_rise_pa: FloatArray) -> FloatArray:
    """Return the air power [kW]: ``Q·Δp``; static or total, depending on the pressure given."""
    return flow_m3_h / S_PER_H * pressure_rise_pa / 1000.0


def fan_static_efficiency_pct(
    flow_m3_h: FloatArray, static_pressure_pa: FloatArray, power_kw: FloatArray
) -> FloatArray:
    """Return static air power over power taken in [%]; NaN while the fan stands still."""
    return efficiency_pct(air_power_kw(flow_m3_h, static_pressure_pa), power_kw)


def fan_total_efficiency_pct(
    flow_m3_h: FloatArray,
    static_pressure_pa: FloatArray,
    duct_area_m2: FloatArray,
    density_kg_m3: FloatArray,
    power_kw: FloatArray,
) -> FloatArray:
    """Return total air power, static and dynamic, over power taken in [%]; at least the static one."""
    total_pa = static_pressure_pa + velocity_pressure_pa(flow_m3_h, duct_area_m2, density_kg_m3)
    return efficiency_pct(air_power_kw(flow_m3_h, total_pa), power_kw)


def specific_fan_power_kw_m3_s(power_kw: FloatArray, flow_m3_h: FloatArray) -> FloatArray:
    """Return power per m³/s [kW/(m³/s)], EN 16798-3; NaN where no air is moved."""
    return power_kw / np.where(np.asarray(flow_m3_h) >= MIN_FLOW_M3_H, flow_m3_h / S_PER_H, np.nan)


def belt_slip_pct(motor_speed_rpm: FloatArray, speed_rpm: FloatArray, belt_ratio: FloatArray) -> FloatArray:
    """Return how far the fan lags its belt drive [%]: ``1 − n/(n_m·i)`` with i = fan speed over motor speed.

    V-belts slip 1–2 %; a fan faster than its belt contradicts the pick-ups. NaN where the belt hardly moves: the ratio
    of two pick-ups' noise is meaningless.
    """
    driven = motor_speed_rpm * belt_ratio
    return 100.0 * (1.0 - speed_rpm / np.where(driven >= MIN_BELT_RPM, driven, np.nan))
