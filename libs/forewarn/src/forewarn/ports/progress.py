"""How far the platform's stages are with what has come in."""

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
    """All stages, and when the newest raw reading came in; None before the first."""

    stages: Sequence[StageProgress]
    newest_input: datetime | None


class ProgressWatch(Protocol):
    """Looks at the stages every few seconds, in a thread of its own."""

    def latest(self) -> Progress | None:
        """Return what the last look found, at once; None while nothing is known, at the start or without a broker."""
        ...
