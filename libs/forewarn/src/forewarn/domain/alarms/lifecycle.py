"""The state machine of one alarm: a pure step over two flags, with delays in event time.

ISA-18.2 states follow from ``active`` and ``acknowledged``:
normal → (occurs) unacknowledged → acknowledged or returned-unacknowledged → normal again.
An alarm stays open, under one ``occurrence_id``, until it has returned *and* was acknowledged.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from forewarn.contracts.alarms import Alarm, Alert, Transition
from forewarn.contracts.asset_class import AlarmRule
from forewarn.contracts.base import format_utc
from forewarn.domain.alarms.evaluation import Evaluation, Level, worst

#: Namespace of all alarm identifiers: the same events give the same ids on every replay.
_NAMESPACE: Final = uuid.UUID("6f0a3c52-3b0e-5c0e-9a57-2f1f4c1f9d11")

_SYSTEM: Final = "forewarn"

_MAX_DETAIL_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """State of one (asset, rule).

    ``over_since`` and ``clear_since`` run the on- and off-delay; ``alarm`` is None while none is open.
    """

    alarm: Alarm | None = None
    over_since: datetime | None = None
    clear_since: datetime | None = None

    @property
    def idle(self) -> bool:
        """Return whether nothing is open and no delay runs, so that clear observations change nothing."""
        return self.alarm is None and self.over_since is None


NORMAL: Final = RuleState()


class Refused(Exception):  # noqa: N818  # an answer to a person, not a failure of the program
    """An acknowledgement that cannot be applied; the message says why."""


def alarm_id(asset_id: str, rule: str) -> str:
    """Return the id of the one alarm that an (asset, rule) can have."""
    return f"{asset_id}/{rule}"


def occurrence_id(alarm: str, raised_at: datetime) -> str:
    """Return the id of an occurrence, made from the alarm and when it was raised."""
    return str(uuid.uuid5(_NAMESPACE, f"{alarm}@{format_utc(raised_at)}"))


def alert_id(occurrence: str, transition: Transition, at: datetime) -> str:
    """Return the id of a transition, which deduplicates ``alerts``."""
    return str(uuid.uuid5(_NAMESPACE, f"{occurrence}:{transition.value}@{format_utc(at)}"))


def step(
    state: RuleState, evaluation: Evaluation, asset_id: str, rule: AlarmRule, at: datetime
) -> tuple[RuleState, tuple[Alert, ...]]:
    """Apply one observation at event time ``at``, which must not go back within one (asset, rule)."""
    if evaluation.level is Level.UNKNOWN:
        return state, ()
    if state.alarm is not None and state.alarm.active:
        return _while_active(state, state.alarm, evaluation, rule, at)
    return _while_inactive(state, evaluation, asset_id, rule, at)


def acknowledge(
    state: RuleState, occurrence: str, by: str, comment: str, at: datetime, command: str | None = None
) -> tuple[RuleState, tuple[Alert, ...]]:
    """Acknowledge the occurrence that a person saw; the same command again changes nothing.

    Raises Refused if no alarm is open, another occurrence is, or another command came first.
    """
    alarm = state.alarm
    if alarm is None:
        raise Refused(f"no alarm is open, so occurrence {occurrence} cannot be acknowledged (it may have been closed)")
    if alarm.occurrence_id != occurrence:
        raise Refused(
            f"occurrence {occurrence} of {alarm.alarm_id} is not the open one: since "
            f"{format_utc(alarm.raised_at)} it is {alarm.occurrence_id}; look at that before acknowledging it"
        )
    if alarm.acknowledged and alarm.acknowledged_command != command:
        raise Refused(f"{alarm.acknowledged_by} acknowledged occurrence {occurrence} of {alarm.alarm_id} before {by}")
    if alarm.acknowledged:
        return state, ()
    seen = alarm.model_copy(
        update={
            "acknowledged": True,
            "acknowledged_at": at,
            "acknowledged_by": by,
            "acknowledged_command": command,
            "comment": comment,
        }
    )
    alert = _alert(seen, Transition.ACKNOWLEDGED, at, by=by)
    if seen.active:
        return replace(state, alarm=seen), (alert,)
    return replace(state, alarm=None), (alert, _closed(seen))


def withdraw(state: RuleState, at: datetime) -> tuple[RuleState, tuple[Alert, ...]]:
    """Clear the alarm because its rule is gone; it stays open while unacknowledged."""
    if state.alarm is None or not state.alarm.active:
        return RuleState(alarm=state.alarm), ()
    return _return(state.alarm, at)


def remove(state: RuleState, at: datetime, by: str, comment: str) -> tuple[Alert, ...]:
    """Close the alarm because its asset was removed, without acknowledging it."""
    alarm = state.alarm
    if alarm is None:
        return ()
    gone = {"active": False, "returned_at": alarm.returned_at or at, "comment": comment}
    return (_alert(alarm.model_copy(update=gone), Transition.CLOSED, at, by=by),)


def delay_ends(state: RuleState, rule: AlarmRule) -> datetime | None:
    """Return the event time at which the running delay ends; None if none runs."""
    active = state.alarm is not None and state.alarm.active
    since, delay_s = (state.clear_since, rule.off_delay_s) if active else (state.over_since, rule.on_delay_s)
    return None if since is None else since + timedelta(seconds=delay_s)


def _while_inactive(
    state: RuleState, evaluation: Evaluation, asset_id: str, rule: AlarmRule, at: datetime
) -> tuple[RuleState, tuple[Alert, ...]]:
    if evaluation.level is not Level.OVER:
        return (state if state.over_since is None else replace(state, over_since=None)), ()
    since = state.over_since if state.over_since is not None else at
    if at - since < timedelta(seconds=rule.on_delay_s):
        return (state if state.over_since is not None else replace(state, over_since=since)), ()
    if state.alarm is None:
        alarm = _raise(evaluation, asset_id, rule, at)
    else:
        alarm = _reactivate(state.alarm, evaluation, rule, at)
    return RuleState(alarm=alarm), (_alert(alarm, Transition.RAISED, at),)


def _while_active(
    state: RuleState, alarm: Alarm, evaluation: Evaluation, rule: AlarmRule, at: datetime
) -> tuple[RuleState, tuple[Alert, ...]]:
    if evaluation.level is not Level.CLEAR:
        update: dict[str, object] = {"last_active_at": at}
        if evaluation.level is Level.OVER:
            update["value"] = worst(rule, alarm.limit, alarm.value, evaluation.value)
        return RuleState(alarm=alarm.model_copy(update=update)), ()
    since = state.clear_since if state.clear_since is not None else at
    if at - since < timedelta(seconds=rule.off_delay_s):
        return (state if state.clear_since is not None else replace(state, clear_since=since)), ()
    return _return(alarm, at)


def _return(alarm: Alarm, at: datetime) -> tuple[RuleState, tuple[Alert, ...]]:
    returned = alarm.model_copy(update={"active": False, "returned_at": at})
    alert = _alert(returned, Transition.RETURNED, at)
    if returned.acknowledged:
        return NORMAL, (alert, _closed(returned))
    return RuleState(alarm=returned), (alert,)


def _raise(evaluation: Evaluation, asset_id: str, rule: AlarmRule, at: datetime) -> Alarm:
    identity = alarm_id(asset_id, rule.id)
    return Alarm(
        alarm_id=identity,
        occurrence_id=occurrence_id(identity, at),
        asset_id=asset_id,
        rule=rule.id,
        source=rule.source,
        priority=rule.priority,
        active=True,
        acknowledged=False,
        raised_at=at,
        last_active_at=at,
        value=evaluation.value,
        limit=evaluation.limit,
        unit=evaluation.unit,
        message=_message(rule, evaluation),
        action=rule.action,
    )


def _message(rule: AlarmRule, evaluation: Evaluation) -> str:
    """Return the headline, or the rule's message and the detail, as one bounded line."""
    detail = (evaluation.headline or evaluation.detail)[:_MAX_DETAIL_CHARACTERS]
    plain = "".join(character if character.isprintable() else " " for character in detail)
    if evaluation.headline:
        return plain
    return f"{rule.message}: {plain}" if plain else rule.message


def _reactivate(alarm: Alarm, evaluation: Evaluation, rule: AlarmRule, at: datetime) -> Alarm:
    """Count one more occurrence of the unacknowledged alarm, not one more alarm."""
    return alarm.model_copy(
        update={
            "active": True,
            "last_active_at": at,
            "returned_at": None,
            "occurrences": alarm.occurrences + 1,
            "value": worst(rule, alarm.limit, alarm.value, evaluation.value),
        }
    )


def _closed(alarm: Alarm) -> Alert:
    """Close at the later of return and acknowledgement, whichever was processed last."""
    moments = [at for at in (alarm.returned_at, alarm.acknowledged_at) if at is not None]
    return _alert(alarm, Transition.CLOSED, max(moments))


def _alert(alarm: Alarm, transition: Transition, at: datetime, by: str = _SYSTEM) -> Alert:
    return Alert(
        alert_id=alert_id(alarm.occurrence_id, transition, at), transition=transition, at=at, by=by, alarm=alarm
    )
