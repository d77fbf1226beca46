"""Range of a healthy machine's measurements around the twin's prediction.

The interval of a tag is P5 to P95 of held-out healthy residuals, widened by ``statistics.caution`` where few of those
readings are independent. It is published once, with the model; a reading's own columns place and scale it, so that no
extra column is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.statistics import caution, independent_readings

#: Quantiles that bound 90 % of healthy readings.
LOW, HIGH = 0.05, 0.95

_WEAKEST: Final = 0.05  # a smaller residual cannot show its own scale: the columns are rounded


class Band(Protocol):
    """A tag's interval: offsets from the expected value, and the residuals' unit."""

    @property
    def low(self) -> float:
        """Return the offset of the lower end, in the tag's unit."""
        ...

    @property
    def high(self) -> float:
        """Return the offset of the upper end."""
        ...

    @property
    def scale(self) -> float:
        """Return the healthy standard deviation of the residuals."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetInterval:
    """Offsets of both ends from the expected value, and the unit of the residuals; all in the tag's unit."""

    low: float
    high: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRegime:
    """An operating regime found in a baseline.

    ``code`` is its value in the column ``regime``, ``share`` that of the readings, ``centre`` the middle of each driver
    in its unit; ``intervals`` go by judged tag.
    """

    code: int
    share: float
    centre: Mapping[str, float]
    intervals: Mapping[str, OffsetInterval]


def interval_of(residuals: FloatArray, scale: float) -> OffsetInterval | None:
    """Compute an interval from held-out residuals in the tag's unit, shape (rows,), oldest first; None without any."""
    known = residuals[~np.isnan(residuals)]
    if not known.size or not np.isfinite(scale):
        return None
    wider = caution(independent_readings(known))
    low, high = np.quantile(known, (LOW, HIGH)) * wider
    return OffsetInterval(low=float(low), high=float(high), scale=scale)


def bounds(
    values: Mapping[str, float | None],
    expected: Mapping[str, float | None],
    residual: Mapping[str, float | None],
    bands: Mapping[str, Band],
) -> dict[str, tuple[float, float]]:
    """Return the interval of each expected value of one reading, in the tag's unit.

    Outside its learned range a model scales down all residuals by one factor; the interval is widened by the same,
    derived from the residual farthest from zero.
    """
    known = [name for name in bands if expected.get(name) is not None]
    wider = max(1.0, _widening(values, expected, residual, bands, known))
    ends = {}
    for name in known:
        middle = expected[name]
        if middle is not None:
            ends[name] = (middle + wider * bands[name].low, middle + wider * bands[name].high)
    return ends


def _widening(
    values: Mapping[str, float | None],
    expected: Mapping[str, float | None],
    residual: Mapping[str, float | None],
    bands: Mapping[str, Band],
    known: list[str],
) -> float:
    farthest, widening = _WEAKEST, 1.0
    for name in known:
        measured, middle, distance = values.get(name), expected[name], residual.get(name)
        if measured is None or middle is None or distance is None or abs(distance) <= farthest:
            continue
        farthest, widening = abs(distance), (measured - middle) / (distance * bands[name].scale)
    return widening
