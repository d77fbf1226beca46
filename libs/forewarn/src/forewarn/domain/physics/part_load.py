"""Chillers at part load (AHRI 550/590, DOE-2). Element-wise; NaN where an input is NaN."""

from typing import Final

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import positive, within

#: AHRI 550/590 §5.4: shares of the operating hours at 100, 75, 50 and 25 % load.
_WEIGHTS: Final = (0.01, 0.42, 0.45, 0.12)

#: Below a tenth of the load a centrifugal chiller cycles or bypasses hot gas, and no curve applies.
_LEAST_LOAD_PCT: Final = 10.0
_MOST_LOAD_PCT: Final = 110.0

#: DOE-2 "EIR-f(PLR)" of hermetic centrifugal chillers: 1, PLR, PLR².
_POWER_CURVE: Final = (0.222903, 0.313387, 0.463710)


def iplv_cop(cop_at_100: FloatArray, cop_at_75: FloatArray, cop_at_50: FloatArray, cop_at_25: FloatArray) -> FloatArray:
    """Return the integrated part load value, a weighted mean of COP (or EER) at 100, 75, 50, 25 % load."""
    a, b, c, d = (positive(x) for x in (cop_at_100, cop_at_75, cop_at_50, cop_at_25))
    return _WEIGHTS[0] * a + _WEIGHTS[1] * b + _WEIGHTS[2] * c + _WEIGHTS[3] * d


def iplv_kw_per_ton(
    kw_per_ton_at_100: FloatArray,
    kw_per_ton_at_75: FloatArray,
    kw_per_ton_at_50: FloatArray,
    kw_per_ton_at_25: FloatArray,
) -> FloatArray:
    """Return the integrated part load value [kW/ton], a weighted harmonic mean."""
    a, b, c, d = (positive(x) for x in (kw_per_ton_at_100, kw_per_ton_at_75, kw_per_ton_at_50, kw_per_ton_at_25))
    return 1.0 / (_WEIGHTS[0] / a + _WEIGHTS[1] / b + _WEIGHTS[2] / c + _WEIGHTS[3] / d)


def part_load_power_pct(load_pct: FloatArray) -> FloatArray:
    """Return the power of a centrifugal chiller over that at full load [%], at unchanged temperatures.

    DOE-2 default curve; NaN outside 10 to 110 % load.
    """
    share = within(load_pct, _LEAST_LOAD_PCT, _MOST_LOAD_PCT) / 100.0
    return 100.0 * (_POWER_CURVE[0] + _POWER_CURVE[1] * share + _POWER_CURVE[2] * share**2)


def part_load_kw_per_ton(full_load_kw_per_ton: FloatArray, load_pct: FloatArray) -> FloatArray:
    """Return the specific power at part load [kW/ton], from that at full load by ``part_load_power_pct``."""
    return full_load_kw_per_ton * part_load_power_pct(load_pct) / load_pct


def load_pct(cooling_kw: FloatArray, rated_cooling_kw: FloatArray) -> FloatArray:
    """Return duty over rated duty [%]."""
    return 100.0 * cooling_kw / positive(rated_cooling_kw)


def energy_balance_tolerance_pct(load_pct: FloatArray, full_load_difference_k: FloatArray) -> FloatArray:
    """Return the permissible heat balance error [%]: ``10.5 − 0.07·L + 1500/(ΔT_F·L)``, AHRI 550/590 §5.

    With the chilled water's temperature difference at full load; 5 % at full load and 10 °F.
    """
    difference_f = 1.8 * positive(full_load_difference_k)
    load = within(load_pct, _LEAST_LOAD_PCT, _MOST_LOAD_PCT)
    return 10.5 - 0.07 * load + 1500.0 / (difference_f * load)
