"""Alarms: their present state and every transition (ISA-18.2, OPC UA Part 9)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, computed_field

from forewarn.contracts.base import Contract, Identifier, StoredText, StoredTime, UtcDatetime

AlarmSource = Literal["threshold", "anomaly", "health", "rul", "forecast"]


class Priority(StrEnum):
    """Priority by the response it asks for."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class AlarmState(StrEnum):
    """States A–D of ISA-18.2, derived from two flags."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"


class Transition(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    CLOSED = "closed"


class Alarm(Contract):
    """Present state of one (asset, rule): the value of ``alerts.active``, keyed by ``alarm_id``."""

    alarm_id: StoredText = Field(description="asset_id/rule: there is never more than one open alarm with it.")
    occurrence_id: StoredText = Field(description="Names this occurrence; an acknowledgement must carry it.")
    asset_id: Identifier
    rule: Identifier
    source: AlarmSource
    priority: Priority
    active: bool
    acknowledged: bool
    raised_at: UtcDatetime = Field(description="Event time of the reading that raised it.")
    last_active_at: UtcDatetime
    returned_at: UtcDatetime | None = None
    acknowledged_at: StoredTime | None = None
    acknowledged_by: StoredText | None = None
    acknowledged_command: str | None = Field(default=None, description="Id of the command that acknowledged it.")
    comment: StoredText = ""
    occurrences: Annotated[int, Field(ge=1)] = Field(default=1, description="How often it became active while open.")
    value: float | None = Field(description="Worst value seen in this occurrence.")
    limit: float | None
    unit: StoredText
    message: StoredText
    action: StoredText = Field(description="What the operator should do.")

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know decorated properties
    @property
    def state(self) -> AlarmState:
        """State derived from the two flags."""
        if self.active:
            return AlarmState.ACKNOWLEDGED if self.acknowledged else AlarmState.UNACKNOWLEDGED
        return AlarmState.NORMAL if self.acknowledged else AlarmState.RETURNED_UNACKNOWLEDGED


class Alert(Contract):
    """One transition of one alarm: an event of ``alerts``. ``alert_id`` is the deduplication key."""

    alert_id: StoredText
    transition: Transition
    at: StoredTime
    by: StoredText = "forewarn"
    alarm: Alarm
