"""Limits of a class as arrays, computed once per class."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.time import US_PER_S

#: A sensor counts as stuck only after this many equal readings: at slow sampling a coarse sensor of a steady machine
#: repeats itself now and then.
MIN_EQUAL_READINGS: Final = 24

_LARGEST: Final = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TagLimits:
    """Limits of every tag, each of shape (tags,); an unset limit is infinite."""

    hard_low: FloatArray
    hard_high: FloatArray
    engineering_low: FloatArray
    engineering_high: FloatArray
    max_rate_per_s: FloatArray
    frozen_after_us: FloatArray


@lru_cache(maxsize=256)
def limits_of(asset_class: AssetClass) -> TagLimits:
    """Collect the limits of a class."""
    tags = asset_class.tags
    hard = [tag.hard_range or (-_LARGEST, _LARGEST) for tag in tags]
    return TagLimits(
        hard_low=np.array([low for low, _ in hard]),
        hard_high=np.array([high for _, high in hard]),
        engineering_low=np.array([tag.engineering_range[0] for tag in tags]),
        engineering_high=np.array([tag.engineering_range[1] for tag in tags]),
        max_rate_per_s=np.array([tag.max_rate_per_s or np.inf for tag in tags]),
        frozen_after_us=np.array([(tag.frozen_after_s or np.inf) * US_PER_S for tag in tags]),
    )
