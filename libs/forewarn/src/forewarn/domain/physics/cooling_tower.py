"""Evaporative cooling towers (CTI ATC-105, ASHRAE HVAC Systems ch. 40). Element-wise; NaN where an input is NaN."""

from typing import Final

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import WATER_DENSITY_KG_M3, WATER_HEAT_OF_EVAPORATION_KJ_KG
from forewarn.domain.physics.numerics import not_negative, positive, ratio

#: Share of the heat that leaves by evaporation; the rest warms the air (summer, ASHRAE).
EVAPORATIVE_SHARE: Final = 0.85

#: Below this temperature span the difference is within the sensors' error.
MIN_SPAN_K: Final = 0.5


def tower_range_k(hot_water_c: FloatArray, cold_water_c: FloatArray) -> FloatArray:
    """Return how far the water is cooled [K]."""
    return hot_water_c - cold_water_c


def tower_approach_k(cold_water_c: FloatArray, wet_bulb_c: FloatArray) -> FloatArray:
    """Return cold water above the wet bulb [K]; never negative in an evaporative tower."""
    return cold_water_c - wet_bulb_c


def tower_effectiveness_pct(hot_water_c: FloatArray, cold_water_c: FloatArray, wet_bulb_c: FloatArray) -> FloatArray:
    """Return the range over the largest possible one [%]: ``(T_h − T_c)/(T_h − T_wb)``; NaN without cooling."""
    return 100.0 * ratio(hot_water_c - cold_water_c, hot_water_c - wet_bulb_c, MIN_SPAN_K)


def evaporation_m3_h(heat_rejected_kw: FloatArray) -> FloatArray:
    """Return water lost by evaporation [m³/h]: 85 % of the heat over the heat of evaporation."""
    kg_s = EVAPORATIVE_SHARE * not_negative(heat_rejected_kw) / WATER_HEAT_OF_EVAPORATION_KJ_KG
    return kg_s * 3600.0 / WATER_DENSITY_KG_M3


def cycles_of_concentration(circulating_us_cm: FloatArray, makeup_us_cm: FloatArray) -> FloatArray:
    """Return salinity of circulating over make-up water, from conductivities [µS/cm]."""
    return not_negative(circulating_us_cm) / positive(makeup_us_cm)


def makeup_need_m3_h(evaporation_m3_h: FloatArray, cycles: FloatArray) -> FloatArray:
    """Return the make-up that keeps the basin's level and salinity [m³/h]: ``E·C/(C − 1)``.

    Blow-down carries off the salt that evaporation leaves behind, ``E/(C − 1)``; drift loss is neglected.
    NaN where the water is not concentrated.
    """
    return not_negative(evaporation_m3_h) * cycles / positive(cycles - 1.0)
