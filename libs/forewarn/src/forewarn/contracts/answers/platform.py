"""Health of the platform."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from forewarn.contracts.base import UtcDatetime


class StageState(StrEnum):
    """State of a stage's processing."""

    OK = "ok"
    BEHIND = "behind"
    STANDS = "stands"


class ComponentState(BaseModel):
    """State of a component the API needs."""

    status: Literal["ok", "degraded", "failed"]
    detail: str | None = None


class StageAge(BaseModel):
    """Age of the newest data of a stage."""

    stage: str
    newest: UtcDatetime | None
    age_s: float | None


class ProcessingState(BaseModel):
    """Whether a service keeps up with what comes in.

    ``behind``: progress on messages older than 30 s; ``stands``: no progress for 30 s. ``since`` is when its
    oldest unread message was written.
    """

    service: str
    state: StageState
    behind_messages: int
    since: UtcDatetime | None
    detail: str | None


class ServiceHealth(BaseModel):
    """State of the API, of what it needs, and of the services behind it.

    ``failed`` (with status 503) when the API lacks something it needs; ``degraded`` (with status 200, as the API itself
    works) when a service stands still or is behind, or the disk is nearly full. ``processing`` is null while unknown;
    ``newest_input`` is when the newest raw reading came in.
    """

    status: Literal["ok", "degraded", "failed"]
    components: dict[str, ComponentState]
    stages: list[StageAge]
    processing: list[ProcessingState] | None
    newest_input: UtcDatetime | None
    assets: int
    open_alarms: int
    subscribers: int
