"""The health index: the lower of two views of a machine.

*Condition* is the weighted mean of the class's metrics, capped by the worst one: the machine by agreed engineering
limits. The *component index* is the weighted mean of twin, anomaly, remaining life and risk: the machine compared with
itself, and its future. A machine that was bad when its twin learned is like itself; one whose values are still in their
bands may be about to fail. Neither view may hide the other (ADR 0014). Unknown parts pass their weight to the known
ones, and say so.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forewarn.contracts.health import HealthComponent, HealthMetric, HealthView
from forewarn.domain.health.components import NO_PROGNOSIS, Prognosis, components_of, present_components
from forewarn.domain.health.profile import AssetMetric, HealthProfile, status_of

#: The condition is at most this, one band, above a metric with a weight of at least ``CAP_FROM_WEIGHT``: good metrics
#: cannot hide a dangerous one.
CAP_ABOVE_WORST: Final = 20.0
CAP_FROM_WEIGHT: Final = 0.1

#: Below it a metric or component is a concern and its recommendation is shown.
CONCERN_BELOW: Final = 70.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One reading's contribution to health; None is unknown. ``values`` has the columns of the class's metrics."""

    values: Mapping[str, float | None]
    anomaly_score: float | None = None
    deviation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The health index with both breakdowns; a number is None while unknown."""

    health: float | None
    condition: float | None
    component_index: float | None
    limited_by: HealthView | None
    metrics: tuple[HealthMetric, ...]
    components: tuple[HealthComponent, ...]


@dataclass(frozen=True, slots=True)
class _MetricScore:
    metric: AssetMetric
    position: int  # of the worst column
    value: float | None
    score: float | None


def health_index(profile: HealthProfile, observation: Observation, prognosis: Prognosis = NO_PROGNOSIS) -> Index:
    """Judge one observation."""
    parts = _parts(profile, observation.values)
    condition, shares = _condition(parts)
    component_index, components = components_of(
        profile, deviation=observation.deviation, anomaly_score=observation.anomaly_score, prognosis=prognosis
    )
    health = _lower(condition, component_index)
    limited_by: HealthView | None = None
    if health is not None:
        limited_by = "condition" if health == condition else "components"
    return Index(
        health=health,
        condition=condition,
        component_index=component_index,
        limited_by=limited_by,
        metrics=tuple(_explained(part, share) for part, share in zip(parts, shares, strict=True)),
        components=components,
    )


def present_health(profile: HealthProfile, observation: Observation) -> float | None:
    """Return the index of ``health_index`` with nothing foreseen and no explanations, many times as fast."""
    condition, _ = _condition(_parts(profile, observation.values))
    return _lower(condition, present_components(profile, observation.deviation, observation.anomaly_score))


def _lower(condition: float | None, component_index: float | None) -> float | None:
    if condition is None or component_index is None:
        return component_index if condition is None else condition
    return min(condition, component_index)


def impaired_columns(profile: HealthProfile, values: Mapping[str, float | None]) -> frozenset[str]:
    """Return columns that have left their good range or best band."""
    return frozenset(
        name
        for metric in profile.metrics
        for name in metric.item.columns
        if not metric.is_sound(_finite(values.get(name)))
    )


def concerns(parts: Iterable[HealthMetric | HealthComponent]) -> list[HealthMetric | HealthComponent]:
    """Return parts below ``CONCERN_BELOW``, the one that costs its view most points first."""
    low = [part for part in parts if part.score is not None and part.score < CONCERN_BELOW]
    return sorted(low, key=_lost_points, reverse=True)


def _lost_points(part: HealthMetric | HealthComponent) -> float:
    return part.weight * (100.0 - (part.score or 0.0))


def _parts(profile: HealthProfile, values: Mapping[str, float | None]) -> list[_MetricScore]:
    return [_worst(metric, values) for metric in profile.metrics]


def _condition(parts: Sequence[_MetricScore]) -> tuple[float | None, list[float]]:
    """Return the condition, and the contribution of each part."""
    total = sum(part.metric.weight for part in parts if part.score is not None)
    if total <= 0.0:
        return None, [0.0] * len(parts)
    shares = [part.metric.weight / total if part.score is not None else 0.0 for part in parts]
    known = [(share, part.score) for share, part in zip(shares, parts, strict=True) if part.score is not None]
    mean = sum(share * score for share, score in known)
    worst = min((score for share, score in known if share >= CAP_FROM_WEIGHT), default=100.0)
    # rounding can carry a mean of scores past 100, which the contract refuses
    return min(mean, worst + CAP_ABOVE_WORST, 100.0), shares


def _worst(metric: AssetMetric, values: Mapping[str, float | None]) -> _MetricScore:
    found = [_finite(values.get(name)) for name in metric.item.columns]
    scores = [metric.score(value) for value in found]
    graded: Sequence[tuple[float, int]] = [(score, k) for k, score in enumerate(scores) if score is not None]
    if not graded:
        return _MetricScore(metric, 0, found[0], None)
    score, position = min(graded)
    return _MetricScore(metric, position, found[position], score)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _explained(part: _MetricScore, weight: float) -> HealthMetric:
    status = status_of(part.score)
    return HealthMetric(
        name=part.metric.item.column,
        score=part.score,
        weight=weight,
        status="unknown" if status is None else status.value,
        value=part.value,
        unit=part.metric.unit,
        message=_message(part),
    )


def _message(part: _MetricScore) -> str:
    metric = part.metric
    if part.score is None:
        lacks = " and ".join(metric.lacks)
        why = f"not graded: the nameplate must state {lacks}" if lacks else "no valid value"
        return f"{why}; its weight of {metric.weight:.2g} goes to the known metrics"
    if part.score >= CONCERN_BELOW:
        return "within its normal range"
    return metric.item.message if part.position == 0 else f"{metric.titles[part.position]}: {metric.item.message}"
