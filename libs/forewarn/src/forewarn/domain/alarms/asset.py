"""All alarms of one asset, and how commands and changes of its class affect them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from forewarn.contracts.alarms import Alarm, AlarmSource, Alert
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import AcknowledgeAlarm
from forewarn.contracts.removal import REMOVED_COMMENT
from forewarn.domain.alarms.lifecycle import NORMAL, Refused, RuleState, acknowledge, alarm_id, remove, withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetAlarms:
    """State of one asset's alarms.

    The three watermarks are the event times up to which readings (by threshold rules), scores and
    health were applied when the state last changed (see ``seen.Seen``). ``outbox`` holds
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
        """Return the alarms that are not closed."""
        return tuple(state.alarm for state in self.rules.values() if state.alarm is not None)


def acknowledge_alarm(
    alarms: AssetAlarms, body: AcknowledgeAlarm, by: str, at: datetime, command: str | None = None
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Apply an acknowledgement.

    Raises Refused if it names another occurrence than the open one, or another command came first; the message says
    why.
    """
    rule = body.alarm_id.removeprefix(alarm_id(alarms.asset_id, ""))
    if rule == body.alarm_id:
        raise Refused(f"alarm {body.alarm_id!r} is not one of asset {alarms.asset_id!r}, which the command is about")
    before = alarms.rules.get(rule, NORMAL)
    after, alerts = acknowledge(before, body.occurrence_id, by, body.comment, at, command)
    return (alarms if after is before else with_rule(alarms, rule, after)), alerts


def withdraw_unknown(
    alarms: AssetAlarms, asset_class: AssetClass, at: datetime
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Clear alarms whose rule the class no longer has; nothing else would ever clear them."""
    alerts: list[Alert] = []
    for rule in alarms.rules.keys() - {rule.id for rule in asset_class.alarms}:
        state, returned = withdraw(alarms.rules[rule], at)
        alarms = with_rule(alarms, rule, state)
        alerts += returned
    return alarms, tuple(alerts)


def remove_alarms(
    alarms: AssetAlarms, sources: Collection[AlarmSource], at: datetime, by: str
) -> tuple[AssetAlarms, tuple[Alert, ...]]:
    """Close the alarms of some sources because the asset was removed, and forget running delays."""
    alerts: list[Alert] = []
    for rule, state in alarms.rules.items():
        if state.alarm is None or state.alarm.source in sources:
            alerts += remove(state, at, by, REMOVED_COMMENT)
            alarms = with_rule(alarms, rule, NORMAL)
    return alarms, tuple(alerts)


def with_rule(alarms: AssetAlarms, rule: str, state: RuleState) -> AssetAlarms:
    """Return the alarms with one rule's state replaced."""
    rules = {**alarms.rules, rule: state}
    if state.idle:
        del rules[rule]
    return replace(alarms, rules=rules)
