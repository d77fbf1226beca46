"""Distinguishes a hung main loop from a busy one."""

from forewarn.ports.clock import Clock


class Heartbeat:
    """Called by the main loop (``beat``) and by the liveness probe (``check``)."""

    def __init__(self, clock: Clock, *, limit_s: float = 60.0) -> None:
        self._clock = clock
        self._usual_limit_s = self._limit_s = limit_s
        self._last_s = clock.monotonic_s()

    def beat(self) -> None:
        """Record progress."""
        self._last_s = self._clock.monotonic_s()

    def expect_within(self, limit_s: float | None) -> None:
        """Set the longest silence from now on; None restores the usual one."""
        self._limit_s = self._usual_limit_s if limit_s is None else limit_s

    def check(self) -> str | None:
        """Return what is wrong, or None."""
        silence_s = self._clock.monotonic_s() - self._last_s
        return f"the main loop has not moved for {silence_s:.0f} s" if silence_s > self._limit_s else None
