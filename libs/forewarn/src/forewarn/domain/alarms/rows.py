"""Alarms from rows of frames: threshold rules on columns, and the anomaly flag where a frame has it.

Threshold rules judge each reading once, on the frame that brings it first. That is nearly always
``readings.valid``: a limit must not wait until a twin has learned its baseline.
Rules are evaluated over whole columns; the state machine only runs for the (asset, rule) pairs
where a row is over its limit or something is open, so a healthy plant costs next to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.alarms import Alert
from forewarn.contracts.asset_class import AlarmRule
from forewarn.contracts.frames import FrameKind, Hint
from forewarn.domain.alarms.asset import AssetAlarms, observe, withdraw_unknown
from forewarn.domain.alarms.evaluation import Evaluation, Level, levels, limit_for
from forewarn.domain.frame import MISSING, FloatArray, Frame
from forewarn.domain.rows import newer_rows, rows_by_asset, to_datetime

_HINTS: Final = {Hint.ASSET_FAULT: "the machine", Hint.SENSOR_FAULT: "the sensor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsResult:
    """What a frame did: new states of the assets it moved, transitions in event-time order per asset."""

    states: Mapping[str, AssetAlarms]
    alerts: tuple[Alert, ...]
    applied: int  #: rows that were judged
    skipped: int  #: rows that were late or seen before


@dataclass(frozen=True, slots=True)
class _Judged:
    """One rule over all rows of a frame."""

    rule: AlarmRule
    levels: NDArray[np.int8]
    values: FloatArray
    unit: str


def observe_frame(states: Mapping[str, AssetAlarms], frame: Frame) -> RowsResult:
    """Apply the live rows of a frame of kind VALID or ANOMALY, oldest first, to the assets' alarms.

    Rows flagged late, and rows not newer than what was applied to their asset, change nothing: so
    late data never raises an alarm and a redelivered frame is a no-op.
    """
    thresholds, anomalies = _judge(frame)
    times = frame.arrays["ts"]
    late = frame.arrays["late"]
    after: dict[str, AssetAlarms] = {}
    alerts: list[Alert] = []
    applied = 0
    for asset_id, rows in rows_by_asset(frame):
        alarms = states.get(asset_id) or AssetAlarms(asset_id=asset_id)
        on_time = rows[~late[rows]]
        readings = newer_rows(on_time, times, alarms.readings_to)
        scores = newer_rows(on_time, times, alarms.scores_to) if anomalies is not None else on_time[:0]
        if not (readings.size or scores.size):
            continue
        applied += max(int(readings.size), int(scores.size))
        alarms, by_value = _observe_rows(alarms, frame, thresholds, readings)
        alarms, by_score = _observe_rows(alarms, frame, anomalies or [], scores)
        newest = max(int(times[part[-1]]) for part in (readings, scores) if part.size)
        alarms, withdrawn = withdraw_unknown(alarms, frame.asset_class, to_datetime(newest))
        after[asset_id] = replace(
            alarms,
            readings_to=to_datetime(int(times[readings[-1]])) if readings.size else alarms.readings_to,
            scores_to=to_datetime(int(times[scores[-1]])) if scores.size else alarms.scores_to,
        )
        alerts += sorted([*by_value, *by_score, *withdrawn], key=lambda alert: alert.at)
    return RowsResult(states=after, alerts=tuple(alerts), applied=applied, skipped=frame.rows - applied)


def _judge(frame: Frame) -> tuple[list[_Judged], list[_Judged] | None]:
    """Levels of all rows by threshold rules and by anomaly rules; None where the frame has no scores."""
    rules = frame.asset_class.alarms
    thresholds = [_threshold(frame, rule, rule.column) for rule in rules if rule.source == "threshold" and rule.column]
    if frame.kind is not FrameKind.ANOMALY:
        return thresholds, None
    return thresholds, [_anomaly(frame, rule) for rule in rules if rule.source == "anomaly"]


def _threshold(frame: Frame, rule: AlarmRule, column: str) -> _Judged:
    values = np.asarray(frame.arrays[column], dtype=np.float64)
    return _Judged(rule, levels(values, rule), values, frame.asset_class.units[column])


def _anomaly(frame: Frame, rule: AlarmRule) -> _Judged:
    scores = np.asarray(frame.arrays["score"], dtype=np.float64)
    standing = np.where(frame.arrays["flag"], Level.OVER, Level.CLEAR).astype(np.int8)
    standing[~np.isfinite(scores)] = Level.UNKNOWN
    return _Judged(rule, standing, scores, "%")


def _observe_rows(
    alarms: AssetAlarms, frame: Frame, judged: list[_Judged], rows: NDArray[np.intp]
) -> tuple[AssetAlarms, list[Alert]]:
    alerts: list[Alert] = []
    for item in judged:
        if item.rule.id not in alarms.rules and not (item.levels[rows] == Level.OVER).any():
            continue
        for row in rows.tolist():
            evaluation = _evaluation(frame, item, row)
            alarms, raised = observe(alarms, item.rule, evaluation, to_datetime(int(frame.arrays["ts"][row])))
            alerts += raised
    return alarms, alerts


def _evaluation(frame: Frame, item: _Judged, row: int) -> Evaluation:
    level = Level(int(item.levels[row]))
    known = level is not Level.UNKNOWN
    value = float(item.values[row]) if known else None
    is_anomaly = item.rule.source == "anomaly"
    return Evaluation(
        level=level,
        value=value,
        limit=None if is_anomaly else limit_for(item.rule, value),
        unit=item.unit,
        detail=_why(frame, row) if is_anomaly and level is Level.OVER else "",
    )


def _why(frame: Frame, row: int) -> str:
    culprits = frame.strings["culprit"]
    code = int(culprits.codes[row])
    suspect = _HINTS.get(int(frame.arrays["hint"][row]))
    parts = [
        "" if code == MISSING else f"{culprits.categories[code]} deviates most",
        "" if suspect is None else f"{suspect} seems to be at fault",
    ]
    return "; ".join(part for part in parts if part)
