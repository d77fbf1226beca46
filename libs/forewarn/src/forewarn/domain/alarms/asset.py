"""All alarms of one asset, and what scores, health events and commands do to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from forewarn.contracts.alarms import Alarm, Alert
from forewarn.contracts.asset_class import AlarmRule, AssetClass
from forewarn.contracts.assets import AcknowledgeAlarm
from forewarn.contracts.health import AssetHealth
from forewarn.domain.alarms.evaluation import Evaluation, Level, evaluate_value
from forewarn.domain.alarms.machine import NORMAL, Refused, RuleState, acknowledge, alarm_id, step, withdraw

#: Sources whose rules rows of frames are judged by; the others wait for ``asset.health``.
ROW_SOURCES: Final = frozenset(["threshold", "anomaly"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAlarms:
    """State of one asset's alarms.

    The three watermarks are the event times up to which readings (by threshold rules), scores and
    health were applied: what is not newer was seen before or is late, and changes nothing. ``outbox`` holds
    transitions that were decided but perhaps not yet published. ``rules`` has no entry for idle rules.
    """

    asset_id: str
    readings_to: datetime | None = None
    scores_to: datetime | None = None
    health_to: datetime | None = None
    rules: Mapping[str, RuleState] = field(default_factory=dict)
    outbox: tuple[Alert, ...] = ()

    @property
    def open_alarms(self) -> tuple[Alarm, ...]:
        """Alarms that are not closed."""
        return tuple(state.alarm for state in self.rules.values() if state.alarm is not None)


def observe(
    alarms: AssetAlarms, rule: AlarmRule, evaluation: Evaluation, at: datetime
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Apply one observation to one rule; the caller keeps the watermarks."""
    before = alarms.rules.get(rule.id, NORMAL)
    after, alerts = step(before, evaluation, alarms.asset_id, rule, at)
    return (alarms if after is before else _with(alarms, rule.id, after)), alerts


def observe_health(
    alarms: AssetAlarms, asset_class: AssetClass, health: AssetHealth
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Judge the class's health and RUL rules by a health event; one that is not newer changes nothing."""
    if alarms.health_to is not None and health.ts <= alarms.health_to:
        return alarms, ()
    alerts: list[Alert] = []
    for rule in asset_class.alarms:
        if rule.source in ROW_SOURCES:
            continue
        evaluation = _health(health, rule) if rule.source == "health" else _rul(health, rule)
        alarms, raised = observe(alarms, rule, evaluation, health.ts)
        alerts += raised
    return replace(alarms, health_to=health.ts), tuple(alerts)


def acknowledge_alarm(
    alarms: AssetAlarms, body: AcknowledgeAlarm, by: str, at: datetime
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Apply an acknowledgement.

    Raises
    ------
    Refused
        If it is not about the occurrence that is open, with the reason for the person who gave it.
    """
    rule = body.alarm_id.removeprefix(alarm_id(alarms.asset_id, ""))
    if rule == body.alarm_id:
        raise Refused(f"alarm {body.alarm_id!r} is not one of asset {alarms.asset_id!r}, which the command is about")
    before = alarms.rules.get(rule, NORMAL)
    after, alerts = acknowledge(before, body.occurrence_id, by, body.comment, at)
    return (alarms if after is before else _with(alarms, rule, after)), alerts


def withdraw_unknown(
    alarms: AssetAlarms, asset_class: AssetClass, at: datetime
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Let alarms return whose rule the class no longer has: nothing else would ever clear them."""
    alerts: list[Alert] = []
    for rule in alarms.rules.keys() - {rule.id for rule in asset_class.alarms}:
        state, returned = withdraw(alarms.rules[rule], at)
        alarms = _with(alarms, rule, state)
        alerts += returned
    return alarms, tuple(alerts)


def _with(alarms: AssetAlarms, rule: str, state: RuleState) -> AssetAlarms:
    rules = {**alarms.rules, rule: state}
    if state.idle:
        del rules[rule]
    return replace(alarms, rules=rules)


def _health(health: AssetHealth, rule: AlarmRule) -> Evaluation:
    return evaluate_value(health.health, rule, "%", health.primary_concern or "")


def _rul(health: AssetHealth, rule: AlarmRule) -> Evaluation:
    """The soonest failure mode counts; without growth nothing wears out, so there is nothing to alarm."""
    if not health.rul:
        return Evaluation(level=Level.CLEAR, value=None, limit=rule.low, unit="d")
    soonest = min(health.rul, key=lambda estimate: estimate.p50_days)
    detail = f"{soonest.failure_mode} in {soonest.p10_days:.3g} to {soonest.p90_days:.3g} days"
    return evaluate_value(soonest.p50_days, rule, "d", detail)
