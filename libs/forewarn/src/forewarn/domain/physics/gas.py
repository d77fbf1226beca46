"""Compression and expansion of gases (ASME PTC 10, GPSA). Element-wise; NaN where an input is NaN.

``exponent`` is the isentropic exponent kappa = c_p/c_v; pressure ratios are of absolute pressures.
"""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import GAS_CONSTANT_J_MOL_K, S_PER_H, ZERO_CELSIUS_K
from forewarn.domain.physics.numerics import log, log_mean, positive, power

#: Below this pressure ratio the temperature rise is within the sensors' error.
MIN_RATIO: Final = 1.05


def pressure_ratio(
    low_pressure_bar: FloatArray, high_pressure_bar: FloatArray, atmospheric_pressure_bar: FloatArray
) -> FloatArray:
    """Return the ratio of absolute pressures, from gauge pressures; NaN where the low one is not positive."""
    return (high_pressure_bar + atmospheric_pressure_bar) / positive(low_pressure_bar + atmospheric_pressure_bar)


def temperature_exponent(exponent: FloatArray) -> FloatArray:
    """Return ``(kappa − 1)/kappa``; NaN for an exponent of at most 1, which no gas has."""
    kappa = np.where(np.asarray(exponent) > 1.0, exponent, np.nan)
    return (kappa - 1.0) / kappa


def isentropic_temp_c(start_temp_c: FloatArray, pressure_ratio: FloatArray, exponent: FloatArray) -> FloatArray:
    """Return temperature after an ideal pressure change [°C]: ``T_2s = T_1·r^((kappa−1)/kappa)``; r < 1 expands."""
    start_k = positive(start_temp_c + ZERO_CELSIUS_K)
    return start_k * power(pressure_ratio, temperature_exponent(exponent)) - ZERO_CELSIUS_K


def isentropic_compression_efficiency_pct(
    suction_temp_c: FloatArray, discharge_temp_c: FloatArray, pressure_ratio: FloatArray, exponent: FloatArray
) -> FloatArray:
    """Return the isentropic efficiency of an uncooled compression [%]: ``(T_2s − T_1)/(T_2 − T_1)``.

    NaN below a pressure ratio of 1.05 and without a temperature rise; above 100 % the sensors contradict the second
    law.
    """
    ideal_k = isentropic_temp_c(suction_temp_c, _compressing(pressure_ratio), exponent) - suction_temp_c
    return 100.0 * ideal_k / positive(discharge_temp_c - suction_temp_c)


def polytropic_compression_efficiency_pct(
    suction_temp_c: FloatArray, discharge_temp_c: FloatArray, pressure_ratio: FloatArray, exponent: FloatArray
) -> FloatArray:
    """Return the polytropic efficiency of an uncooled compression [%]: ``(kappa−1)/kappa·ln r/ln(T_2/T_1)``.

    Used to compare machines, as it does not depend on the pressure ratio. NaN as the isentropic one.
    """
    real = _temperature_log(suction_temp_c, discharge_temp_c)
    return 100.0 * temperature_exponent(exponent) * log(_compressing(pressure_ratio)) / positive(real)


def polytropic_exponent(
    suction_temp_c: FloatArray, discharge_temp_c: FloatArray, pressure_ratio: FloatArray
) -> FloatArray:
    """Return the exponent n of the real path: ``(n−1)/n = ln(T_2/T_1)/ln r``; 1 for an isothermal one."""
    share = _temperature_log(suction_temp_c, discharge_temp_c) / log(_compressing(pressure_ratio))
    return 1.0 / positive(1.0 - share)


def polytropic_head_kj_kg(
    suction_temp_c: FloatArray,
    discharge_temp_c: FloatArray,
    pressure_ratio: FloatArray,
    molar_mass_g_mol: FloatArray,
    compressibility: FloatArray,
) -> FloatArray:
    """Return the polytropic head [kJ/kg]: ``Z·R·T_1/M·n/(n−1)·(r^((n−1)/n) − 1)``.

    As ``r^((n−1)/n) = T_2/T_1`` this is ``Z·R/M·(T_2 − T_1)/m`` with ``m = ln(T_2/T_1)/ln r``; the
    isothermal limit is ``Z·R·T_1/M·ln r``.
    """
    start_k = positive(suction_temp_c + ZERO_CELSIUS_K)
    end_k = positive(discharge_temp_c + ZERO_CELSIUS_K)
    mean_k = log_mean(end_k, start_k)
    specific = compressibility * GAS_CONSTANT_J_MOL_K / positive(molar_mass_g_mol)
    return specific * mean_k * log(_compressing(pressure_ratio))


def isentropic_head_kj_kg(
    suction_temp_c: FloatArray,
    pressure_ratio: FloatArray,
    exponent: FloatArray,
    molar_mass_g_mol: FloatArray,
    compressibility: FloatArray,
) -> FloatArray:
    """Return the isentropic head [kJ/kg]: ``Z·R/M·(T_2s − T_1)·kappa/(kappa−1)``; 0 at a ratio of 1."""
    rise_k = isentropic_temp_c(suction_temp_c, pressure_ratio, exponent) - suction_temp_c
    specific = compressibility * GAS_CONSTANT_J_MOL_K / positive(molar_mass_g_mol)
    return specific * rise_k / temperature_exponent(exponent)


def gas_power_kw(mass_flow_kg_s: FloatArray, head_kj_kg: FloatArray, efficiency_pct: FloatArray) -> FloatArray:
    """Return the gas power [kW]: ``m·H/eta``."""
    return 100.0 * mass_flow_kg_s * head_kj_kg / positive(efficiency_pct)


def _compressing(ratio: FloatArray) -> FloatArray:
    return np.where(np.asarray(ratio) >= MIN_RATIO, ratio, np.nan)


def _temperature_log(start_temp_c: FloatArray, end_temp_c: FloatArray) -> FloatArray:
    return log(end_temp_c + ZERO_CELSIUS_K) - log(start_temp_c + ZERO_CELSIUS_K)


def measured_gas_power_kw(
    suction_flow_m3_h: FloatArray,
    suction_pressure_bar: FloatArray,
    suction_temp_c: FloatArray,
    discharge_temp_c: FloatArray,
    exponent: FloatArray,
    atmospheric_pressure_bar: FloatArray,
) -> FloatArray:
    """Return the power an uncooled gas takes up [kW]: ``P = m·c_p·(T_2 − T_1) = p_1·V_1·κ/(κ−1)·(T_2 − T_1)/T_1``.

    For an ideal gas, flow at suction conditions and gauge pressure (ASME PTC 10).
    """
    suction_kpa = 100.0 * positive(suction_pressure_bar + atmospheric_pressure_bar)
    rise = (discharge_temp_c - suction_temp_c) / positive(suction_temp_c + ZERO_CELSIUS_K)
    return suction_kpa * suction_flow_m3_h / S_PER_H / temperature_exponent(exponent) * rise
