"""Bands of quantities with agreed limits: what is excellent, good, fair, poor or critical.

This is the only place for them. An edge belongs to the worse band, except the last edge where the agreement reads
"above". A value within rounding of an edge is on it: 32.3 − 30.3 °C is 2 K, though it is 1.9999999999999964 in binary.
Scores run linearly from edge to edge: 90, 70, 50 and 30 points at the edges, which are also the bounds of the health
index's categories.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.health import HealthCategory
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.numerics import rounding
from forewarn.domain.physics.vibration import BOUNDARIES

#: From best to worst; a band's number is its position.
CATEGORIES: Final = (
    HealthCategory.EXCELLENT,
    HealthCategory.GOOD,
    HealthCategory.FAIR,
    HealthCategory.POOR,
    HealthCategory.CRITICAL,
)

#: Lowest score of each category, best first; below the last one it is critical.
SCORES: Final = (90.0, 70.0, 50.0, 30.0)

#: Number of an unknown value.
UNKNOWN: Final = -1

#: Points across an inner band; the outer ones continue with their neighbour's slope.
_POINTS_PER_BAND: Final = 20.0


def category_of_score(score: float) -> HealthCategory:
    """Return the category of a score: from 90 excellent, 70 good, 50 fair, 30 poor, below critical."""
    return next((c for bound, c in zip(SCORES, CATEGORIES, strict=False) if score >= bound), HealthCategory.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Five bands of a quantity."""

    unit: str  #: Of the edges (UCUM).
    #: Where good, fair, poor and critical begin: rising where less is better, falling where more is.
    edges: tuple[float, float, float, float]
    last_edge_is_poor: bool = False  #: A value exactly on the last edge is poor, not critical.
    _starts: tuple[float, ...] = field(init=False, repr=False, compare=False)  #: rising, a rounding before the edges

    def __post_init__(self) -> None:
        rising = [self._sign * edge for edge in self.edges]
        if any(low >= high for low, high in pairwise(rising)):
            raise ValueError(f"edges of bands must rise, or fall where more is better: {list(self.edges)}")
        sides = (-1.0, -1.0, -1.0, 1.0 if self.last_edge_is_poor else -1.0)
        starts = (edge + side * rounding(edge) for edge, side in zip(rising, sides, strict=True))
        object.__setattr__(self, "_starts", tuple(starts))

    @property
    def less_is_better(self) -> bool:
        """Return whether small values are good."""
        return self.edges[0] < self.edges[-1]

    @property
    def _sign(self) -> float:
        return 1.0 if self.less_is_better else -1.0

    def grade(self, values: FloatArray) -> NDArray[np.int8]:
        """Return each value's band number, 0 excellent to 4 critical; ``UNKNOWN`` for NaN."""
        values = np.asarray(values, dtype=np.float64)
        band = np.searchsorted(self._starts, self._sign * values, side="right").astype(np.int8)
        band[np.isnan(values)] = UNKNOWN
        return band

    def category(self, value: float) -> HealthCategory | None:
        """Return the band of one value; None for NaN."""
        return None if math.isnan(value) else CATEGORIES[self._place(value)]

    def score(self, value: float) -> float | None:
        """Score one value, 0–100; None for NaN.

        Its category is always that of the value: on an edge that belongs to the worse band the score is the largest
        number below the edge's points.
        """
        if math.isnan(value):
            return None
        place = self._place(value)
        k = min(max(place - 1, 0), 2)  # the inner band with the slope to use
        share = (value - self.edges[k]) / (self.edges[k + 1] - self.edges[k])
        points = SCORES[k] - _POINTS_PER_BAND * share
        highest = 100.0 if place == 0 else math.nextafter(SCORES[place - 1], 0.0)
        lowest = 0.0 if place == len(SCORES) else SCORES[place]
        return min(max(points, lowest), highest)

    def is_sound(self, value: float) -> bool:
        """Return whether the value is in the best band."""
        return self.category(value) is HealthCategory.EXCELLENT

    def _place(self, value: float) -> int:
        return bisect_right(self._starts, self._sign * value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """Agreed bands for machines of one kind, which may depend on the nameplate."""

    unit: str  #: Unit of the graded quantity (UCUM).
    nameplate: tuple[str, ...] = ()  #: Fields the bands depend on.
    #: Bands for a nameplate; None if it lacks a field.
    of_machine: Callable[[Mapping[str, float]], Bands | None]


#: Approach of evaporators and condensers: < 2 excellent, 2–3 good, 3–4.5 fair, 4.5–6 poor, > 6 critical.
CHILLER_APPROACH_K: Final = Bands(unit="K", edges=(2.0, 3.0, 4.5, 6.0), last_edge_is_poor=True)

#: Specific power of water-cooled chillers: < 0.55 excellent, < 0.70 good, < 0.85 fair, < 1.00 poor.
CHILLER_KW_PER_TON: Final = Bands(unit="kW/[ton]", edges=(0.55, 0.70, 0.85, 1.00))

#: Imbalance of phases, NEMA MG-1: < 1 excellent, < 2 good, < 3.5 fair, < 5 poor.
PHASE_IMBALANCE_PCT: Final = Bands(unit="%", edges=(1.0, 2.0, 3.5, 5.0))

_VIBRATION_UNIT: Final = "mm/s"


def vibration_bands(nameplate: Mapping[str, float]) -> Bands | None:
    """Return the zones of ISO 20816-3 as bands: A excellent, B good, the halves of C fair and poor, D critical.

    None unless the nameplate states group and support, which have no default.
    """
    stated = (nameplate.get("iso_group"), nameplate.get("iso_support"))
    for machine, boundaries in BOUNDARIES.items():
        if tuple(map(float, machine)) == stated:
            ab, bc, cd = boundaries.velocity_mm_s
            return Bands(unit=_VIBRATION_UNIT, edges=(ab, bc, (bc + cd) / 2.0, cd))
    return None


def _for_all(bands: Bands) -> Standard:
    return Standard(unit=bands.unit, of_machine=lambda _nameplate: bands)


#: Agreed bands by the name under which a class refers to them.
STANDARDS: Final[Mapping[str, Standard]] = MappingProxyType(
    {
        "chiller_approach": _for_all(CHILLER_APPROACH_K),
        "chiller_kw_per_ton": _for_all(CHILLER_KW_PER_TON),
        "phase_imbalance": _for_all(PHASE_IMBALANCE_PCT),
        "iso_20816_3": Standard(
            unit=_VIBRATION_UNIT, nameplate=("iso_group", "iso_support"), of_machine=vibration_bands
        ),
    }
)
