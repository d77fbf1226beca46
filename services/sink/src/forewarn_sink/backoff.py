"""How long to wait before the next attempt."""

import numpy as np


class Backoff:
    """Exponential backoff up to a limit, with jitter so that several sinks do not retry in step."""

    def __init__(self, rng: np.random.Generator, *, first_s: float, limit_s: float) -> None:
        self._rng = rng
        self._first_s = first_s
        self._limit_s = limit_s
        self._failures = 0

    def next_s(self) -> float:
        """Return the seconds to wait: between half of the current step and all of it."""
        step_s: float = min(self._limit_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return step_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start over after a success."""
        self._failures = 0
