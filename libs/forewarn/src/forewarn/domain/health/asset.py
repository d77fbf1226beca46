"""Health of one asset: state updated by rows of ``anomaly.scores`` (see ``rows``), read as ``AssetHealth``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import format_utc
from forewarn.contracts.health import AssetHealth, ProcessDrift, RulEstimate
from forewarn.domain.anomaly.scale import band_of
from forewarn.domain.health.components import duration, prognosis_of
from forewarn.domain.health.drift import DriftState
from forewarn.domain.health.growth import Growth
from forewarn.domain.health.index import Index, Observation, concerns, health_index, impaired_columns
from forewarn.domain.health.profile import HealthProfile, class_profile, status_of
from forewarn.domain.health.rul import estimate
from forewarn.domain.health.trend import TrendState
from forewarn.domain.time import US_PER_DAY, US_PER_S, to_datetime

#: Failure modes expected within this time name the primary concern and put their advice first.
SOON_DAYS: Final = 30.0

#: Advice about a change that may be the new normal.
RETRAIN_ADVICE: Final = "If this is the new normal, retrain the twin; if not, find out what was changed"

_ANOMALY: Final = "anomaly"

#: Components that can be a concern of their own; those about the future show in the failure modes.
_OF_ITSELF: Final = ("twin", _ANOMALY)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedHealth:
    """Result of rows with the machine running; all but trend and growth belongs to the row at ``at_us``."""

    at_us: int
    latest: Observation
    flag: bool
    culprit: str | None
    trend: TrendState
    growth: Mapping[str, Growth]
    historical: bool = False  # a state stored before there were imports has none
    drift: DriftState | None = None  # nor has one from before drift was detected


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthState:
    """What is remembered of one asset; times are event times in µs since 1970 UTC.

    Rows up to ``seen_us`` were applied; rows that are not newer are repeated or late. ``judged`` is None until the
    machine has been seen running.
    """

    asset_id: str
    asset_class: str
    seen_us: int
    judged: JudgedHealth | None


def judge(state: HealthState, asset_class: AssetClass, profile: HealthProfile | None = None) -> AssetHealth | None:
    """Return the asset's health at its newest judged reading; None before the first.

    Without a profile the asset is judged by its class alone.
    """
    judged = state.judged
    if judged is None:
        return None
    known = class_profile(asset_class) if profile is None else profile
    rul = _remaining_life(judged, asset_class, known)
    prognosis = prognosis_of(rul)
    index = health_index(known, judged.latest, prognosis)
    drift = _process_drift(judged, asset_class, index, rul)
    concern, advice = _advice(judged, asset_class, index, rul)
    score = judged.latest.anomaly_score
    category = status_of(index.health)
    return AssetHealth(
        asset_id=state.asset_id,
        asset_class=state.asset_class,
        ts=to_datetime(judged.at_us),
        health=index.health,
        category=category,
        trend=judged.trend.trend,
        trend_per_day=judged.trend.per_day,
        condition=index.condition,
        component_index=index.component_index,
        limited_by=index.limited_by,
        metrics=index.metrics,
        components=index.components,
        anomaly_score=score,
        anomaly_band=None if score is None else band_of(score),
        anomaly_flag=judged.flag,
        culprit=judged.culprit,
        deviation=judged.latest.deviation,
        rul=rul,
        failure_risk=prognosis.risk,
        primary_concern=concern,
        process_drift=drift,
        recommendations=advice if drift is None else (*advice, RETRAIN_ADVICE),
        historical=judged.historical,
    )


def _remaining_life(judged: JudgedHealth, asset_class: AssetClass, profile: HealthProfile) -> tuple[RulEstimate, ...]:
    """Estimate the failure modes under way, the nearest failure first.

    Prognosis follows diagnosis (ISO 13374): indicators of a healthy machine rise and fall too. A mode counts only while
    its indicator has left its good range, the machine is anomalous and the culprit shows in the indicator, or the
    indicator has come a good part of the way from its healthy level to the limit.
    """
    suspected = impaired_columns(profile, judged.latest.values)
    if judged.flag and judged.culprit is not None:
        suspected |= columns_showing(asset_class, judged.culprit)
    estimates = (
        estimate(
            mode,
            judged.growth[mode.id],
            judged.at_us / US_PER_S,
            asset_class=asset_class,
            suspected=mode.indicator in suspected,
        )
        for mode in asset_class.failure_modes
        if mode.id in judged.growth
    )
    return tuple(sorted((item for item in estimates if item is not None), key=lambda item: item.p50_days))


def _process_drift(
    judged: JudgedHealth, asset_class: AssetClass, index: Index, rul: tuple[RulEstimate, ...]
) -> ProcessDrift | None:
    """Return a settled change of operation; None where a metric or failure mode points to a fault."""
    departure = None if judged.drift is None else judged.drift.departure
    if departure is None or not departure.shifts:
        return None
    if concerns(index.metrics) or any(item.p50_days <= SOON_DAYS for item in rul):
        return None
    if _nears_a_failure(departure.shifts, asset_class):
        return None
    titles = asset_class.titles
    moved = ", ".join(f"{titles[tag]} {shift:+.1f}" for tag, shift in departure.shifts.items())
    since = to_datetime(departure.times_us[0])
    return ProcessDrift(
        since=since,
        tags=tuple(departure.shifts),
        explanation=(
            f"{moved} healthy standard deviations from expected since {format_utc(since)}, steady for "
            f"{duration(departure.lasted_us / US_PER_DAY)}. Several signals moved together and stay; no metric and no "
            "failure mode points to a fault"
        ),
    )


def _nears_a_failure(shifts: Mapping[str, float], asset_class: AssetClass) -> bool:
    """Return whether an indicator moved in its failing direction, however far from its limit."""
    indicators = {mode.indicator for mode in asset_class.failure_modes}
    return any(tag in indicators and asset_class.fails_high(tag) is (shift > 0.0) for tag, shift in shifts.items())


@lru_cache(maxsize=4096)
def columns_showing(asset_class: AssetClass, tag: str) -> frozenset[str]:
    """Return a tag, and the derived quantities computed from it."""
    found = {tag}
    for item in asset_class.derived:  # each after its inputs
        if not found.isdisjoint(item.inputs.values()):
            found.add(item.name)
    return frozenset(found)


def _advice(
    judged: JudgedHealth, asset_class: AssetClass, index: Index, rul: tuple[RulEstimate, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Return primary concern and recommendations: what fails soon first, then the parts that cost most points."""
    texts: list[tuple[str, str | None]] = []
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    for item in rul:
        if item.p50_days <= SOON_DAYS:
            mode = modes[item.failure_mode]
            texts.append((_foretold(mode.title, item.p50_days), mode.recommendation))
    inputs = {item.column: item for item in asset_class.health}
    own = [part for part in index.components if part.name in _OF_ITSELF]
    for part in concerns([*index.metrics, *own]):
        concern = part.message
        culprit = asset_class.titles.get(judged.culprit or "")
        if part.name == _ANOMALY and culprit is not None:
            concern = f"{culprit} deviates most: {concern[0].lower()}{concern[1:]}"
        advice = inputs[part.name].recommendation if part.name in inputs else None
        texts.append((concern, advice))
    if not texts:
        return None, ()
    return texts[0][0], tuple(dict.fromkeys(advice for _, advice in texts if advice is not None))


def _foretold(title: str, days: float) -> str:
    return f"{title} in about {duration(days)}" if days > 0.0 else f"{title}: failure limit reached"
