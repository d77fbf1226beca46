"""Centrifugal pumps (HI 40.6, ISO 9906). All functions are element-wise; NaN where an input is NaN."""

import numpy as np

from forewarn.domain.frame import FloatArray
from forewarn.domain.physics.constants import GRAVITY_M_S2, PA_PER_BAR, S_PER_H


def pump_head_m(
    suction_pressure_bar: FloatArray, discharge_pressure_bar: FloatArray, density_kg_m3: FloatArray
) -> FloatArray:
    """Head a pump adds [m], from gauge pressures [bar]: ``H = (p_d − p_s)/(rho·g)``.

    Differences in height and velocity between the two gauges are neglected: both sit on the pump's
    flanges, where they are below 1 % of the head.
    """
    pressure_pa = (discharge_pressure_bar - suction_pressure_bar) * PA_PER_BAR
    return pressure_pa / (density_kg_m3 * GRAVITY_M_S2)


def hydraulic_power_kw(flow_m3_h: FloatArray, head_m: FloatArray, density_kg_m3: FloatArray) -> FloatArray:
    """Power the liquid takes up [kW]: ``P_h = rho·g·Q·H``."""
    return density_kg_m3 * GRAVITY_M_S2 * (flow_m3_h / S_PER_H) * head_m / 1000.0


def affinity_flow(flow_m3_h: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Flow at another speed of the same impeller: ``Q ~ n``."""
    return flow_m3_h * speed_ratio


def affinity_head(head_m: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Head at another speed of the same impeller: ``H ~ n²``."""
    return head_m * np.square(speed_ratio)


def affinity_power(power_kw: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Shaft power at another speed of the same impeller: ``P ~ n³``."""
    return power_kw * speed_ratio**3


def npsh_available_m(
    surface_pressure_pa: FloatArray,
    vapour_pressure_pa: FloatArray,
    density_kg_m3: FloatArray,
    static_height_m: FloatArray,
    friction_loss_m: FloatArray,
) -> FloatArray:
    """Net positive suction head a plant offers [m]: ``(p_s − p_v)/(rho·g) + z − h_f``; absolute pressures."""
    pressure_head_m = (surface_pressure_pa - vapour_pressure_pa) / (density_kg_m3 * GRAVITY_M_S2)
    return pressure_head_m + static_height_m - friction_loss_m
