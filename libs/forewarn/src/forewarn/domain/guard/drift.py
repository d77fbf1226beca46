"""Compares redundant sensors and finds the one that slowly leaves the others.

A difference is divided by its tolerance and smoothed exponentially, starting from "no difference" at the first reading:
noise averages out, a drift stays. The smoothed difference is

- that of two columns, so that both are suspected;
- that of each of three or more columns from their median, so that the drifted one stands out;
- that of a residual from zero.

Every step is elementary arithmetic in the order of the readings, so that any cutting of a stream into batches gives the
same numbers to the last bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.guard_rules import RedundantSensors
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.guard.rules import certain
from forewarn.domain.guard.sequence import Placement, segment_starts
from forewarn.domain.guard.state import GuardState
from forewarn.domain.time import US_PER_S

#: One reading moves the smoothed difference by at most this share: sparse readings prove little each.
MAX_WEIGHT: Final = 1 / 8

#: Differences count as at most this many tolerances: one absurd value must not look like a drift.
MAX_TOLERANCES: Final = 4.0

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Disagreement:
    """Result of comparing redundant sensors."""

    flags: BoolArray  #: The smoothed difference exceeds its tolerance, shape (rows, ``len(state.watched)``).
    #: ``GuardState.drift`` and ``GuardState.drift_ts`` after the rows.
    values: FloatArray
    ts: NDArray[np.int64]


def compare(
    asset_class: AssetClass,
    columns: Mapping[str, FloatArray],
    ts: NDArray[np.int64],
    placement: Placement,
    state: GuardState,
) -> Disagreement:
    """Compare the redundant sensors of rows sorted by asset.

    ``columns`` are tags and derived quantities, NaN where unknown or bad, shape (rows,). Late and repeated rows are not
    compared.
    """
    flags = np.zeros((ts.shape[0], len(state.watched)), dtype=np.bool_)
    if not asset_class.redundant:
        return Disagreement(flags=flags, values=state.drift, ts=state.drift_ts)
    values, newest = state.drift.copy(), state.drift_ts.copy()
    place = 0
    for group in asset_class.redundant:
        current = placement.current
        if group.conditions:
            current = current & certain(group.conditions, columns)
        for difference in _differences(group, columns):
            rows = np.flatnonzero(current & ~np.isnan(difference))
            if rows.size:
                asset = placement.asset[rows]
                weight = _weights(ts[rows], asset, newest[:, place], group.time_constant_s)
                smooth = _smoothed(difference[rows], weight, asset, values[:, place])
                last = np.append(segment_starts(asset)[1:], rows.size) - 1
                values[asset[last], place], newest[asset[last], place] = smooth[last], ts[rows[last]]
                flags[rows, place] = np.abs(smooth) > 1.0
            place += 1
    return Disagreement(flags=flags, values=values, ts=newest)


def _differences(group: RedundantSensors, columns: Mapping[str, FloatArray]) -> list[FloatArray]:
    """Return differences in tolerances, each of shape (rows,); NaN where nothing can be compared."""
    measured = [columns[name] for name in group.columns]
    if len(measured) == 1:
        return [np.clip(measured[0] / group.tolerance, -MAX_TOLERANCES, MAX_TOLERANCES)]
    if len(measured) == 2:
        size = (np.abs(measured[0]) + np.abs(measured[1])) / 2
        return [_in_tolerances(group, measured[0] - measured[1], size)]
    matrix = np.column_stack(measured)
    ordered = np.sort(matrix, axis=1)  # NaN comes last
    known = np.count_nonzero(~np.isnan(matrix), axis=1)
    middle = np.stack([np.maximum(known - 1, 0) // 2, np.minimum(known // 2, matrix.shape[1] - 1)], axis=1)
    median = np.take_along_axis(ordered, middle, axis=1).sum(axis=1) / 2
    # with two left, each is half way from the middle; with one, nothing can be said
    gain = np.where(known == 2, 2.0, np.where(known > 2, 1.0, np.nan))
    return [_in_tolerances(group, (one - median) * gain, np.abs(median)) for one in measured]


def _in_tolerances(group: RedundantSensors, difference: FloatArray, size: FloatArray) -> FloatArray:
    tolerated = group.tolerance + group.tolerance_pct / 100 * size
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing is tolerated where everything is zero
        share = np.where(difference == 0, 0.0, difference / tolerated)
    clipped: FloatArray = np.clip(share, -MAX_TOLERANCES, MAX_TOLERANCES)
    return clipped


def _weights(
    ts: NDArray[np.int64], asset: NDArray[np.intp], newest: NDArray[np.int64], time_constant_s: float
) -> FloatArray:
    """Return the weight of each row, which grows with the time since the row before."""
    before = np.empty_like(ts)
    before[1:] = ts[:-1]
    starts = segment_starts(asset)
    before[starts] = newest[asset[starts]]
    elapsed_s = (ts.astype(np.float64) - before.astype(np.float64)) / US_PER_S  # "never" does not fit into an int64
    weights: FloatArray = np.minimum(elapsed_s / (elapsed_s + time_constant_s), MAX_WEIGHT)
    return weights


def _smoothed(difference: FloatArray, weight: FloatArray, asset: NDArray[np.intp], before: FloatArray) -> FloatArray:
    """Smooth exponentially value by value: vectorised code rounds differently in other batches."""
    smooth: list[float] = []
    owner, level = -1, 0.0
    for value, share, row in zip(difference.tolist(), weight.tolist(), asset.tolist(), strict=True):
        if row != owner:
            owner, level = row, float(before[row])
        level += share * (value - level)
        smooth.append(level)
    return np.array(smooth)
