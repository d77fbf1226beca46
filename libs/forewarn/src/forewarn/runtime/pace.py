"""How long a turn waits for more records after its first one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceConfig:
    """Few large transactions and frames are cheap, many small ones are not.

    A turn waits ``linger_s`` after its first record for more. After a turn of fewer than ``busy_records`` the next one
    also begins ``idle_linger_s`` later at least; after one of ``crowded_records`` it waits ``crowded_linger_s``
    instead: what a frame costs, however many readings it has, is then shared by more of them. A processor
    whose input another one has already batched needs none of it for long.
    """

    linger_s: float = 0.005
    idle_linger_s: float = 0.0
    crowded_linger_s: float = 0.005
    busy_records: int = 50
    crowded_records: int = 6_000


class Pace:
    """Remembers what the last turn gathered; times are monotonic seconds."""

    def __init__(self, config: PaceConfig) -> None:
        self._config = config
        self._linger_s = config.linger_s
        self._due_s = 0.0

    def note(self, gathered: int, now_s: float) -> None:
        """Note that a turn has gathered so many records."""
        config = self._config
        self._linger_s = config.crowded_linger_s if gathered >= config.crowded_records else config.linger_s
        self._due_s = now_s + (config.idle_linger_s if gathered < config.busy_records else 0.0)

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait for more, now that the first record of a turn is there."""
        return max(self._linger_s, self._due_s - now_s)
