"""Alarms from health events: rules on the health index, on remaining useful life and on forecasts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from forewarn.contracts.alarms import Alert
from forewarn.contracts.asset_class import AlarmRule, AssetClass
from forewarn.contracts.forecasts import LimitForecast
from forewarn.contracts.health import AssetHealth
from forewarn.domain.alarms.asset import AssetAlarms, with_rule
from forewarn.domain.alarms.evaluation import NO_UNIT, Evaluation, Level, evaluate_value
from forewarn.domain.alarms.lifecycle import NORMAL, step, withdraw
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.health.components import duration
from forewarn.domain.physics.unit_symbols import quantity
from forewarn.domain.time import to_microseconds


def observe_health(
    alarms: AssetAlarms, seen: Seen, asset_class: AssetClass, health: AssetHealth
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Judge the class's health, RUL and forecast rules by a health event, and advance ``seen``.

    An event that is not newer, or rests on an imported reading, changes nothing. The same object comes back if the
    event has no effect.
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
        if rule.source not in _EVALUATIONS:
            continue
        before = after.rules.get(rule.id, NORMAL)
        if rule.source == "forecast" and _has_come(after, rule):
            state, raised = withdraw(before, health.ts)
        else:
            state, raised = step(
                before, _EVALUATIONS[rule.source](health, rule, asset_class), alarms.asset_id, rule, health.ts
            )
        alerts += raised
        if state is not before:
            after = with_rule(after, rule.id, state)
    return (after if after is alarms else replace(after, health_to=health.ts)), alerts


def _health(health: AssetHealth, rule: AlarmRule, _: AssetClass) -> Evaluation:
    return evaluate_value(health.health, rule, NO_UNIT, health.primary_concern or "")


def _rul(health: AssetHealth, rule: AlarmRule, asset_class: AssetClass) -> Evaluation:
    """Evaluate the soonest failure mode; without growth nothing wears out and nothing is over the limit."""
    if not health.rul:
        return Evaluation(level=Level.CLEAR, value=None, limit=rule.low, unit="d")
    soonest = min(health.rul, key=lambda estimate: estimate.p50_days)
    titles = {mode.id: mode.title for mode in asset_class.failure_modes}
    title = titles.get(soonest.failure_mode, soonest.failure_mode)  # of another version's class
    detail = f"{title} in {duration(soonest.p10_days)} to {duration(soonest.p90_days)}"
    return evaluate_value(soonest.p50_days, rule, "d", detail)


def _forecast(health: AssetHealth, rule: AlarmRule, asset_class: AssetClass) -> Evaluation:
    """Evaluate a column's forecast; a column without one does not move towards its limit."""
    limit = 100.0 * rule.min_probability
    found = next((item for item in health.forecasts if item.rule == rule.id), None)
    if found is None:
        return Evaluation(level=Level.CLEAR, value=None, limit=limit, unit="%")
    level = Level.CLEAR
    if found.probability >= rule.min_probability:
        level = Level.OVER
    elif found.probability >= rule.min_probability - rule.deadband:
        level = Level.WITHIN
    return Evaluation(
        level=level,
        value=100.0 * found.probability,
        limit=limit,
        unit="%",
        headline=_when(found, asset_class) if level else "",
    )


def _when(found: LimitForecast, asset_class: AssetClass) -> str:
    """Return which signal reaches which limit when."""
    earliest, latest = (None if days is None else duration(days) for days in (found.earliest_days, found.latest_days))
    span = "" if earliest is None else f" ({earliest} to {latest})" if latest else f" ({earliest} at the earliest)"
    likely = "" if found.likely_days is None else f" in about {duration(found.likely_days)}{span}"
    title = asset_class.titles.get(found.column, found.column)
    return f"{title} expected to reach {quantity(found.limit, found.unit)}{likely}"


def _has_come(alarms: AssetAlarms, rule: AlarmRule) -> bool:
    """Return whether the anticipated alarm is active and so makes the forecast superfluous."""
    state = alarms.rules.get(rule.anticipates or "", NORMAL)
    return state.alarm is not None and state.alarm.active


_EVALUATIONS: Final[Mapping[str, Callable[[AssetHealth, AlarmRule, AssetClass], Evaluation]]] = {
    "health": _health,
    "rul": _rul,
    "forecast": _forecast,
}
