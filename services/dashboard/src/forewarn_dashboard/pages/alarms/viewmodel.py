"""View model of tables of alarms."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from forewarn.contracts.alarms import Alarm, AlarmState, Priority
from forewarn_dashboard.formatting import clock_time, duration, life_days, number, quantity, signed
from forewarn_dashboard.pages.alarms.address import AlarmsView
from forewarn_dashboard.plant import LivePlant
from forewarn_dashboard.viewmodels import PRIORITY_NUMBER

STATE_TEXT: Final = {
    AlarmState.UNACKNOWLEDGED: "Active, not acknowledged",
    AlarmState.ACKNOWLEDGED: "Active, acknowledged",
    AlarmState.RETURNED_UNACKNOWLEDGED: "Returned, not acknowledged",
    AlarmState.NORMAL: "Closed",
}
_DAYS: Final = "d"  # the unit of remaining life


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """An open alarm."""

    alarm_id: str
    occurrence_id: str
    asset_id: str
    asset_name: str
    rule: str
    priority: Priority
    message: str
    comparison: str
    state: AlarmState
    raised: str
    age: str
    occurrences: int
    action: str
    acknowledged: str
    stale: bool

    @property
    def can_acknowledge(self) -> bool:
        """Whether nobody has acknowledged it yet."""
        return self.state in {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED}


def rank(alarm: Alarm) -> tuple[int, bool, datetime]:
    """Return the sort key of alarms: priority, then not acknowledged first, then oldest first."""
    return PRIORITY_NUMBER[alarm.priority], alarm.acknowledged, alarm.raised_at


def matches(alarm: Alarm, view: AlarmsView, plant: LivePlant) -> bool:
    """Return whether an alarm passes search text and filters."""
    if view.unacknowledged and alarm.acknowledged:
        return False
    text = f"{alarm.asset_id} {plant.name_of(alarm.asset_id)} {alarm.message} {alarm.rule}"
    return view.search.casefold() in text.casefold()


def alarm_row(alarm: Alarm, plant: LivePlant, now: datetime, tz: tzinfo) -> AlarmRow:
    """Return an alarm as a row of a table."""
    seen = ""
    if alarm.acknowledged:
        when = clock_time(alarm.acknowledged_at, tz, now)
        seen = f"by {alarm.acknowledged_by or 'unknown'} at {when}" + (f": {alarm.comment}" if alarm.comment else "")
    return AlarmRow(
        alarm_id=alarm.alarm_id,
        occurrence_id=alarm.occurrence_id,
        asset_id=alarm.asset_id,
        asset_name=plant.name_of(alarm.asset_id),
        rule=alarm.rule,
        priority=alarm.priority,
        message=alarm.message,
        comparison=comparison(alarm),
        state=alarm.state,
        raised=clock_time(alarm.raised_at, tz, now),
        age=duration((now - alarm.raised_at).total_seconds()),
        occurrences=alarm.occurrences,
        action=alarm.action,
        acknowledged=seen,
        stale=now - alarm.raised_at > timedelta(hours=24),
    )


def comparison(alarm: Alarm) -> str:
    """Say by how much a limit is exceeded: ``5.1 mm/s, limit 4.5 (+13 %)``; remaining life in a fitting unit."""
    if alarm.value is None:
        return "" if alarm.limit is None else f"limit {_amount(alarm.limit, alarm.unit)}"
    text = _amount(alarm.value, alarm.unit)
    if alarm.limit is None:
        return text
    text += f", limit {life_days(alarm.limit) if alarm.unit == _DAYS else number(alarm.limit)}"
    if alarm.limit:
        text += f" ({signed(100 * (alarm.value - alarm.limit) / abs(alarm.limit), 2)}\u00a0%)"
    return text


def _amount(value: float, unit: str) -> str:
    return life_days(value) if unit == _DAYS else quantity(value, unit)
