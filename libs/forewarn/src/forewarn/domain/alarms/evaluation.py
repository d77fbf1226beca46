"""How an observation stands against a rule: over its limit, back within the deadband, or clear."""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AlarmRule
from forewarn.domain.frames.frame import FloatArray

#: Scores and indices from 0 to 100 are no percentages of anything.
NO_UNIT: Final = "1"


class Level(IntEnum):
    """Standing of one observation.

    ``WITHIN`` is the deadband: not enough to raise an alarm, not enough to clear one. ``UNKNOWN``
    (no valid value) changes nothing: a failed sensor neither raises nor clears an alarm.
    """

    CLEAR = 0
    WITHIN = 1
    OVER = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One observation judged by one rule."""

    level: Level
    value: float | None
    limit: float | None
    unit: str = ""
    detail: str = ""
    headline: str = ""  #: replaces the rule's message


def levels(values: FloatArray, rule: AlarmRule) -> NDArray[np.int8]:
    """Compare each value with a rule's ``high`` and/or ``low`` limit; non-finite values are unknown.

    A value on the limit is over it; a value exactly a deadband away from it is still within.
    """
    over = np.zeros(values.shape, dtype=np.bool_)
    within = np.zeros(values.shape, dtype=np.bool_)
    if rule.high is not None:
        over |= values >= rule.high
        within |= values >= rule.high - rule.deadband
    if rule.low is not None:
        over |= values <= rule.low
        within |= values <= rule.low + rule.deadband
    out = np.where(over, Level.OVER, np.where(within, Level.WITHIN, Level.CLEAR)).astype(np.int8)
    out[~np.isfinite(values)] = Level.UNKNOWN
    return out


def level_of(value: float | None, rule: AlarmRule) -> Level:
    """Return the level of a single value without the cost of an array; None is unknown."""
    if value is None or not math.isfinite(value):
        return Level.UNKNOWN
    high = math.inf if rule.high is None else rule.high
    low = -math.inf if rule.low is None else rule.low
    if value >= high or value <= low:
        return Level.OVER
    return Level.WITHIN if value >= high - rule.deadband or value <= low + rule.deadband else Level.CLEAR


def evaluate_value(value: float | None, rule: AlarmRule, unit: str, detail: str = "") -> Evaluation:
    """Judge a single value by the rule's limits; None is unknown."""
    return Evaluation(level=level_of(value, rule), value=value, limit=limit_for(rule, value), unit=unit, detail=detail)


def limit_for(rule: AlarmRule, value: float | None) -> float | None:
    """Return the limit that the value crossed, otherwise the nearer one."""
    if rule.high is None or rule.low is None or value is None:
        return rule.high if rule.high is not None else rule.low
    return rule.high if abs(value - rule.high) <= abs(value - rule.low) else rule.low


def worst(rule: AlarmRule, limit: float | None, first: float | None, second: float | None) -> float | None:
    """Return the worse of two values: the lower one for a low limit, otherwise the higher one."""
    if first is None or second is None:
        return second if first is None else first
    return min(first, second) if limit is not None and limit == rule.low else max(first, second)


def worst_of(rule: AlarmRule, limit: float | None, values: FloatArray) -> float:
    """Return the worst of at least one known value, in the same way as ``worst``."""
    return float(values.min() if limit is not None and limit == rule.low else values.max())
