"""Origin of a baseline, and the readings allowed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRequest:
    """Why a model is learned."""

    #: Requester and purpose; ``automatic`` for an asset's first readings.
    by: str = "automatic"
    reason: str = ""
    order_id: str = ""  #: Id of the order, so that a repeated one has no effect; empty without an order.
    since_us: int | None = None  #: Readings measured before this instant are excluded; µs since 1970 UTC.

    def allows(self, times_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which readings may be learned from, by their event times."""
        if self.since_us is None:
            return np.ones(times_us.shape, dtype=np.bool_)
        return times_us >= self.since_us

    def is_same(self, other: "LearningRequest") -> bool:
        """Return whether both are the same order."""
        return bool(self.order_id) and self.order_id == other.order_id

    @classmethod
    def restored(cls, raw: Mapping[str, Any] | None) -> "LearningRequest":
        """Read one from a snapshot; snapshots older than orders have none."""
        return AUTOMATIC if raw is None else cls(**raw)


#: The twin learns from the first readings it sees.
AUTOMATIC: Final = LearningRequest()
