"""Follow one rule over the rows of a frame, looking only at the few that can change an alarm."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.alarms import Alert
from forewarn.contracts.asset_class import AlarmRule
from forewarn.contracts.frames import Hint, expected_column
from forewarn.domain.alarms.evaluation import NO_UNIT, Evaluation, Level, levels, limit_for, worst_of
from forewarn.domain.alarms.lifecycle import RuleState, delay_ends, step
from forewarn.domain.frames.frame import MISSING, FloatArray, Frame
from forewarn.domain.physics.unit_symbols import quantity, unit_of_difference
from forewarn.domain.time import to_datetime, to_microseconds

_HINTS: Final = {Hint.ASSET_FAULT: "the machine", Hint.SENSOR_FAULT: "the sensor"}


@dataclass(frozen=True, slots=True, eq=False)
class RuleLevels:
    """How each row of a frame stands against a rule."""

    frame: Frame
    rule: AlarmRule
    levels: NDArray[np.int8]
    values: FloatArray
    unit: str


def threshold(frame: Frame, rule: AlarmRule, column: str) -> RuleLevels:
    """Judge a column by a rule's limits."""
    values = np.asarray(frame.arrays[column], dtype=np.float64)
    return RuleLevels(frame, rule, levels(values, rule), values, frame.asset_class.units[column])


def anomaly(frame: Frame, rule: AlarmRule) -> RuleLevels:
    """Judge by the persistent anomaly flag; a row without score is unknown."""
    scores = np.asarray(frame.arrays["score"], dtype=np.float64)
    standing = np.where(frame.arrays["flag"], Level.OVER, Level.CLEAR).astype(np.int8)
    standing[~np.isfinite(scores)] = Level.UNKNOWN
    return RuleLevels(frame, rule, standing, scores, NO_UNIT)


def follow(
    state: RuleState, course: RuleLevels, asset_id: str, rows: NDArray[np.intp]
) -> tuple[RuleState, tuple[Alert, ...]]:
    """Apply an asset's rows, event times rising, with the result of one ``step`` per row."""
    known = rows[course.levels[rows] != Level.UNKNOWN]
    alerts: tuple[Alert, ...] = ()
    for run in np.split(known, np.flatnonzero(np.diff(course.levels[known])) + 1):
        if run.size:
            state, raised = _follow_run(state, course, asset_id, run)
            alerts += raised
    return state, alerts


def _follow_run(
    state: RuleState, course: RuleLevels, asset_id: str, run: NDArray[np.intp]
) -> tuple[RuleState, tuple[Alert, ...]]:
    """Apply rows of one level.

    The first row may start a delay and the one that ends it may change the alarm. Of the others only the worst value
    and the newest time matter, and only to an active alarm.
    """
    times_us = course.frame.arrays["ts"]
    state, alerts = _step(state, course, asset_id, run[:1])
    rest = run[1:]
    due = delay_ends(state, course.rule)
    if due is not None:
        position = int(np.searchsorted(times_us[rest], to_microseconds(due)))
        decisive, rest = rest[position : position + 1], rest[position + 1 :]
        state, changed = _step(state, course, asset_id, decisive)
        alerts += changed
    if state.alarm is not None and state.alarm.active and course.levels[run[0]] != Level.CLEAR:
        state, _ = _step(state, course, asset_id, rest)
    return state, alerts


def _step(
    state: RuleState, course: RuleLevels, asset_id: str, rows: NDArray[np.intp]
) -> tuple[RuleState, tuple[Alert, ...]]:
    """Apply rows of one level as one observation: the worst value at the newest time."""
    if rows.size == 0:
        return state, ()
    newest = int(rows[-1])
    limit = None if state.alarm is None else state.alarm.limit
    value = worst_of(course.rule, limit, course.values[rows])
    is_anomaly = course.rule.source == "anomaly"
    evaluation = Evaluation(
        level=Level(int(course.levels[newest])),
        value=value,
        limit=None if is_anomaly else limit_for(course.rule, value),
        unit=course.unit,
        headline=_headline(course.frame, newest) if is_anomaly and course.levels[newest] == Level.OVER else "",
    )
    return step(state, evaluation, asset_id, course.rule, to_datetime(int(course.frame.arrays["ts"][newest])))


def _headline(frame: Frame, row: int) -> str:
    """Return which signal deviates, how far, which way and why; empty if none stands out."""
    culprits, asset_class = frame.strings["culprit"], frame.asset_class
    code = int(culprits.codes[row])
    name = "" if code == MISSING else culprits.categories[code]
    title, suspect = asset_class.titles.get(name), _HINTS.get(int(frame.arrays["hint"][row]))
    if title is None:
        return ""
    text = f"{title} deviates most"
    values = [frame.arrays.get(column) for column in (name, expected_column(name))]
    measured, expected = (math.nan if value is None else float(value[row]) for value in values)
    if math.isfinite(measured) and math.isfinite(expected) and measured != expected:
        unit, way = asset_class.units[name], "above" if measured > expected else "below"
        distance = quantity(abs(measured - expected), unit_of_difference(unit), digits=2)
        text = f"{title} {quantity(measured, unit)}, {distance} {way} expected"
    return text if suspect is None else f"{text}; probably {suspect}"
