"""Commands that wait to be carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forewarn.contracts.assets import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCommand:
    """A message that is not a valid command, but has the id and asset that an answer to its sender needs."""

    command_id: str
    asset_id: str
    problem: str


class CommandSource(Protocol):
    """Hands out commands, one thread at a time; what was taken but is not ``done`` comes again after a crash.

    Rebalances happen within ``take``. Commands taken before one may be done by another process as well.
    """

    def take(self, timeout_s: float) -> Sequence[Command | UnreadableCommand]:
        """Return the commands that came; blocks up to ``timeout_s``, and longer while the broker is away at the start.

        Raises the client's exception if the topic can never be read.
        """
        ...

    def done(self) -> None:
        """Note that all that was taken has been done; blocks while the broker stores that, never raises."""
        ...

    def close(self) -> None:
        """Leave the group; blocks until the broker knows."""
        ...
