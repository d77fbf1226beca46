"""Alarms, rejected messages and model cards."""

from pydantic import BaseModel, Field

from forewarn.contracts.alarms import Alarm, Alert
from forewarn.contracts.answers.assets import Signed
from forewarn.contracts.base import Comment, Identifier, Reference, UtcDatetime
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason


class AlarmItem(BaseModel):
    """An open alarm, or a closed occurrence of one."""

    alarm: Alarm
    closed_at: UtcDatetime | None = Field(default=None, description="null while it is open.")


class AlarmList(BaseModel):
    """Alarms, newest first: open ones by when they were raised, closed ones by when they were closed."""

    items: list[AlarmItem]
    next_cursor: str | None = None


class AlarmDetail(AlarmItem):
    """An alarm with its transitions."""

    transitions: list[Alert] = Field(description="Newest first; may trail the alarm's state by a second.")


class AcknowledgeRequest(Signed):
    """A person has seen an occurrence of an alarm."""

    occurrence_id: Reference = Field(
        description="The occurrence that was seen; if a newer one exists the answer is 409."
    )
    comment: Comment = ""


class Acknowledged(BaseModel):
    """Outcome of an acknowledgement."""

    command_id: Identifier
    seen: bool = Field(description="Whether the alarm has changed already.")
    alarm: Alarm | None = Field(description="The alarm now; null if it is closed.")


class RejectedItem(BaseModel):
    """A refused message, abridged."""

    rejected_id: str
    topic: str
    reason: RejectionReason
    rule: str | None
    explanation: str
    recommendation: str
    asset_id: str | None
    rejected_at: UtcDatetime
    size_bytes: int
    preview: str = Field(description="Beginning of the message as text; bytes that are not UTF-8 are replaced.")


class RejectedList(BaseModel):
    """Refused messages, newest first."""

    items: list[RejectedItem]
    next_cursor: str | None = None


class RejectedDetail(BaseModel):
    """A refused message with its original bytes (Base64)."""

    rejected: RejectedReading


class Replayed(BaseModel):
    """The original bytes were sent again."""

    rejected_id: str
    key: str


class ModelList(BaseModel):
    """Cards of fitted models."""

    items: list[ModelArtefact]
    next_cursor: str | None = Field(default=None, description="Where to go on; null after the last card.")
