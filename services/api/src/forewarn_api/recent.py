"""A cache whose values expire."""

from typing import Generic, TypeVar

from forewarn.ports.clock import Clock

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key; each expires after ``keep_s``."""

    def __init__(self, clock: Clock, keep_s: float) -> None:
        self._clock = clock
        self._keep_s = keep_s
        self._values: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        """Return a value; None if it is missing or has expired."""
        now_s = self._clock.monotonic_s()
        for old in [old for old, (until_s, _) in self._values.items() if until_s < now_s]:
            del self._values[old]
        found = self._values.get(key)
        return None if found is None else found[1]

    def put(self, key: K, value: V) -> None:
        """Store a value."""
        self._values[key] = (self._clock.monotonic_s() + self._keep_s, value)

    def forget(self, key: K) -> None:
        """Drop a value."""
        self._values.pop(key, None)
