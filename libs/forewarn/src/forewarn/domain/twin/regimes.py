"""Operating regimes: modes of a machine that its drivers distinguish, found in its baseline.

Readings are split where a driver, or a principal axis of the drivers, has a gap: a stretch almost without readings,
wider than the spread on either side. A load that swings over the day is one regime, however it is distributed; two
products, or summer and winter service, are two. Gaps are searched in all readings together: within one regime a slow
driver, such as the weather, has been in few places only.

All regimes share one regression. Each has its own level and spread of the residuals: a noisy regime does not hide
faults in a calm one, and a calm one does not make a noisy one alarm.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.settings import MIN_BASELINE
from forewarn.domain.twin.statistics import fold_of

MOST_REGIMES: Final = 4

#: Value of the column ``regime`` by regime, the usual one first; the values between have other meanings.
CODES: Final = np.array([0, 4, 5, 6], dtype=np.uint8)

_LEAST_SHARE: Final = 0.05  # of the readings
_BETWEEN: Final = 0.02  # of a part's readings may lie in a gap: machines pass between regimes
_WIDE: Final = 1.2  # standard deviations of the wider side; in one regime, however skewed, a gap is below one
_NARROWEST: Final = 0.05  # standardised drivers; a regime with a constant driver still includes its noise


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Regimes:
    """Regimes of one baseline, the one with most readings first."""

    label: NDArray[np.intp]  #: Regime of each row.
    centres: FloatArray  #: In standardised drivers, shape (regimes, drivers).
    #: Standard deviation of each driver within the regimes, in standardised drivers, shape (drivers,).
    widths: FloatArray
    #: Greatest distance of a reading from its centre, in widths, shape (regimes,). ``centres`` and ``radius`` are empty
    #: where there is one regime.
    radius: FloatArray


def find_regimes(z: FloatArray) -> Regimes:
    """Find the regimes in standardised drivers, shape (rows, drivers)."""
    part = _split(z)
    count = int(part.max(initial=0)) + 1
    if count == 1:
        return Regimes(label=part, centres=np.empty((0, z.shape[1])), widths=np.ones(z.shape[1]), radius=np.empty(0))
    order = np.argsort(-np.bincount(part), kind="stable")
    part = np.argsort(order)[part]
    centres = np.array([z[part == k].mean(axis=0) for k in range(count)])
    widths = np.maximum((z - centres[part]).std(axis=0), _NARROWEST)
    distance = np.stack([(((z - centre) / widths) ** 2).sum(axis=1) for centre in centres])
    label, nearest = distance.argmin(axis=0), np.sqrt(distance.min(axis=0))
    radius = np.array([nearest[label == k].max(initial=0.0) for k in range(count)])
    return Regimes(label=label, centres=centres, widths=widths, radius=radius)


def _split(z: FloatArray) -> NDArray[np.intp]:
    """Return the part of each row, splitting at gaps while each part has enough readings."""
    least = max(MIN_BASELINE, int(_LEAST_SHARE * len(z)))
    _, axes = np.linalg.eigh(z.T @ z)
    part = np.zeros(len(z), dtype=np.intp)
    for values in (*z.T, *(z @ axes).T):
        cells = np.searchsorted(_borders(values, least), values)
        _, finer = np.unique(part * MOST_REGIMES + cells, return_inverse=True)
        if np.bincount(finer).min() >= least and finer.max() < MOST_REGIMES:
            part = finer
    return part


def _borders(values: FloatArray, least: int) -> list[float]:
    """Return the middles of the gaps of an axis, in order, at most enough to separate the regimes."""
    width, border = _gap(values, least)
    if width <= _WIDE:
        return []
    below, above = values[values <= border], values[values > border]
    return [*_borders(below, least), border, *_borders(above, least)][: MOST_REGIMES - 1]


def _gap(values: FloatArray, least: int) -> tuple[float, float]:
    """Return the widest gap with enough readings on either side, over the wider side's spread, and its middle."""
    ordered = np.sort(values)
    inside = int(_BETWEEN * len(ordered)) + 1
    starts = np.arange(least - 1, len(ordered) - least - inside + 1)
    if not starts.size:
        return 0.0, 0.0
    below, above = _spread_up_to(ordered)[starts], _spread_up_to(ordered[::-1])[::-1][starts + inside]
    width = (ordered[starts + inside] - ordered[starts]) / np.maximum(np.maximum(below, above), _NARROWEST)
    widest = int(np.argmax(width))
    start = starts[widest]
    return float(width[widest]), float(ordered[start] + ordered[start + inside]) / 2.0


def _spread_up_to(values: FloatArray) -> FloatArray:
    """Return the standard deviation of the values up to each of them."""
    count = np.arange(1, len(values) + 1)
    variance = np.cumsum(values**2) / count - (np.cumsum(values) / count) ** 2
    return np.sqrt(np.maximum(variance, 0.0))


def levels(residuals: FloatArray, label: NDArray[np.intp], count: int, folds: int) -> tuple[FloatArray, FloatArray]:
    """Return the residual level of a shared model in each regime, where it predicts left-out blocks better.

    ``residuals`` are those of left-out blocks, shape (rows, responses). Levels have shape (regimes, responses),
    held-out ones, found without the row's block, (rows, responses).
    """
    regime, block = np.eye(count)[label], np.eye(folds)[fold_of(len(label), folds)]
    known = ~np.isnan(residuals)
    parts = np.einsum("nk,nf,nr->fkr", regime, block, np.where(known, residuals, 0.0))
    counts = np.einsum("nk,nf,nr->fkr", regime, block, known.astype(np.float64))
    without = _mean(parts.sum(axis=0) - parts, counts.sum(axis=0) - counts)
    held_out = without[fold_of(len(label), folds), label]
    better = np.nansum((residuals - held_out) ** 2, axis=0) < np.nansum(residuals**2, axis=0)
    return np.where(better, _mean(parts.sum(axis=0), counts.sum(axis=0)), 0.0), np.where(better, held_out, 0.0)


def _mean(total: FloatArray, count: FloatArray) -> FloatArray:
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
