"""Water-cooled chillers (AHRI 550/590 and 551/591). Element-wise; NaN where an input is NaN."""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import (
    BTU_PER_WH,
    KW_PER_TON,
    S_PER_H,
    WATER_DENSITY_KG_M3,
    WATER_HEAT_CAPACITY_KJ_KG_K,
    ZERO_CELSIUS_K,
)
from forewarn.domain.physics.energy import MIN_INPUT_KW
from forewarn.domain.physics.numerics import positive, ratio

#: Below this duty the temperature differences are within the sensors' error, and ratios are meaningless.
MIN_DUTY_KW: Final = 20.0


def temperature_difference_k(warm_c: FloatArray, cold_c: FloatArray) -> FloatArray:
    """Subtract two temperatures [K]."""
    return warm_c - cold_c


def water_duty_kw(flow_m3_h: FloatArray, warm_c: FloatArray, cold_c: FloatArray) -> FloatArray:
    """Return the heat a water stream carries [kW]: ``Q = V·rho·c_p·ΔT`` with water at 20 °C."""
    heat_flow_per_k = flow_m3_h / S_PER_H * WATER_DENSITY_KG_M3 * WATER_HEAT_CAPACITY_KJ_KG_K
    return heat_flow_per_k * (warm_c - cold_c)


def refrigeration_tons(duty_kw: FloatArray) -> FloatArray:
    """Convert a duty to refrigeration tons."""
    return duty_kw / KW_PER_TON


def kw_per_ton(power_kw: FloatArray, cooling_kw: FloatArray) -> FloatArray:
    """Return the specific power [kW/ton]; NaN while the chiller hardly cools."""
    return KW_PER_TON * ratio(power_kw, cooling_kw, MIN_DUTY_KW)


def coefficient_of_performance(cooling_kw: FloatArray, power_kw: FloatArray) -> FloatArray:
    """Return the COP, cooling per power; NaN while the chiller takes none."""
    return ratio(cooling_kw, power_kw, MIN_INPUT_KW)


def second_law_efficiency_pct(
    cop: FloatArray, evaporator_sat_temp_c: FloatArray, condenser_sat_temp_c: FloatArray
) -> FloatArray:
    """Return the COP over that of an ideal machine [%]: ``COP·(T_c − T_e)/T_e`` with T_e in kelvin (Carnot).

    Above 100 % the sensors contradict the second law; NaN without a lift.
    """
    lift_k = positive(condenser_sat_temp_c - evaporator_sat_temp_c)
    return 100.0 * cop * lift_k / positive(evaporator_sat_temp_c + ZERO_CELSIUS_K)


def carnot_power_kw(cooling_kw: FloatArray, cold_temp_c: FloatArray, hot_temp_c: FloatArray) -> FloatArray:
    """Return the power of an ideal machine between two temperatures [kW]: ``Q·(T_h − T_c)/T_c`` (Carnot).

    With T_c in kelvin; 0 without a lift.
    """
    return cooling_kw * np.maximum(hot_temp_c - cold_temp_c, 0.0) / positive(cold_temp_c + ZERO_CELSIUS_K)


def energy_efficiency_ratio(cooling_kw: FloatArray, power_kw: FloatArray) -> FloatArray:
    """Return the EER [Btu/Wh], the COP in North American units; ``12/(kW/ton)``."""
    return BTU_PER_WH * coefficient_of_performance(cooling_kw, power_kw)


def evaporator_approach_k(chw_supply_temp_c: FloatArray, evaporator_sat_temp_c: FloatArray) -> FloatArray:
    """Return leaving chilled water above evaporating temperature [K]; grows with fouling and lost refrigerant."""
    return chw_supply_temp_c - evaporator_sat_temp_c


def condenser_approach_k(condenser_sat_temp_c: FloatArray, cdw_outlet_temp_c: FloatArray) -> FloatArray:
    """Return condensing temperature above leaving condenser water [K]; grows with fouling and trapped gas."""
    return condenser_sat_temp_c - cdw_outlet_temp_c


def energy_balance_residual_pct(rejected_kw: FloatArray, cooling_kw: FloatArray, power_kw: FloatArray) -> FloatArray:
    """Return the unexplained part of the heat balance [% of heat rejected]: ``(Q_c − Q_e − P)/Q_c``."""
    return 100.0 * ratio(rejected_kw - cooling_kw - power_kw, rejected_kw, MIN_DUTY_KW)
