"""Alarms from health events: rules on the health index and on remaining useful life."""

from dataclasses import replace

from forewarn.contracts.alarms import Alert
from forewarn.contracts.asset_class import AlarmRule, AssetClass
from forewarn.contracts.health import AssetHealth
from forewarn.domain.alarms.asset import AssetAlarms, with_rule
from forewarn.domain.alarms.evaluation import Evaluation, Level, evaluate_value
from forewarn.domain.alarms.machine import NORMAL, step
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.rows import to_microseconds


def observe_health(
    alarms: AssetAlarms, seen: Seen, asset_class: AssetClass, health: AssetHealth
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Judge the class's health and RUL rules by a health event.

    One that is not newer, or rests on an imported reading, changes nothing.

    Moves ``seen`` on. The very same alarms come back if the event has no effect on them.
    """
    if health.historical:
        return alarms, ()
    time_us = to_microseconds(health.ts)
    known_us = seen.health.by_asset.get(alarms.asset_id)
    if known_us is not None and time_us <= known_us:
        return alarms, ()
    seen.health.by_asset[alarms.asset_id] = time_us
    after = alarms
    alerts: tuple[Alert, ...] = ()
    for rule in asset_class.alarms:
        if rule.source not in ("health", "rul"):
            continue
        before = after.rules.get(rule.id, NORMAL)
        evaluation = _health(health, rule) if rule.source == "health" else _rul(health, rule)
        state, raised = step(before, evaluation, alarms.asset_id, rule, health.ts)
        alerts += raised
        if state is not before:
            after = with_rule(after, rule.id, state)
    return (after if after is alarms else replace(after, health_to=health.ts)), alerts


def _health(health: AssetHealth, rule: AlarmRule) -> Evaluation:
    return evaluate_value(health.health, rule, "%", health.primary_concern or "")


def _rul(health: AssetHealth, rule: AlarmRule) -> Evaluation:
    """The soonest failure mode counts; without growth nothing wears out, so there is nothing to alarm."""
    if not health.rul:
        return Evaluation(level=Level.CLEAR, value=None, limit=rule.low, unit="d")
    soonest = min(health.rul, key=lambda estimate: estimate.p50_days)
    detail = f"{soonest.failure_mode} in {soonest.p10_days:.3g} to {soonest.p90_days:.3g} days"
    return evaluate_value(soonest.p50_days, rule, "d", detail)
