"""Progress of the platform's stages through their input."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from forewarn.contracts.answers.platform import StageState


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """One stage; ``since`` is when its oldest unread message was written, None if all is read."""

    service: str
    state: StageState
    behind_messages: int
    since: datetime | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """All stages, and when the newest raw reading arrived; None before the first."""

    stages: Sequence[StageProgress]
    newest_input: datetime | None


class ProgressWatch(Protocol):
    """Checks the stages every few seconds, in its own thread."""

    def latest(self) -> Progress | None:
        """Return the last result at once; None before the first or without a broker."""
        ...
