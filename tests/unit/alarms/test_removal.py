"""Alarms of a removed asset are closed by what raised them; nobody has acknowledged them by that."""

from datetime import UTC, datetime

from forewarn.contracts.alarms import Alarm, AlarmSource, Priority, Transition
from forewarn.domain.alarms.asset import AssetAlarms, remove_alarms
from forewarn.domain.alarms.lifecycle import RuleState

AT = datetime(2026, 11, 20, tzinfo=UTC)


def state(source: AlarmSource) -> RuleState:
    alarm = Alarm(
        alarm_id=f"P-1/{source}",
        occurrence_id=f"o-{source}",
        asset_id="P-1",
        rule=source,
        source=source,
        priority=Priority.HIGH,
        active=True,
        acknowledged=False,
        raised_at=AT,
        last_active_at=AT,
        value=5.0,
        limit=4.0,
        unit="mm/s",
        message="Vibration high",
        action="Inspect",
    )
    return RuleState(alarm=alarm)


def test_only_alarms_of_the_named_sources_are_closed():
    rules = {source: state(source) for source in ("threshold", "anomaly", "health")}
    alarms = AssetAlarms(asset_id="P-1", rules={**rules, "delayed": RuleState(over_since=AT)})
    after, alerts = remove_alarms(alarms, {"threshold"}, AT, "Ada")
    assert set(after.rules) == {"anomaly", "health"}
    (alert,) = alerts
    assert (alert.transition, alert.by, alert.alarm.alarm_id) == (Transition.CLOSED, "Ada", "P-1/threshold")
    assert (alert.alarm.active, alert.alarm.acknowledged, alert.alarm.comment) == (False, False, "Asset removed")
    again, nothing = remove_alarms(after, {"threshold"}, AT, "Ada")
    assert (again, nothing) == (after, ())
    empty, _ = remove_alarms(after, {"anomaly", "health"}, AT, "Ada")
    assert empty.rules == {}
