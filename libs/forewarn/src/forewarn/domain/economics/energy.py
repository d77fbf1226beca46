"""Energy wasted by lost efficiency: power above the twin's expectation × hours × price."""

from typing import Final

import numpy as np

from forewarn.contracts.economics import EnergyWaste
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import S_PER_H

#: A value holds until the next one, at most for this many usual intervals.
MAX_HOLD: Final = 2.0

_H_PER_DAY: Final = 24.0


def energy_waste(
    times_s: FloatArray, measured_kw: FloatArray, expected_kw: FloatArray, price_per_kwh: float
) -> EnergyWaste | None:
    """Return excess energy over a period; None where power was nowhere both measured and expected.

    ``times_s`` rise, at least two; power is NaN where unknown; all of shape (n,). Power below expectation offsets power
    above it: sensor and model noise is no waste.
    """
    known = np.isfinite(measured_kw) & np.isfinite(expected_kw)
    if times_s.size < 2 or not known.any():
        return None
    steps_s = np.diff(times_s)
    usual_s = float(np.median(steps_s))
    hours = np.minimum(np.append(steps_s, usual_s), MAX_HOLD * usual_s)[known] / S_PER_H
    total_h = float(hours.sum())
    if total_h <= 0.0:
        return None
    excess_kwh = float((hours * (measured_kw[known] - expected_kw[known])).sum())
    wasted_kwh = max(0.0, excess_kwh)
    cost = wasted_kwh * price_per_kwh
    span_h = (times_s[-1] - times_s[0] + usual_s) / S_PER_H
    return EnergyWaste(
        hours=total_h,
        mean_excess_kw=excess_kwh / total_h,
        wasted_kwh=wasted_kwh,
        cost=cost,
        cost_per_day=cost * _H_PER_DAY / float(span_h),
    )
