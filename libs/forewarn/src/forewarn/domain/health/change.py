"""Decide which changes of an asset's health deserve an event."""

from typing import Final

from forewarn.contracts.health import AssetHealth

#: Smallest published change: of the index and the scores in points, of a RUL as a share.
INDEX_POINTS: Final = 0.5
SCORE_POINTS: Final = 2.0
RUL_SHARE: Final = 0.05


def differs(before: AssetHealth, after: AssetHealth) -> bool:
    """Return whether ``after`` is news to a person or a rule."""
    return (
        _headline(before) != _headline(after)
        or _moved(before.health, after.health, INDEX_POINTS)
        or _moved(before.anomaly_score, after.anomaly_score, SCORE_POINTS)
        or _moved(before.deviation, after.deviation, SCORE_POINTS)
        or _life_moved(before, after)
    )


def _headline(health: AssetHealth) -> tuple[object, ...]:
    return (
        health.category,
        health.trend,
        health.anomaly_flag,
        health.anomaly_band,
        health.culprit,
        tuple(metric.status for metric in health.metrics),
        tuple(component.status for component in health.components),
        tuple(item.failure_mode for item in health.rul),
        None if health.process_drift is None else (health.process_drift.since, health.process_drift.tags),
    )


def _moved(before: float | None, after: float | None, least: float) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) >= least


def _life_moved(before: AssetHealth, after: AssetHealth) -> bool:
    return any(
        abs(new.p50_days - old.p50_days) > RUL_SHARE * old.p50_days
        for old, new in zip(before.rul, after.rul, strict=False)
    )
