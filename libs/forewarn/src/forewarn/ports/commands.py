"""Commands that wait to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forewarn.contracts.assets import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCommand:
    """What came as a command and is none, but bears an id and an asset, so that its sender can be told."""

    command_id: str
    asset_id: str
    problem: str


class CommandSource(Protocol):
    """Hands out commands; what was taken and is not ``done`` with comes again after a crash."""

    def take(self, timeout_s: float) -> Sequence[Command | UnreadableCommand]:
        """Commands that came, after ``timeout_s`` at the latest; maybe none."""
        ...

    def done(self) -> None:
        """All that was taken has been done."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...
