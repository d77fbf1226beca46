"""Standardisation by healthy rows, the same for all detectors."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

_FLAT: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class HealthyScale:
    """Centre and spread of the features that vary in healthy rows; the others are left out."""

    kept: NDArray[np.intp]
    centre: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, healthy: FloatArray) -> "HealthyScale":
        """Learn from rows of shape (rows, features)."""
        spread = healthy.std(axis=0)
        kept = np.flatnonzero(spread > _FLAT)
        return cls(kept, healthy.mean(axis=0)[kept], spread[kept])

    def apply(self, rows: FloatArray) -> FloatArray:
        """Return rows in healthy standard deviations, shape (rows, kept)."""
        standard: FloatArray = (rows[:, self.kept] - self.centre) / self.spread
        return standard
