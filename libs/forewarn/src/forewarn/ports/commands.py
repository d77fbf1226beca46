"""Commands from a topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forewarn.contracts.assets import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCommand:
    """An invalid command that has the id and asset needed for an answer to its sender."""

    command_id: str
    asset_id: str
    problem: str


class CommandSource(Protocol):
    """Delivers commands, one thread at a time; commands taken but not ``done`` come again after a crash.

    Rebalances happen within ``take``. Commands taken before one may also be done by another process.
    """

    def take(self, timeout_s: float) -> Sequence[Command | UnreadableCommand]:
        """Return new commands; blocks up to ``timeout_s``, and longer while the broker is away at the start.

        Raises the client's exception if the topic can never be read.
        """
        ...

    def done(self) -> None:
        """Store that everything taken is done; blocks while the broker stores that, never raises."""
        ...

    def close(self) -> None:
        """Leave the group; blocks until the broker confirms."""
        ...
