"""Commands to carry out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forewarn.contracts.assets import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCommand:
    """A message that is not a valid command, but has the id and the asset that an answer needs."""

    command_id: str
    asset_id: str
    problem: str


class CommandSource(Protocol):
    """Hands out commands; those taken but not ``done`` come again after a crash. One thread at a time."""

    def take(self, timeout_s: float) -> Sequence[Command | UnreadableCommand]:
        """Return new commands, maybe none; blocks up to ``timeout_s``, and raises when the topic can never be read."""
        ...

    def done(self) -> None:
        """Confirm that all taken commands are done; blocks until the broker has stored that, or is away."""
        ...

    def close(self) -> None:
        """Stop taking commands; those not done come again."""
        ...
