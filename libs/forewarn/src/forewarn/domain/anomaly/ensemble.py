"""Combine p-values of several detectors for the same readings."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray

_LEAST: Final = 1e-300

#: A p-value of 1 would count as minus infinity and outvote all others: truncated as in Fang et al. (2023).
_MOST: Final = 0.99


def combine_p_values(p_values: Sequence[FloatArray]) -> FloatArray:
    """Return Cauchy combinations (Liu & Xie 2020, JASA 115): valid for small p whatever the dependence.

    Each p becomes cot(πp); the mean of Cauchy variables is again Cauchy. Unknown p-values (NaN) do not count; the
    result is NaN where all are unknown. Shapes (rows,).
    """
    total, count = np.zeros(p_values[0].shape), np.zeros(p_values[0].shape)
    for p in p_values:
        known = ~np.isnan(p)
        safe = np.clip(np.where(known, p, 0.5), _LEAST, _MOST)
        total += np.where(known, np.cos(np.pi * safe) / np.sin(np.pi * safe), 0.0)
        count += known
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    combined: FloatArray = np.arctan2(1.0, mean) / np.pi
    return combined
