"""Alarms, rejected readings, models and the state of the service."""

from typing import Literal

from pydantic import BaseModel, Field

from forewarn.contracts.alarms import Alarm, Alert
from forewarn.contracts.base import Comment, Identifier, Reference, UtcDatetime
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.ports.progress import StageState
from forewarn_api.models.assets import Signed


class AlarmItem(BaseModel):
    """An alarm as it stands, or an occurrence of it as it was closed."""

    alarm: Alarm
    closed_at: UtcDatetime | None = Field(default=None, description="null while it is open.")


class AlarmList(BaseModel):
    """Alarms, newest first: open ones by when they were raised, closed ones by when they were closed."""

    items: list[AlarmItem]
    next_cursor: str | None = None


class AlarmDetail(AlarmItem):
    """An alarm with its past."""

    transitions: list[Alert] = Field(description="Newest first; may trail the alarm's state by a second.")


class AcknowledgeRequest(Signed):
    """A person has seen an occurrence of an alarm."""

    occurrence_id: Reference = Field(
        description="The occurrence that was seen; if a newer one exists the answer is 409."
    )
    comment: Comment = ""


class Acknowledged(BaseModel):
    """What became of an acknowledgement."""

    command_id: Identifier
    seen: bool = Field(description="Whether the alarm has changed already.")
    alarm: Alarm | None = Field(description="The alarm now; null if it is closed.")


class RejectedItem(BaseModel):
    """A refused message in short."""

    rejected_id: str
    topic: str
    reason: RejectionReason
    rule: str | None
    explanation: str
    recommendation: str
    asset_id: str | None
    rejected_at: UtcDatetime
    size_bytes: int
    preview: str = Field(description="Beginning of the message as text; what is no UTF-8 is replaced.")


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


class ComponentState(BaseModel):
    """Whether something the API needs works."""

    status: Literal["ok", "degraded", "failed"]
    detail: str | None = None


class StageAge(BaseModel):
    """How old the newest data of a stage is."""

    stage: str
    newest: UtcDatetime | None
    age_s: float | None


class ProcessingState(BaseModel):
    """Whether a service keeps up with what comes in.

    ``behind`` reads messages older than 30 s and gets on; ``stands`` has not got on for 30 s. ``since`` is when its
    oldest unread message was written.
    """

    service: str
    state: StageState
    behind_messages: int
    since: UtcDatetime | None
    detail: str | None


class ServiceHealth(BaseModel):
    """State of the API, of what it needs, and of the services behind it.

    ``failed`` (with status 503) when the API lacks something it needs; ``degraded`` (with status 200, for the API
    itself works) when a service stands or is behind, or the disk is nearly full. ``processing`` is null while nothing
    is known; ``newest_input`` is when the newest raw reading came in.
    """

    status: Literal["ok", "degraded", "failed"]
    components: dict[str, ComponentState]
    stages: list[StageAge]
    processing: list[ProcessingState] | None
    newest_input: UtcDatetime | None
    assets: int
    open_alarms: int
    subscribers: int
