"""Decides how long a turn waits for more records after its first one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceConfig:
    """Times that trade latency against cost: few large transactions and frames are cheaper than many small ones.

    A turn waits ``linger_s`` after its first record. After a turn of fewer than ``busy_records`` the next one begins
    no sooner than ``idle_linger_s`` later; after one of ``crowded_records`` it waits ``crowded_linger_s`` instead, so
    that more readings share the fixed cost of a frame. A processor whose input is already batched can wait less.
    """

    linger_s: float = 0.005
    idle_linger_s: float = 0.0
    crowded_linger_s: float = 0.005
    busy_records: int = 50
    crowded_records: int = 6_000


class Pace:
    """Computes waits from the size of the last turn; times are monotonic seconds."""

    def __init__(self, config: PaceConfig) -> None:
        self._config = config
        self._linger_s = config.linger_s
        self._due_s = 0.0

    def note(self, gathered: int, now_s: float) -> None:
        """Note the size of a turn."""
        config = self._config
        self._linger_s = config.crowded_linger_s if gathered >= config.crowded_records else config.linger_s
        self._due_s = now_s + (config.idle_linger_s if gathered < config.busy_records else 0.0)

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait for more after a turn's first record."""
        return max(self._linger_s, self._due_s - now_s)
