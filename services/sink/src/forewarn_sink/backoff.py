"""How long to wait before the next attempt."""

import numpy as np


class Backoff:
    """Doubles with every failure up to a limit; jitter keeps several sinks from knocking in step."""

    def __init__(self, rng: np.random.Generator, *, first_s: float, limit_s: float) -> None:
        self._rng = rng
        self._first_s = first_s
        self._limit_s = limit_s
        self._failures = 0

    def next_s(self) -> float:
        """Return seconds to wait now: between half and all of the step that is due."""
        step_s: float = min(self._limit_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return step_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start small again after a success."""
        self._failures = 0
