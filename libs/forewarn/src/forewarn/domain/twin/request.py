"""Who asked for a baseline, and what may be learned for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRequest:
    """Why a model is learned."""

    #: Who asked and what for; ``automatic`` for an asset's first readings.
    by: str = "automatic"
    reason: str = ""
    order_id: str = ""  #: Names the order, so that one that comes twice is obeyed once; empty without an order.
    since_us: int | None = None  #: Readings measured before this instant are not learned from; µs since 1970 UTC.

    def allows(self, times_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which readings may be learned from, by their event times."""
        if self.since_us is None:
            return np.ones(times_us.shape, dtype=np.bool_)
        return times_us >= self.since_us

    def is_same(self, other: "LearningRequest") -> bool:
        """Whether both are one order."""
        return bool(self.order_id) and self.order_id == other.order_id

    @classmethod
    def restored(cls, raw: Mapping[str, Any] | None) -> "LearningRequest":
        """Read it from a snapshot; one from before there were orders has none."""
        return AUTOMATIC if raw is None else cls(**raw)


#: The twin learns from what it sees first.
AUTOMATIC: Final = LearningRequest()
