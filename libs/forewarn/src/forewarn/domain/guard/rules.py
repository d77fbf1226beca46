"""Evaluates the physics rules and conditions of a class."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.guard_rules import PhysicsRule, RuleCondition
from forewarn.domain.frames.conditions import within
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import rounding
from forewarn.domain.physics.unit_symbols import quantity, unit_of_difference

BoolArray = NDArray[np.bool_]


def certain(conditions: Sequence[RuleCondition], columns: Mapping[str, FloatArray]) -> BoolArray:
    """Return where all of one or more conditions are known to hold."""
    true = _true(conditions[0], columns)
    for condition in conditions[1:]:
        true = true & _true(condition, columns)
    return true


def uncertain(conditions: Sequence[RuleCondition], columns: Mapping[str, FloatArray]) -> BoolArray:
    """Return where it is unknown whether all conditions hold: some are unknown, and none is known to fail."""
    some = _unknown(conditions[0], columns)
    if len(conditions) == 1:
        return some
    none_fails = np.ones(some.shape, dtype=np.bool_)
    for condition in conditions:
        unknown = _unknown(condition, columns)
        some = some | unknown
        none_fails &= unknown | _true(condition, columns)
    return some & none_fails


def _true(condition: RuleCondition, columns: Mapping[str, FloatArray]) -> BoolArray:
    values = measure(condition, columns)
    true = within(values, condition)
    if condition.otherwise is not None:
        unknown = np.isnan(values)
        if unknown.any():
            return true | (unknown & _true(condition.otherwise, columns))
    return true


def _unknown(condition: RuleCondition, columns: Mapping[str, FloatArray]) -> BoolArray:
    unknown = np.isnan(measure(condition, columns))
    if condition.otherwise is not None and unknown.any():
        return unknown & _unknown(condition.otherwise, columns)
    return unknown


def measure(rule: PhysicsRule | RuleCondition, columns: Mapping[str, FloatArray]) -> FloatArray:
    """Compute what the bounds of a rule or condition apply to."""
    return columns[rule.column] if rule.minus is None else columns[rule.column] - columns[rule.minus]


def broken(rule: PhysicsRule, columns: Mapping[str, FloatArray]) -> BoolArray:
    """Return where a rule is broken.

    Where its conditions depend on unknown values, its widened bounds apply, or none (``PhysicsRule.if_unknown``).
    """
    values = measure(rule, columns)
    outside = _outside(rule, values, 0.0)
    if not rule.conditions or not outside.any():
        return outside
    surely = outside & certain(rule.conditions, columns)
    if not rule.applies_if_unknown:
        return surely
    unknown = uncertain(rule.conditions, columns)
    return surely | (unknown & _outside(rule, values, rule.slack_if_unknown)) if unknown.any() else surely


def _outside(rule: PhysicsRule, values: FloatArray, slack: float) -> BoolArray:
    """Return where values exceed a bound by more than rounding error."""
    if rule.maximum is None:
        return values < (-np.inf if rule.minimum is None else rule.minimum - slack - rounding(rule.minimum))
    above = values > rule.maximum + slack + rounding(rule.maximum)
    return above if rule.minimum is None else above | (values < rule.minimum - slack - rounding(rule.minimum))


def unit_of(rule: PhysicsRule | RuleCondition, units: Mapping[str, str]) -> str:
    """Return the unit of the bounds."""
    unit = units[rule.column]
    return unit if rule.minus is None else unit_of_difference(unit)


def bound_text(rule: PhysicsRule, value: float, unit: str) -> str:
    """Return the bound that a value crosses."""
    if rule.minimum is not None and value < rule.minimum:
        return f"must be at least {quantity(rule.minimum, unit)}"
    return "" if rule.maximum is None else f"must be at most {quantity(rule.maximum, unit)}"
