"""The health index: a weighted mean of explained metric scores, capped by the worst one.

Parts and weights: the class's own metrics (``HealthInput``) share ``METRICS_WEIGHT``, the anomaly
score counts ``ANOMALY_WEIGHT`` and the twin's deviation ``DEVIATION_WEIGHT``. Parts that are
unknown give their weight to the known ones, and say so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forewarn.contracts.asset_class import AssetClass, HealthInput
from forewarn.contracts.health import HealthCategory, HealthMetric

METRICS_WEIGHT: Final = 0.6
ANOMALY_WEIGHT: Final = 0.2
DEVIATION_WEIGHT: Final = 0.2

#: The index is never more than this above the worst class metric: good ones cannot hide a dangerous one.
CAP_ABOVE_WORST: Final = 40.0

#: Lower bounds of the categories.
BANDS: Final = (
    (90.0, HealthCategory.EXCELLENT),
    (70.0, HealthCategory.GOOD),
    (50.0, HealthCategory.FAIR),
    (30.0, HealthCategory.POOR),
)

#: Below it a metric is a concern and its recommendation is given.
CONCERN_BELOW: Final = 70.0

ANOMALY: Final = "anomaly_score"
DEVIATION: Final = "deviation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one reading tells about health; None is unknown. ``values`` has the columns of ``AssetClass.health``."""

    values: Mapping[str, float | None]
    anomaly_score: float | None = None
    deviation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The health index with its breakdown."""

    health: float | None
    metrics: tuple[HealthMetric, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    nominal_weight: float
    value: float | None
    score: float | None
    unit: str
    concern: str


def score(value: float | None, good: float, bad: float) -> float | None:
    """100 at ``good`` or better, 0 at ``bad`` or worse, linear between; None where unknown.

    ``bad`` may lie on either side of ``good``. If both are equal, only that value itself is good.
    """
    if value is None or math.isnan(value):
        return None
    if good == bad:
        return 100.0 if value == good else 0.0
    return 100.0 * min(1.0, max(0.0, (value - bad) / (good - bad)))


def category(health: float) -> HealthCategory:
    """Band of an index: from 90 excellent, 70 good, 50 fair, 30 poor, below critical."""
    return next((band for bound, band in BANDS if health >= bound), HealthCategory.CRITICAL)


def health_index(asset_class: AssetClass, observation: Observation) -> Index:
    """Judge one observation.

    Returns
    -------
    Index
        ``health`` is None while no part is known.
    """
    parts = _parts(asset_class, observation)
    known = [(part, part.score) for part in parts if part.score is not None]
    total = sum(part.nominal_weight for part, _ in known)
    if total <= 0.0:
        return Index(health=None, metrics=tuple(_metric(part, 0.0) for part in parts))
    mean = sum(part.nominal_weight * value for part, value in known) / total
    worst = min((value for part, value in known if part.name not in (ANOMALY, DEVIATION)), default=100.0)
    metrics = tuple(_metric(part, part.nominal_weight / total if part.score is not None else 0.0) for part in parts)
    # rounding can carry a mean of scores past 100, which the contract refuses
    return Index(health=min(mean, worst + CAP_ABOVE_WORST, 100.0), metrics=metrics)


def concerns(metrics: Sequence[HealthMetric]) -> list[HealthMetric]:
    """Metrics below ``CONCERN_BELOW``, the one that costs most points first."""
    low = [metric for metric in metrics if metric.score is not None and metric.score < CONCERN_BELOW]
    return sorted(low, key=_lost_points, reverse=True)


def _lost_points(metric: HealthMetric) -> float:
    return metric.weight * (100.0 - (metric.score or 0.0))


def _parts(asset_class: AssetClass, observation: Observation) -> list[_Part]:
    declared = sum(item.weight for item in asset_class.health)
    share = METRICS_WEIGHT / declared if declared > 0 else 0.0
    units = asset_class.units
    parts = [
        _class_part(item, observation.values.get(item.column), item.weight * share, units[item.column])
        for item in asset_class.health
    ]
    for name, weight, value, concern in (
        (ANOMALY, ANOMALY_WEIGHT, observation.anomaly_score, "The machine behaves unlike its learned normal"),
        (DEVIATION, DEVIATION_WEIGHT, observation.deviation, "Measured values are far from what the twin expects"),
    ):
        parts.append(_Part(name, weight, value, score(value, good=0.0, bad=100.0), "%", concern))
    return parts


def _class_part(item: HealthInput, value: float | None, weight: float, unit: str) -> _Part:
    return _Part(item.column, weight, value, score(value, item.good, item.bad), unit, item.message)


def _metric(part: _Part, weight: float) -> HealthMetric:
    if part.score is None:
        message = f"no valid value; its weight of {part.nominal_weight:.2g} is shared among the known parts"
    elif part.score < CONCERN_BELOW:
        message = part.concern
    else:
        message = "within its normal range"
    return HealthMetric(
        name=part.name,
        score=part.score,
        weight=weight,
        status="unknown" if part.score is None else category(part.score).value,
        value=part.value,
        unit=part.unit,
        message=message,
    )
