"""Deviation of outcomes from predictions, learned from predictions for units the model had not seen.

Among the held-out predictions closest to a new one, Kaplan and Meier's product limit estimates the distribution of
actual minus predicted life; units taken out of service give only a lower bound. The distribution is then stretched,
below and above its median, as in conformal prediction, until P10 and P90 hold for held-out units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.runs import BoolArray, IntArray

#: Share of the held-out predictions that count as close: at least this, one over the root of the number of units where
#: they are few (errors differ by unit), at most half.
NEIGHBOURS: Final = (0.1, 0.5)
MIN_NEIGHBOURS: Final = 50

#: Share of units beyond each end of the interval.
TAIL: Final = 0.1

#: Rows used to learn the stretch.
_STRETCH_ROWS: Final = 2_000

#: A distribution is never narrowed to less than this.
_LEAST_STRETCH: Final = 0.1

_NO_ONE: Final = -1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LifeOutlook:
    """Held-out predictions in rising order, and their outcomes; arrays of shape (rows,)."""

    predicted: FloatArray  #: Predicted remaining life.
    actual: FloatArray  #: Actual remaining life, or how long the unit was seen to live on.
    known: BoolArray  #: Whether ``actual`` ended in a failure.
    unit: IntArray  #: The unit: rows of one unit are not independent.
    share: float  #: Share of the predictions that count as close.
    #: Factor of the distribution's width below and above its median.
    below: float = 1.0
    above: float = 1.0

    def __post_init__(self) -> None:
        if np.any(np.diff(self.predicted) < 0.0):
            raise ValueError("predictions must rise")
        if not self.predicted.shape == self.actual.shape == self.known.shape == self.unit.shape:
            raise ValueError("predictions and outcomes differ in number")
        if not (self.below > 0.0 and self.above > 0.0):
            raise ValueError("a distribution can be stretched by positive factors only")

    def around(self, predicted: float, without: int = _NO_ONE) -> "LifeSpread":
        """Return the outcomes of similar predictions, optionally without one unit."""
        near, weight = self._near(predicted)
        weight = np.where(self.unit[near] == without, 0.0, weight)
        known = self.known[near]
        excess = self.actual[near] - self.predicted[near]
        order = np.lexsort((~known, excess))
        spread = LifeSpread(excess=excess[order], reached=_product_limit(weight[order], known[order]))
        return spread.stretched(self.below, self.above)

    def _near(self, predicted: float) -> tuple[slice, FloatArray]:
        """Return the closest predictions, with weights that fall to zero at the edge (Epanechnikov)."""
        wanted = min(self.predicted.size, max(MIN_NEIGHBOURS, round(self.share * self.predicted.size)))
        place = int(np.searchsorted(self.predicted, predicted))
        low, high = max(0, place - wanted), min(self.predicted.size, place + wanted)
        reach = float(np.partition(np.abs(self.predicted[low:high] - predicted), wanted - 1)[wanted - 1])
        first = int(np.searchsorted(self.predicted, predicted - reach, side="left"))
        after = int(np.searchsorted(self.predicted, predicted + reach, side="right"))
        near = slice(first, max(after, first + 1))
        distance = np.abs(self.predicted[near] - predicted) / (reach or 1.0)
        return near, 1.01 - np.minimum(distance, 1.0) ** 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LifeSpread:
    """Distribution of actual minus predicted life: ``reached[i]`` is the probability of at most ``excess[i]``."""

    excess: FloatArray
    reached: FloatArray

    def quantiles(self, levels: Sequence[float]) -> FloatArray:
        """Return quantiles, shape (levels,); the longest time seen stands in beyond the last known failure."""
        place = np.searchsorted(self.reached, np.asarray(levels) - 1e-12, side="left")
        quantiles: FloatArray = self.excess[np.minimum(place, self.excess.size - 1)]
        return quantiles

    def stretched(self, below: float, above: float) -> "LifeSpread":
        """Stretch all distances from the median."""
        middle = float(self.quantiles([0.5])[0])
        distance = self.excess - middle
        return replace(self, excess=middle + distance * np.where(distance < 0.0, below, above))

    def probability(self, excess: float) -> float:
        """Return the probability of living at most ``excess`` beyond the prediction."""
        place = int(np.searchsorted(self.excess, excess, side="right"))
        return float(self.reached[place - 1]) if place else 0.0

    def mean_beyond(self, predicted: float, bound: float, cap: float) -> float:
        """Return the expected life of a unit that outlives ``bound``, no life counted longer than ``cap``."""
        life = np.minimum(predicted + self.excess, cap)
        chance = np.diff(self.reached, prepend=0.0) * (life > bound)
        chance[-1] += (1.0 - self.reached[-1]) * (life[-1] > bound)
        total = float(chance.sum())
        return min(bound, cap) if total <= 0.0 else float((chance * life).sum() / total)


def learn_outlook(
    predicted: FloatArray, actual: FloatArray, known: BoolArray, unit: IntArray, *, cap: float = np.inf
) -> LifeOutlook:
    """Learn from held-out predictions and outcomes, in any order.

    ``cap`` is the longest life distinguished: an interval that reaches it says "at least" and always holds.
    """
    order = np.argsort(predicted, kind="stable")
    share = float(np.clip(np.unique(unit).size ** -0.5, *NEIGHBOURS))
    plain = LifeOutlook(
        predicted=predicted[order], actual=actual[order], known=known[order], unit=unit[order], share=share
    )
    below, above = _stretches(plain, cap)
    return replace(plain, below=below, above=above)


def _stretches(plain: LifeOutlook, cap: float) -> tuple[float, float]:
    """Return how far P10 and P90 must move from the median to hold for held-out units."""
    rows = np.flatnonzero(plain.known)
    if np.unique(plain.unit[rows]).size < 2:
        return 1.0, 1.0
    rows = rows[:: max(1, rows.size // _STRETCH_ROWS)]
    spreads = np.array(
        [
            plain.around(float(plain.predicted[row]), without=int(plain.unit[row])).quantiles([TAIL, 0.5, 1.0 - TAIL])
            for row in rows.tolist()
        ]
    )
    excess = plain.actual[rows] - plain.predicted[rows]
    low, middle, high = spreads.T
    passable = plain.predicted[rows] + high < cap
    return (
        _needed(middle - excess, middle - low),
        _needed((excess - middle)[passable], (high - middle)[passable]),
    )


def _needed(distance: FloatArray, width: FloatArray) -> float:
    """Return the factor of the widths that covers all but ``TAIL`` of the distances."""
    usable = width > 0.0
    if not usable.any():
        return 1.0
    return max(_LEAST_STRETCH, float(np.quantile(distance[usable] / width[usable], 1.0 - TAIL)))


def _product_limit(weight: FloatArray, known: BoolArray) -> FloatArray:
    """Return the probability of having ended by each of the sorted times, by Kaplan and Meier."""
    at_risk = np.cumsum(weight[::-1])[::-1]
    ends = np.where(known, weight, 0.0)
    share = np.divide(ends, at_risk, out=np.zeros(ends.shape), where=at_risk > 0.0)
    return np.asarray(1.0 - np.cumprod(1.0 - np.minimum(share, 1.0)), dtype=np.float64)
