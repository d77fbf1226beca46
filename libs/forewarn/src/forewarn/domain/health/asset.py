"""State of one asset's health, fed with rows of ``anomaly.scores`` and read as ``AssetHealth``."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass, Condition
from forewarn.contracts.health import AssetHealth, HealthMetric, RulEstimate
from forewarn.domain.frame import MISSING, Frame
from forewarn.domain.health.growth import Growth, observe
from forewarn.domain.health.index import ANOMALY, Observation, category, concerns, health_index
from forewarn.domain.health.rul import estimate, growth_values
from forewarn.domain.health.trend import TrendState, add_sample, wants_sample
from forewarn.domain.rows import newer_rows, rows_by_asset, to_datetime

#: Failure modes expected within this time name the primary concern and put their advice first.
SOON_DAYS: Final = 30.0

_US_PER_S: Final = 1e6
_UNIMPAIRED: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthState:
    """What is remembered of one asset.

    ``seen_to`` is the event time up to which rows were applied: rows that are not newer were seen
    before or are late. ``latest`` comes from the newest row with the machine running, at ``judged_at``.
    """

    asset_id: str
    asset_class: str
    seen_to: datetime | None = None
    judged_at: datetime | None = None
    latest: Observation | None = None
    flag: bool = False
    culprit: str | None = None
    trend: TrendState = field(default_factory=TrendState)
    growth: Mapping[str, Growth] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameResult:
    """What a frame did: new states of the assets it moved."""

    states: Mapping[str, HealthState]
    applied: int  #: rows that were taken in
    skipped: int  #: rows that were late or seen before


def observe_frame(states: Mapping[str, HealthState], frame: Frame) -> FrameResult:
    """Apply the live rows of an anomaly frame, oldest first, to the assets' states.

    The result does not depend on how rows are cut into frames, and a redelivered frame is a no-op.
    """
    after: dict[str, HealthState] = {}
    applied = 0
    late = frame.arrays["late"]
    for asset_id, rows in rows_by_asset(frame):
        state = states.get(asset_id)
        if state is None or state.asset_class != frame.asset_class.name:
            state = HealthState(asset_id=asset_id, asset_class=frame.asset_class.name)
        live = newer_rows(rows[~late[rows]], frame.arrays["ts"], state.seen_to)
        if live.size:
            applied += int(live.size)
            after[asset_id] = _observe_rows(state, frame, live)
    return FrameResult(states=after, applied=applied, skipped=frame.rows - applied)


def judge(state: HealthState, asset_class: AssetClass) -> AssetHealth | None:
    """The asset's health at its newest judged reading; None before there is one."""
    if state.latest is None or state.judged_at is None:
        return None
    index = health_index(asset_class, state.latest)
    rul = _remaining_life(state, asset_class, state.judged_at, index.metrics)
    concern, advice = _advice(state, asset_class, index.metrics, rul)
    return AssetHealth(
        asset_id=state.asset_id,
        asset_class=state.asset_class,
        ts=state.judged_at,
        health=index.health,
        category=None if index.health is None else category(index.health),
        trend=state.trend.trend,
        trend_per_day=state.trend.per_day,
        metrics=index.metrics,
        anomaly_score=state.latest.anomaly_score,
        anomaly_flag=state.flag,
        culprit=state.culprit,
        deviation=state.latest.deviation,
        rul=rul,
        primary_concern=concern,
        recommendations=advice,
    )


def _observe_rows(state: HealthState, frame: Frame, rows: NDArray[np.intp]) -> HealthState:
    times_us = frame.arrays["ts"]
    state = replace(state, seen_to=to_datetime(int(times_us[rows[-1]])))
    rows = rows[_running(frame, rows)]
    if rows.size == 0:
        return state
    newest = int(rows[-1])
    culprit = frame.strings["culprit"]
    code = int(culprit.codes[newest])
    return replace(
        state,
        judged_at=to_datetime(int(times_us[newest])),
        latest=_observation(frame, newest),
        flag=bool(frame.arrays["flag"][newest]),
        culprit=None if code == MISSING else culprit.categories[code],
        trend=_sample_trend(state.trend, frame, rows),
        growth=_observe_growth(state.growth, frame, rows),
    )


