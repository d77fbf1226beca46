"""Conditions on columns, among them the running condition."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.guard_rules import Condition
from forewarn.domain.frames.frame import Array, FloatArray


def within(values: FloatArray, condition: Condition) -> NDArray[np.bool_]:
    """Return where values lie within a condition's bounds; False where unknown."""
    low, high = condition.above, condition.below
    if high is None:
        return values > (-np.inf if low is None else low)
    return values < high if low is None else (values > low) & (values < high)


def is_running(
    condition: Condition | None, columns: Mapping[str, Array], rows: NDArray[np.intp] | slice = slice(None)
) -> NDArray[np.bool_]:
    """Return the rows in which a machine runs by its class's condition; without one it always does.

    A machine at rest says nothing about its wear and is not judged.
    """
    if condition is None:
        return np.ones(columns["ts"][rows].shape, dtype=np.bool_)
    return within(columns[condition.column][rows], condition)
