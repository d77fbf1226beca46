"""State of one asset's health, fed with rows of ``anomaly.scores`` (see ``rows``) and read as ``AssetHealth``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.health import AssetHealth, HealthMetric, RulEstimate
from forewarn.domain.health.growth import Growth
from forewarn.domain.health.index import ANOMALY, Observation, category, concerns, health_index
from forewarn.domain.health.rul import estimate
from forewarn.domain.health.trend import TrendState
from forewarn.domain.rows import to_datetime

#: Failure modes expected within this time name the primary concern and put their advice first.
SOON_DAYS: Final = 30.0

_US_PER_S: Final = 1e6
_UNIMPAIRED: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What rows with the machine running told; all but trend and growth is of the one at ``at_us``."""

    at_us: int
    latest: Observation
    flag: bool
    culprit: str | None
    trend: TrendState
    growth: Mapping[str, Growth]
    historical: bool = False  # a state stored before there were imports has none


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthState:
    """What is remembered of one asset; times are event times in µs since 1970 UTC.

    Rows up to ``seen_us`` were applied: what is not newer was seen before or is late. ``judged`` is
    None while the machine was never seen running.
    """

    asset_id: str
    asset_class: str
    seen_us: int
    judged: Judged | None


def judge(state: HealthState, asset_class: AssetClass) -> AssetHealth | None:
    """The asset's health at its newest judged reading; None before there is one."""
    judged = state.judged
    if judged is None:
        return None
    index = health_index(asset_class, judged.latest)
    rul = _remaining_life(judged, asset_class, index.metrics)
    concern, advice = _advice(judged, asset_class, index.metrics, rul)
    return AssetHealth(
        asset_id=state.asset_id,
        asset_class=state.asset_class,
        ts=to_datetime(judged.at_us),
        health=index.health,
        category=None if index.health is None else category(index.health),
        trend=judged.trend.trend,
        trend_per_day=judged.trend.per_day,
        metrics=index.metrics,
        anomaly_score=judged.latest.anomaly_score,
        anomaly_flag=judged.flag,
        culprit=judged.culprit,
        deviation=judged.latest.deviation,
        rul=rul,
        primary_concern=concern,
        recommendations=advice,
        historical=judged.historical,
    )


def _remaining_life(
    judged: Judged, asset_class: AssetClass, metrics: tuple[HealthMetric, ...]
) -> tuple[RulEstimate, ...]:
    """Estimates of the failure modes that are under way, the nearest failure first.

    Prognosis follows diagnosis (ISO 13374): the load of a day makes the indicators of a healthy
    machine rise and fall too, so a mode counts only while the machine is anomalous or the mode's
    indicator has left its good range.
    """
    impaired = {metric.name for metric in metrics if metric.score is not None and metric.score < _UNIMPAIRED}
    estimates = (
        estimate(mode, judged.growth[mode.id], judged.at_us / _US_PER_S, asset_class=asset_class)
        for mode in asset_class.failure_modes
        if mode.id in judged.growth and (judged.flag or mode.indicator in impaired)
    )
    return tuple(sorted((item for item in estimates if item is not None), key=lambda item: item.p50_days))


def _advice(
    judged: Judged, asset_class: AssetClass, metrics: tuple[HealthMetric, ...], rul: tuple[RulEstimate, ...]
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
        if metric.name == ANOMALY and judged.culprit is not None:
            concern = f"{concern}; {judged.culprit} deviates most"
        advice = inputs[metric.name].recommendation if metric.name in inputs else None
        texts.append((concern, advice))
    if not texts:
        return None, ()
    return texts[0][0], tuple(dict.fromkeys(advice for _, advice in texts if advice is not None))


def _duration(days: float) -> str:
    if days >= 2.0:
        return f"{days:.0f} days"
    return f"{days * 24.0:.0f} hours" if days * 24.0 >= 2.0 else f"{days * 1440.0:.0f} minutes"
