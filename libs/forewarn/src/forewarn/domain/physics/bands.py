"""Bands of quantities that have an agreed meaning: what is excellent, good, fair, poor, critical.

This is the one place that says so. An edge belongs to the worse band, but for the last edge where the
agreement reads "above".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.health import HealthCategory
from forewarn.domain.frame import FloatArray

#: From best to worst; a band's number is its place here.
CATEGORIES: Final = (
    HealthCategory.EXCELLENT,
    HealthCategory.GOOD,
    HealthCategory.FAIR,
    HealthCategory.POOR,
    HealthCategory.CRITICAL,
)

#: Number of a value that is not known.
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Five bands of a quantity of which less is better.

    Attributes
    ----------
    unit
        Of the edges (UCUM).
    edges
        Where good, fair, poor and critical begin.
    last_edge_is_poor
        A value exactly on the last edge is poor, not critical.
    """

    unit: str
    edges: tuple[float, float, float, float]
    last_edge_is_poor: bool = False

    def __post_init__(self) -> None:
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges of bands must rise: {list(self.edges)}")

    def grade(self, values: FloatArray) -> NDArray[np.int8]:
        """Number of the band of each value, 0 excellent to 4 critical; ``UNKNOWN`` for NaN."""
        values = np.asarray(values, dtype=np.float64)
        band = np.searchsorted(self.edges, values, side="right").astype(np.int8)
        if self.last_edge_is_poor:
            band[values == self.edges[-1]] -= 1
        band[np.isnan(values)] = UNKNOWN
        return band

    def category(self, value: float) -> HealthCategory | None:
        """Band of one value; None for NaN."""
        band = int(self.grade(np.array([value]))[0])
        return None if band == UNKNOWN else CATEGORIES[band]


#: Approach of evaporators and condensers: < 2 excellent, 2–3 good, 3–4.5 fair, 4.5–6 poor, > 6 critical.
CHILLER_APPROACH_K: Final = Bands(unit="K", edges=(2.0, 3.0, 4.5, 6.0), last_edge_is_poor=True)

#: Specific power of water-cooled chillers: < 0.55 excellent, < 0.70 good, < 0.85 fair, < 1.00 poor.
CHILLER_KW_PER_TON: Final = Bands(unit="kW/[ton]", edges=(0.55, 0.70, 0.85, 1.00))

#: Imbalance of phases, NEMA MG-1: < 1 excellent, < 2 good, < 3.5 fair, < 5 poor.
PHASE_IMBALANCE_PCT: Final = Bands(unit="%", edges=(1.0, 2.0, 3.5, 5.0))

#: Bands by the formula whose results they grade.
BANDS: Final[Mapping[str, Bands]] = MappingProxyType(
    {
        "condenser_approach_k": CHILLER_APPROACH_K,
        "evaporator_approach_k": CHILLER_APPROACH_K,
        "kw_per_ton": CHILLER_KW_PER_TON,
        "phase_imbalance_pct": PHASE_IMBALANCE_PCT,
    }
)
