"""Heat exchangers: duty, mean temperature difference, fouling (Kern, TEMA).

Element-wise; NaN where an input is NaN.
"""

from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import log, log_mean, positive, ratio

#: Below this duty the temperature differences are within the sensors' error.
MIN_DUTY_KW: Final = 1.0


def heat_capacity_flow_kw_k(mass_flow_kg_s: FloatArray, heat_capacity_kj_kg_k: FloatArray) -> FloatArray:
    """Return the heat a stream carries per kelvin [kW/K]: ``C = m·c_p``."""
    return mass_flow_kg_s * heat_capacity_kj_kg_k


def stream_duty_kw(
    mass_flow_kg_s: FloatArray, heat_capacity_kj_kg_k: FloatArray, warm_c: FloatArray, cold_c: FloatArray
) -> FloatArray:
    """Return the heat a stream gives or takes between two temperatures [kW]: ``Q = m·c_p·(T_w − T_c)``."""
    return mass_flow_kg_s * heat_capacity_kj_kg_k * (warm_c - cold_c)


def log_mean_difference_k(one_end_k: FloatArray, other_end_k: FloatArray) -> FloatArray:
    """Return the logarithmic mean of the temperature differences at both ends [K].

    The difference itself where both are equal; NaN where one is not positive: heat does not flow uphill (second law),
    so the data are wrong.
    """
    return log_mean(one_end_k, other_end_k)


def lmtd_counterflow_k(
    hot_inlet_c: FloatArray, hot_outlet_c: FloatArray, cold_inlet_c: FloatArray, cold_outlet_c: FloatArray
) -> FloatArray:
    """Return the logarithmic mean temperature difference in counterflow [K]."""
    return log_mean(hot_inlet_c - cold_outlet_c, hot_outlet_c - cold_inlet_c)


def lmtd_parallel_k(
    hot_inlet_c: FloatArray, hot_outlet_c: FloatArray, cold_inlet_c: FloatArray, cold_outlet_c: FloatArray
) -> FloatArray:
    """Return the logarithmic mean temperature difference in parallel flow [K]; at most that in counterflow."""
    return log_mean(hot_inlet_c - cold_inlet_c, hot_outlet_c - cold_outlet_c)


def least_difference_k(
    hot_inlet_c: FloatArray, hot_outlet_c: FloatArray, cold_inlet_c: FloatArray, cold_outlet_c: FloatArray
) -> FloatArray:
    """Return the smaller terminal temperature difference in counterflow [K]; below zero breaks the second law."""
    return np.minimum(hot_inlet_c - cold_outlet_c, hot_outlet_c - cold_inlet_c)


def correction_factor(
    hot_inlet_c: FloatArray, hot_outlet_c: FloatArray, cold_inlet_c: FloatArray, cold_outlet_c: FloatArray
) -> FloatArray:
    """Return the correction of the counterflow LMTD for one shell pass and 2, 4, … tube passes.

    Bowman, Mueller and Nagle, Trans. ASME 62 (1940) 283. At most 1; NaN where no such exchanger, however large, can
    reach these temperatures.
    """
    effect = ratio(cold_outlet_c - cold_inlet_c, hot_inlet_c - cold_inlet_c)
    slope = ratio(hot_inlet_c - hot_outlet_c, cold_outlet_c - cold_inlet_c)
    root = np.sqrt(np.square(slope) + 1.0)
    below = log(positive(2.0 - effect * (slope + 1.0 - root)) / positive(2.0 - effect * (slope + 1.0 + root)))
    # (1/(R−1))·ln((1−P)/(1−P·R)) is P/(1−P) in the limit R = 1, and 1/(logarithmic mean) of both terms always
    above = effect / log_mean(1.0 - effect * slope, 1.0 - effect)
    return root * above / positive(below)


def corrected_difference_k(lmtd_k: FloatArray, correction_factor: FloatArray) -> FloatArray:
    """Return the mean temperature difference of an exchanger not in pure counterflow [K]: ``F·LMTD``."""
    return lmtd_k * correction_factor


def conductance_kw_k(duty_kw: FloatArray, mean_difference_k: FloatArray) -> FloatArray:
    """Return heat transfer per kelvin [kW/K]: ``U·A = Q/ΔT_m``; NaN without a significant duty."""
    return np.where(np.asarray(duty_kw) >= MIN_DUTY_KW, duty_kw, np.nan) / positive(mean_difference_k)


def fouling_resistance_m2_k_w(coefficient_w_m2_k: FloatArray, clean_coefficient_w_m2_k: FloatArray) -> FloatArray:
    """Return resistance of the deposits [m²·K/W]: ``R_f = 1/U − 1/U_clean``; negative: cleaner than the reference."""
    return 1.0 / positive(coefficient_w_m2_k) - 1.0 / positive(clean_coefficient_w_m2_k)


def cleanliness_pct(conductance_kw_k: FloatArray, clean_conductance_kw_k: FloatArray) -> FloatArray:
    """Return conductance over that of the clean exchanger [%]."""
    return 100.0 * conductance_kw_k / positive(clean_conductance_kw_k)


def duty_imbalance_pct(hot_duty_kw: FloatArray, cold_duty_kw: FloatArray) -> FloatArray:
    """Return the unexplained part of both streams' heat balance [% of the hot duty]: ``(Q_h − Q_c)/Q_h``."""
    return 100.0 * ratio(hot_duty_kw - cold_duty_kw, hot_duty_kw, MIN_DUTY_KW)
