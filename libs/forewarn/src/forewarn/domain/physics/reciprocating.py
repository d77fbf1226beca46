"""Reciprocating compressors, one stage (API 618, GPSA Engineering Data Book §13).

Element-wise; NaN where an input is NaN.
"""

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import not_negative, positive, power, ratio

_MM2_BAR_PER_KN = 1e4  #: 1 bar on 1 mm² is 0.1 N


def volumetric_efficiency_pct(
    pressure_ratio: FloatArray, exponent: FloatArray, clearance_pct: FloatArray
) -> FloatArray:
    """Return the ideal share of the swept volume that is drawn in [%]: ``1 − c·(r^(1/kappa) − 1)``.

    The gas left in the clearance expands first. 0 where it fills the whole stroke; NaN for r < 1.
    """
    at_least_one = np.where(np.asarray(pressure_ratio) >= 1.0, pressure_ratio, np.nan)
    expanded = not_negative(clearance_pct) / 100.0 * (power(at_least_one, 1.0 / positive(exponent)) - 1.0)
    return 100.0 * np.maximum(1.0 - expanded, 0.0)


def swept_flow_m3_h(
    bore_mm: FloatArray, rod_diameter_mm: FloatArray, stroke_mm: FloatArray, speed_rpm: FloatArray
) -> FloatArray:
    """Return the swept volume of a double-acting cylinder [m³/h]; the rod reduces the crank end."""
    area_mm2 = 2.0 * _disc_mm2(bore_mm) - _disc_mm2(rod_diameter_mm)
    return area_mm2 * stroke_mm * 1e-9 * speed_rpm * 60.0


def measured_volumetric_efficiency_pct(flow_m3_h: FloatArray, swept_flow_m3_h: FloatArray) -> FloatArray:
    """Return suction flow over swept volume [%]; NaN at standstill. Leaking valves and rings lower it."""
    return 100.0 * ratio(flow_m3_h, swept_flow_m3_h, 1.0)


def rod_load_compression_kn(
    suction_pressure_bar: FloatArray,
    discharge_pressure_bar: FloatArray,
    bore_mm: FloatArray,
    rod_diameter_mm: FloatArray,
) -> FloatArray:
    """Return the largest gas load that compresses the rod [kN]: head end at discharge, crank end at suction pressure.

    With gauge pressures the atmosphere on the rod's outer end cancels exactly. Inertia is not included.
    """
    crank_end_mm2 = _disc_mm2(bore_mm) - _disc_mm2(rod_diameter_mm)
    load = discharge_pressure_bar * _disc_mm2(bore_mm) - suction_pressure_bar * crank_end_mm2
    return load / _MM2_BAR_PER_KN


def rod_load_tension_kn(
    suction_pressure_bar: FloatArray,
    discharge_pressure_bar: FloatArray,
    bore_mm: FloatArray,
    rod_diameter_mm: FloatArray,
) -> FloatArray:
    """Return the largest gas load that pulls the rod [kN]: crank end at discharge, head end at suction pressure.

    Negative: the rod is never pulled, so the crosshead pin is not relieved and not lubricated.
    """
    crank_end_mm2 = _disc_mm2(bore_mm) - _disc_mm2(rod_diameter_mm)
    load = discharge_pressure_bar * crank_end_mm2 - suction_pressure_bar * _disc_mm2(bore_mm)
    return load / _MM2_BAR_PER_KN


def stage_pressure_ratio(total_pressure_ratio: FloatArray, stage_count: FloatArray) -> FloatArray:
    """Return the pressure ratio of each stage for least work with perfect intercooling: a root of the overall ratio."""
    return power(total_pressure_ratio, 1.0 / positive(stage_count))


def _disc_mm2(diameter_mm: FloatArray) -> FloatArray:
    return np.pi / 4.0 * np.square(not_negative(diameter_mm))
