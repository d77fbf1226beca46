"""Alarms from rows of frames: threshold rules on columns, and the anomaly flag where a frame has it.

Threshold rules judge each reading once, on the frame that brings it first. That is nearly always ``readings.valid``: a
limit must not wait until a twin has learned its baseline. Rules are evaluated over whole columns. The state machine
runs only for assets with a row over a limit, an open alarm or a running delay, so a healthy plant costs next to
nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.alarms import Alert
from forewarn.contracts.frames import FrameKind
from forewarn.domain.alarms.asset import AssetAlarms, with_rule, withdraw_unknown
from forewarn.domain.alarms.course import RuleLevels, anomaly, follow, threshold
from forewarn.domain.alarms.evaluation import Level
from forewarn.domain.alarms.lifecycle import NORMAL
from forewarn.domain.alarms.seen import Seen, Watermarks
from forewarn.domain.frames.arrivals import Arrivals, live_rows, newer_rows
from forewarn.domain.frames.frame import Frame
from forewarn.domain.time import to_datetime

#: Rows of one asset, with the rules they are new to.
_OwnRows = tuple[Sequence[RuleLevels], NDArray[np.intp]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsResult:
    """Outcome of a frame: new states of the affected assets, transitions in event-time order per asset."""

    states: Mapping[str, AssetAlarms]
    alerts: tuple[Alert, ...]
    applied: int  #: rows that were judged
    skipped: int  #: rows that were late or seen before


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Rules over all rows of a frame, and the rows they are new to."""

    courses: Sequence[RuleLevels]
    new: Arrivals

    def over(self) -> tuple[str, ...]:
        """Return the assets that have a row over a limit."""
        any_over = np.zeros(self.new.rows.shape, dtype=np.bool_)
        for course in self.courses:
            any_over |= course.levels[self.new.rows] == Level.OVER
        return self.new.keep(any_over).names if any_over.any() else ()


def portions(frame: Frame, most_rows: int) -> Iterator[Frame]:
    """Cut a frame into parts with at most ``most_rows`` rows per asset, each asset's rows in order.

    An asset's alarms depend neither on the cuts nor on the rows of others.
    """
    codes = frame.assets.codes
    if not codes.size or np.bincount(codes + 1).max() <= most_rows:
        yield frame
        return
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=codes[order][0] - 1))
    rank = np.empty(codes.size, dtype=np.intp)
    rank[order] = np.arange(codes.size) - np.repeat(begins, np.diff(begins, append=codes.size))
    part = rank // most_rows
    for number in range(int(part.max()) + 1):
        yield frame.take(part == number)


def observe_frame(states: Mapping[str, AssetAlarms], seen: Seen, frame: Frame) -> RowsResult:
    """Apply the live rows of a VALID or ANOMALY frame to the assets' alarms, in order of arrival; advance ``seen``.

    Late and imported rows, and rows not newer than the asset's watermark, change nothing: history never raises or
    clears an alarm, and a redelivered frame is a no-op.
    """
    judged = _judge(frame, seen)
    stirred = _stirred(states, judged)
    rows_of: dict[str, list[_OwnRows]] = defaultdict(list)
    applied = np.zeros(frame.rows, dtype=np.bool_)
    for part in judged:
        applied[part.new.rows] = True
        for asset_id, rows in part.new.of(stirred):
            rows_of[asset_id].append((part.courses, rows))
    after: dict[str, AssetAlarms] = {}
    alerts: list[Alert] = []
    for asset_id, own in rows_of.items():
        alarms, raised = _observe(states.get(asset_id) or AssetAlarms(asset_id=asset_id), frame, own)
        readings_to, scores_to = seen.readings.moment(asset_id), seen.scores.moment(asset_id)
        after[asset_id] = replace(alarms, readings_to=readings_to, scores_to=scores_to)
        alerts += raised
    count = int(applied.sum())
    return RowsResult(states=after, alerts=tuple(alerts), applied=count, skipped=frame.rows - count)


def _stirred(states: Mapping[str, AssetAlarms], judged: Sequence[_Judged]) -> set[str]:
    """Return the assets with a row over a limit, an open alarm or a running delay."""
    stirred = {name for part in judged for name in part.new.names if name in states and states[name].rules}
    return stirred.union(*(part.over() for part in judged))


def _observe(alarms: AssetAlarms, frame: Frame, own: Sequence[_OwnRows]) -> tuple[AssetAlarms, list[Alert]]:
    """Run an asset's rows through the state machine of each rule."""
    alerts: list[Alert] = []
    for courses, rows in own:
        for course in courses:
            before = alarms.rules.get(course.rule.id, NORMAL)
            after, raised = follow(before, course, alarms.asset_id, rows)
            alerts += raised
            if after is not before:
                alarms = with_rule(alarms, course.rule.id, after)
    newest_us = max(int(frame.arrays["ts"][rows[-1]]) for _, rows in own)
    alarms, withdrawn = withdraw_unknown(alarms, frame.asset_class, to_datetime(newest_us))
    return alarms, sorted([*alerts, *withdrawn], key=lambda alert: alert.at)


def _judge(frame: Frame, seen: Seen) -> list[_Judged]:
    """Judge all rows by threshold rules and, where the frame has scores, by anomaly rules."""
    found = live_rows(frame)
    rules = frame.asset_class.alarms
    thresholds = [threshold(frame, rule, rule.column) for rule in rules if rule.source == "threshold" and rule.column]
    judged = [_Judged(thresholds, _take(frame, found, seen.readings))]
    if frame.kind is FrameKind.ANOMALY:
        anomalies = [anomaly(frame, rule) for rule in rules if rule.source == "anomaly"]
        judged.append(_Judged(anomalies, _take(frame, found, seen.scores)))
    return judged


def _take(frame: Frame, found: Arrivals, watermarks: Watermarks) -> Arrivals:
    """Return the new rows and mark them as seen."""
    times_us = frame.arrays["ts"]
    new = newer_rows(found, times_us, watermarks.of(found.names))
    watermarks.advance(new.names, times_us[new.newest])
    return new
