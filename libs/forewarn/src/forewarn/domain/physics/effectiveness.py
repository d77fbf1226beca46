"""Effectiveness and transfer units of heat exchangers (Kays and London). Element-wise; NaN where an input is NaN.

``capacity_ratio`` is ``C_min/C_max``, 0 for a stream that boils or condenses to 1 for equal streams.
"""

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import not_negative, positive, ratio, within

_NEARLY_ONE = 1e-9  #: nearer to C_r = 1 the general formulae lose their digits


def capacity_ratio(hot_capacity_kw_k: FloatArray, cold_capacity_kw_k: FloatArray) -> FloatArray:
    """Return the smaller over the larger heat capacity flow."""
    hot, cold = positive(hot_capacity_kw_k), positive(cold_capacity_kw_k)
    return np.minimum(hot, cold) / np.maximum(hot, cold)


def effectiveness(
    duty_kw: FloatArray,
    hot_capacity_kw_k: FloatArray,
    cold_capacity_kw_k: FloatArray,
    hot_inlet_c: FloatArray,
    cold_inlet_c: FloatArray,
) -> FloatArray:
    """Return duty over the largest possible one: ``Q/(C_min·(T_h,in − T_c,in))``; above 1 breaks the second law."""
    least = np.minimum(positive(hot_capacity_kw_k), positive(cold_capacity_kw_k))
    return ratio(duty_kw, least * (hot_inlet_c - cold_inlet_c))


def transfer_units(
    conductance_kw_k: FloatArray, hot_capacity_kw_k: FloatArray, cold_capacity_kw_k: FloatArray
) -> FloatArray:
    """Return the number of transfer units: ``NTU = U·A/C_min``."""
    return conductance_kw_k / np.minimum(positive(hot_capacity_kw_k), positive(cold_capacity_kw_k))


def effectiveness_counterflow(ntu: FloatArray, capacity_ratio: FloatArray) -> FloatArray:
    """Return effectiveness in counterflow; ``NTU/(1 + NTU)`` at C_r = 1 and ``1 − e^−NTU`` at C_r = 0."""
    ntu, share = not_negative(ntu), within(capacity_ratio, 0.0, 1.0)
    equal = share > 1.0 - _NEARLY_ONE
    lost = -np.expm1(-ntu * (1.0 - share))  # 1 − e^(−NTU·(1 − C_r)) without cancellation
    return np.where(equal, ntu / (1.0 + ntu), lost / np.where(equal, 1.0, 1.0 - share * (1.0 - lost)))


def effectiveness_parallel(ntu: FloatArray, capacity_ratio: FloatArray) -> FloatArray:
    """Return effectiveness in parallel flow: ``(1 − e^(−NTU·(1 + C_r)))/(1 + C_r)``, at most ``1/(1 + C_r)``."""
    ntu, share = not_negative(ntu), within(capacity_ratio, 0.0, 1.0)
    return -np.expm1(-ntu * (1.0 + share)) / (1.0 + share)


def transfer_units_counterflow(effectiveness: FloatArray, capacity_ratio: FloatArray) -> FloatArray:
    """Return the NTU of an effectiveness in counterflow, the inverse of ``effectiveness_counterflow``.

    NaN outside 0 ≤ ε < 1: no exchanger is large enough.
    """
    share = within(capacity_ratio, 0.0, 1.0)
    effect = np.where((np.asarray(effectiveness) >= 0.0) & (np.asarray(effectiveness) < 1.0), effectiveness, np.nan)
    equal = share > 1.0 - _NEARLY_ONE
    gap = np.where(equal, 1.0, 1.0 - share)
    return np.where(equal, effect / (1.0 - effect), np.log1p(effect * gap / (1.0 - effect)) / gap)
