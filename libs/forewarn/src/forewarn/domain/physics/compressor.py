"""Centrifugal compressors near their surge line (API 617, API 670). Element-wise; NaN where an input is NaN."""

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import positive


def surge_margin_pct(flow_m3_h: FloatArray, surge_flow_m3_h: FloatArray) -> FloatArray:
    """Return the distance from the surge line at this head [% of the flow]: ``(Q − Q_surge)/Q``; negative: in surge.

    Controllers keep at least 10 %. NaN without flow.
    """
    return 100.0 * (flow_m3_h - surge_flow_m3_h) / positive(flow_m3_h)


def surge_flow_m3_h(
    head_kj_kg: FloatArray, design_surge_flow_m3_h: FloatArray, design_surge_head_kj_kg: FloatArray
) -> FloatArray:
    """Return the suction flow on the surge line at a head [m³/h], from one known point of the line.

    By the fan laws the line is a parabola through the origin: ``Q_s = Q_d·√(H/H_d)``.
    """
    share = head_kj_kg / positive(design_surge_head_kj_kg)
    return design_surge_flow_m3_h * np.sqrt(np.where(np.asarray(share) >= 0.0, share, np.nan))
