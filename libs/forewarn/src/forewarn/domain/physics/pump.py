"""Centrifugal pumps (HI 40.6, ISO 9906). All functions are element-wise; NaN where an input is NaN."""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import GRAVITY_M_S2, PA_PER_BAR, S_PER_H
from forewarn.domain.physics.numerics import positive, ratio

#: Below this an NPSH is within the error of the gauges, and a ratio with it is meaningless.
MIN_NPSH_M: Final = 0.1


def pump_head_m(
    suction_pressure_bar: FloatArray, discharge_pressure_bar: FloatArray, density_kg_m3: FloatArray
) -> FloatArray:
    """Return the head a pump adds [m], from gauge pressures [bar]: ``H = (p_d − p_s)/(rho·g)``.

    Differences in height and velocity between the gauges are neglected: at the pump's flanges they are below 1 % of the
    head. Negative where the pressure falls.
    """
    pressure_pa = (discharge_pressure_bar - suction_pressure_bar) * PA_PER_BAR
    return pressure_pa / (positive(density_kg_m3) * GRAVITY_M_S2)


def hydraulic_power_kw(flow_m3_h: FloatArray, head_m: FloatArray, density_kg_m3: FloatArray) -> FloatArray:
    """Return the hydraulic power [kW]: ``P_h = rho·g·Q·H``; 0 at no flow."""
    return density_kg_m3 * GRAVITY_M_S2 * (flow_m3_h / S_PER_H) * head_m / 1000.0


def shaft_power_kw(hydraulic_power_kw: FloatArray, pump_efficiency_pct: FloatArray) -> FloatArray:
    """Return the power at the shaft [kW]: ``P_h/eta``; NaN for an efficiency outside (0, 100] %."""
    efficiency = np.where(np.asarray(pump_efficiency_pct) <= 100.0, pump_efficiency_pct, np.nan)
    return 100.0 * hydraulic_power_kw / positive(efficiency)


def share_of_best_flow_pct(flow_m3_h: FloatArray, best_flow_m3_h: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Return flow over the best-efficiency flow at this speed [%].

    The preferred operating region is 70–120 % (HI 9.6.3, low specific speed).
    """
    return 100.0 * flow_m3_h / positive(best_flow_m3_h * speed_ratio)


def affinity_flow(flow_m3_h: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Return the flow at another speed of the same impeller: ``Q ~ n``."""
    return flow_m3_h * speed_ratio


def affinity_head(head_m: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Return the head at another speed of the same impeller: ``H ~ n²``."""
    return head_m * np.square(speed_ratio)


def affinity_power(power_kw: FloatArray, speed_ratio: FloatArray) -> FloatArray:
    """Return the shaft power at another speed of the same impeller: ``P ~ n³``."""
    return power_kw * speed_ratio**3


def npsh_available_m(
    surface_pressure_pa: FloatArray,
    vapour_pressure_pa: FloatArray,
    density_kg_m3: FloatArray,
    static_height_m: FloatArray,
    friction_loss_m: FloatArray,
) -> FloatArray:
    """Return the available net positive suction head [m]: ``(p_s − p_v)/(rho·g) + z − h_f``; absolute pressures."""
    pressure_head_m = (surface_pressure_pa - vapour_pressure_pa) / (positive(density_kg_m3) * GRAVITY_M_S2)
    return pressure_head_m + static_height_m - friction_loss_m


def npsh_margin_m(npsh_available_m: FloatArray, npsh_required_m: FloatArray) -> FloatArray:
    """Return available minus required NPSH [m]; negative: the pump cavitates.

    HI 9.6.1 requires at least 0.6 to 1 m, more outside the preferred operating region.
    """
    return npsh_available_m - npsh_required_m


def npsh_margin_ratio(npsh_available_m: FloatArray, npsh_required_m: FloatArray) -> FloatArray:
    """Return available over required NPSH; HI 9.6.1 requires 1.1 to 1.3 and more, by service."""
    return ratio(npsh_available_m, npsh_required_m, MIN_NPSH_M)
