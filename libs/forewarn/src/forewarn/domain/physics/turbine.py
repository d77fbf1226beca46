"""Gas and steam turbines, generic (ASME PTC 22, PTC 6). Element-wise; NaN where an input is NaN."""

from typing import Final

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import S_PER_H
from forewarn.domain.physics.gas import MIN_RATIO, isentropic_temp_c
from forewarn.domain.physics.numerics import positive, ratio, within

#: Below this power a heat rate shows only what it takes to turn the machine over.
MIN_POWER_KW: Final = 10.0


def isentropic_expansion_efficiency_pct(
    inlet_temp_c: FloatArray, exhaust_temp_c: FloatArray, pressure_ratio: FloatArray, exponent: FloatArray
) -> FloatArray:
    """Return the isentropic efficiency of an expansion [%]: ``(T_1 − T_2)/(T_1 − T_2s)`` with an ideal gas.

    For dry gas; superheated steam with an exponent of 1.3 comes within a few points, wet steam does not apply.
    ``pressure_ratio`` is inlet over exhaust. NaN below a ratio of 1.05; above 100 % the sensors contradict the second
    law.
    """
    expanding = within(pressure_ratio, MIN_RATIO, float("inf"))
    ideal_k = inlet_temp_c - isentropic_temp_c(inlet_temp_c, 1.0 / expanding, exponent)
    return 100.0 * (inlet_temp_c - exhaust_temp_c) / positive(ideal_k)


def steam_efficiency_pct(
    inlet_enthalpy_kj_kg: FloatArray, exhaust_enthalpy_kj_kg: FloatArray, isentropic_enthalpy_kj_kg: FloatArray
) -> FloatArray:
    """Return the isentropic efficiency from enthalpies of steam tables [%]: ``(h_1 − h_2)/(h_1 − h_2s)``."""
    return 100.0 * ratio(
        inlet_enthalpy_kj_kg - exhaust_enthalpy_kj_kg, inlet_enthalpy_kj_kg - isentropic_enthalpy_kj_kg, 1.0
    )


def heat_rate_kj_kwh(heat_input_kw: FloatArray, power_kw: FloatArray) -> FloatArray:
    """Return heat per energy delivered [kJ/kWh]; 3600 over the thermal efficiency. NaN at standstill."""
    return S_PER_H * ratio(heat_input_kw, power_kw, MIN_POWER_KW)


def thermal_efficiency_pct(power_kw: FloatArray, heat_input_kw: FloatArray) -> FloatArray:
    """Return power over heat put in [%]; NaN without fire or steam."""
    return 100.0 * ratio(power_kw, heat_input_kw, MIN_POWER_KW)
