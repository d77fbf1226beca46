"""Ratios of powers. All functions are element-wise; NaN where an input is NaN."""

from typing import Final

import numpy as np

from forewarn.domain.frame import FloatArray

#: Below this input a ratio only shows the power meter's zero error: the machine stands still.
MIN_INPUT_KW: Final = 0.1


def efficiency_pct(useful_kw: FloatArray, input_kw: FloatArray) -> FloatArray:
    """Useful share of the power taken in [%]; NaN while the machine takes none."""
    return 100.0 * ratio(useful_kw, input_kw, MIN_INPUT_KW)


def ratio(above: FloatArray, below: FloatArray, least: float) -> FloatArray:
    """``above/below``; NaN where ``below`` is less than ``least``."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    out = np.full(below.shape, np.nan)
    np.divide(above, below, out=out, where=below >= least)
    return out
