"""Commands that wait to be done."""

from collections.abc import Sequence
from typing import Protocol

from forewarn.contracts.assets import Command


class CommandSource(Protocol):
    """Hands out commands; what was taken and is not ``done`` with comes again after a crash."""

    def take(self, timeout_s: float) -> Sequence[Command]:
        """Commands that came, after ``timeout_s`` at the latest; maybe none."""
        ...

    def done(self) -> None:
        """All that was taken has been done."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...
