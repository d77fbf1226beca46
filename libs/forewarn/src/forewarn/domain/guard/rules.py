"""Evaluates the physics rules and conditions of a class."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import Condition, PhysicsRule
from forewarn.domain.frame import FloatArray


def holds(condition: Condition, columns: Mapping[str, FloatArray]) -> NDArray[np.bool_]:
    """Where a condition is known to hold; unknown values hold nothing."""
    values = columns[condition.column]
    true = ~np.isnan(values)
    if condition.above is not None:
        true &= values > condition.above
    if condition.below is not None:
        true &= values < condition.below
    return true


def broken(rule: PhysicsRule, columns: Mapping[str, FloatArray]) -> NDArray[np.bool_]:
    """Where a rule is known to be broken."""
    values = columns[rule.column]
    outside = np.zeros(values.shape[0], dtype=np.bool_)
    if rule.minimum is not None:
        outside |= values < rule.minimum
    if rule.maximum is not None:
        outside |= values > rule.maximum
    if rule.when is not None and outside.any():
        outside &= holds(rule.when, columns)
    return outside


def bound_text(rule: PhysicsRule, value: float, unit: str) -> str:
    """Say which bound a value crosses."""
    if rule.minimum is not None and value < rule.minimum:
        return f"must be at least {rule.minimum:g} {unit}".rstrip()
    return f"must be at most {rule.maximum:g} {unit}".rstrip()
