"""Evaluates the physics rules and conditions of a class."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.guard_rules import Condition, PhysicsRule, RuleCondition
from forewarn.domain.frame import FloatArray

BoolArray = NDArray[np.bool_]


def holds(condition: Condition, columns: Mapping[str, FloatArray]) -> BoolArray:
    """Where a condition is known to hold; unknown values hold nothing."""
    values = columns[condition.column]
    true = ~np.isnan(values)
    if condition.above is not None:
        true &= values > condition.above
    if condition.below is not None:
        true &= values < condition.below
    return true


def situation(conditions: Sequence[RuleCondition], columns: Mapping[str, FloatArray]) -> tuple[BoolArray, BoolArray]:
    """Where all of one or more conditions are known to hold, and where that is unknown."""
    true, unknown = _told(conditions[0], columns)
    for condition in conditions[1:]:
        also_true, also_unknown = _told(condition, columns)
        unknown = (unknown & (also_true | also_unknown)) | (true & also_unknown)
        true &= also_true
    return true, unknown


def _told(condition: RuleCondition, columns: Mapping[str, FloatArray]) -> tuple[BoolArray, BoolArray]:
    true, unknown = holds(condition, columns), np.isnan(columns[condition.column])
    if condition.otherwise is not None and unknown.any():
        other_true, other_unknown = _told(condition.otherwise, columns)
        true |= unknown & other_true
        unknown &= other_unknown
    return true, unknown


def measure(rule: PhysicsRule, columns: Mapping[str, FloatArray]) -> FloatArray:
    """What the bounds of a rule are for."""
    return columns[rule.column] if rule.minus is None else columns[rule.column] - columns[rule.minus]


def broken(rule: PhysicsRule, columns: Mapping[str, FloatArray]) -> BoolArray:
    """Where a rule is broken.

    Where it is unknown whether a rule holds, because what its conditions look at is unknown, its widened
    bounds count, or none (``PhysicsRule.if_unknown``).
    """
    values = measure(rule, columns)
    outside = _outside(rule, values, 0.0)
    if not rule.conditions or not outside.any():
        return outside
    true, unknown = situation(rule.conditions, columns)
    if rule.applies_if_unknown and unknown.any():
        return (outside & true) | (unknown & _outside(rule, values, rule.slack_if_unknown))
    return outside & true


def _outside(rule: PhysicsRule, values: FloatArray, slack: float) -> BoolArray:
    outside = np.zeros(values.shape[0], dtype=np.bool_)
    if rule.minimum is not None:
        outside |= values < rule.minimum - slack
    if rule.maximum is not None:
        outside |= values > rule.maximum + slack
    return outside


def unit_of(rule: PhysicsRule, units: Mapping[str, str]) -> str:
    """Unit of the bounds; a difference of temperatures is no temperature."""
    unit = units[rule.column]
    return "K" if rule.minus is not None and unit == "Cel" else unit


def bound_text(rule: PhysicsRule, value: float, unit: str) -> str:
    """Say which bound a value crosses."""
    if rule.minimum is not None and value < rule.minimum:
        return f"must be at least {rule.minimum:g} {unit}".rstrip()
    return f"must be at most {rule.maximum:g} {unit}".rstrip()