def _running(frame: Frame, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Rows to judge by: a machine at rest neither wears nor recovers, however low its vibration."""
    condition: Condition | None = frame.asset_class.twin.running
    if condition is None:
        return np.ones(rows.shape, dtype=np.bool_)
    values = frame.arrays[condition.column][rows]
    above = -math.inf if condition.above is None else condition.above
    below = math.inf if condition.below is None else condition.below
    return np.asarray((values > above) & (values < below))  # False where NaN


def _observation(frame: Frame, row: int) -> Observation:
    columns = [item.column for item in frame.asset_class.health]
    return Observation(
        values={column: _known(float(frame.arrays[column][row])) for column in columns},
        anomaly_score=_percent(float(frame.arrays["score"][row])),
        deviation=_percent(float(frame.arrays["deviation"][row])),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _percent(value: float) -> float | None:
    """A score as the contract has it: a 32-bit sum can stand a hair outside 0–100."""
    return min(100.0, max(0.0, value)) if math.isfinite(value) else None


def _sample_trend(trend: TrendState, frame: Frame, rows: NDArray[np.intp]) -> TrendState:
    for row in rows.tolist():
        time_s = float(frame.arrays["ts"][row]) / _US_PER_S
        if not wants_sample(trend, time_s):
            continue
        health = health_index(frame.asset_class, _observation(frame, row)).health
        if health is not None:
            trend = add_sample(trend, time_s, health)
    return trend


def _observe_growth(growth: Mapping[str, Growth], frame: Frame, rows: NDArray[np.intp]) -> dict[str, Growth]:
    times_s = frame.arrays["ts"][rows] / _US_PER_S
    after = {}
    for mode in frame.asset_class.failure_modes:
        values = growth_values(mode, np.asarray(frame.arrays[mode.indicator][rows], dtype=np.float64))
        after[mode.id] = observe(growth.get(mode.id, Growth()), times_s, values)
    return after


def _remaining_life(
    state: HealthState, asset_class: AssetClass, at: datetime, metrics: tuple[HealthMetric, ...]
) -> tuple[RulEstimate, ...]:
    """Estimates of the failure modes that are under way, the nearest failure first.

    Prognosis follows diagnosis (ISO 13374): the load of a day makes the indicators of a healthy
    machine rise and fall too, so a mode counts only while the machine is anomalous or the mode's
    indicator has left its good range.
    """
    impaired = {metric.name for metric in metrics if metric.score is not None and metric.score < _UNIMPAIRED}
    estimates = (
        estimate(mode, state.growth[mode.id], at.timestamp(), asset_class=asset_class)
        for mode in asset_class.failure_modes
        if mode.id in state.growth and (state.flag or mode.indicator in impaired)
    )
    return tuple(sorted((item for item in estimates if item is not None), key=lambda item: item.p50_days))


def _advice(
    state: HealthState, asset_class: AssetClass, metrics: tuple[HealthMetric, ...], rul: tuple[RulEstimate, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Primary concern and recommendations: what fails soon first, then the metrics that cost most points."""
    texts: list[tuple[str, str | None]] = []
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    for item in rul:
        if item.p50_days <= SOON_DAYS:
            mode = modes[item.failure_mode]
            texts.append((f"{mode.title} in about {_duration(item.p50_days)}", mode.recommendation))
    inputs = {item.column: item for item in asset_class.health}
    for metric in concerns(metrics):
        concern = metric.message
        if metric.name == ANOMALY and state.culprit is not None:
            concern = f"{concern}; {state.culprit} deviates most"
        advice = inputs[metric.name].recommendation if metric.name in inputs else None
        texts.append((concern, advice))
    if not texts:
        return None, ()
    return texts[0][0], tuple(dict.fromkeys(advice for _, advice in texts if advice is not None))


def _duration(days: float) -> str:
    if days >= 2.0:
        return f"{days:.0f} days"
    return f"{days * 24.0:.0f} hours" if days * 24.0 >= 2.0 else f"{days * 1440.0:.0f} minutes"
