"""Checks that compare a value with earlier ones: spikes and frozen sensors.

All use only rows that are newer than all before ("current"), sorted by asset. A "usable" value is present, not called
bad by its gateway and physically possible.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.guard.limits import MIN_EQUAL_READINGS, TagLimits
from forewarn.domain.guard.sequence import segment_starts
from forewarn.domain.guard.state import GuardState
from forewarn.domain.time import US_PER_S

#: Closer readings are treated as this far apart: noise is not a slope.
MIN_STEP_S: Final = 1.0

BoolArray = NDArray[np.bool_]
ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recollection:
    """Findings about the current rows, shapes (rows, tags), and the state after them."""

    spike: BoolArray
    frozen: BoolArray
    state: GuardState


@dataclass(frozen=True, slots=True, eq=False)
class _TagHistory:
    """Rows of one batch, each with the row before it."""

    asset: NDArray[np.intp]
    start: NDArray[np.intp]  # first row of the row's asset
    last: NDArray[np.intp]  # last row of each asset
    ts: NDArray[np.int64]
    values: FloatArray
    usable: BoolArray
    newest: NDArray[np.intp]  # newest usable row up to and including this one; −1 without one
    raw_before: FloatArray
    ts_before: NDArray[np.int64]


def recall(  # the columns of the rows
    limits: TagLimits,
    state: GuardState,
    *,
    asset: NDArray[np.intp],
    ts: NDArray[np.int64],
    values: FloatArray,
    usable: BoolArray,
    running: BoolArray,
) -> Recollection:
    """Find spikes and frozen sensors among current rows and store the rows.

    A jump faster than the tag's limit is a spike, unless the next reading confirms it as a step. A value that stays
    exactly the same for longer than the tag allows while the machine runs is frozen. Rows are sorted by asset, then
    time; ``asset`` is each one's row of the state, ``values`` and ``usable`` have shape (rows, tags).
    """
    if asset.shape[0] == 0:
        nothing = np.zeros(values.shape, dtype=np.bool_)
        return Recollection(spike=nothing, frozen=nothing, state=state)
    history = _look_back(state, asset, ts, values, usable)
    spike, good, good_ts = _spikes(history, limits, state)
    frozen, since, equal = _frozen(history, limits, state, running)
    rows = asset[history.last]
    kept = history.newest[history.last]
    here = kept >= history.start[history.last][:, None]
    kept = np.maximum(kept, 0)
    newest_ts = state.newest_ts.copy()
    newest_ts[rows] = ts[history.last]
    grown = replace(
        state,
        newest_ts=newest_ts,
        raw=_replace(state.raw, rows, np.where(here, np.take_along_axis(values, kept, 0), state.raw[rows])),
        raw_ts=_replace(state.raw_ts, rows, np.where(here, ts[kept], state.raw_ts[rows])),
        good=good,
        good_ts=good_ts,
        unchanged_since=_replace(state.unchanged_since, rows, since),
        equal_readings=_replace(state.equal_readings, rows, equal),
    )
    return Recollection(spike=spike, frozen=frozen, state=grown)


def _look_back(
    state: GuardState, asset: NDArray[np.intp], ts: NDArray[np.int64], values: FloatArray, usable: BoolArray
) -> _TagHistory:
    rows = asset.shape[0]
    starts = segment_starts(asset)
    ends = np.append(starts[1:], rows)
    start = np.repeat(starts, ends - starts)
    newest = _newest_row(usable)
    before = np.empty_like(newest)
    before[1:] = newest[:-1]
    before[0] = -1
    here = before >= start[:, None]
    before = np.maximum(before, 0)
    return _TagHistory(
        asset=asset,
        start=start,
        last=ends - 1,
        ts=ts,
        values=values,
        usable=usable,
        newest=newest,
        raw_before=np.where(here, np.take_along_axis(values, before, 0), state.raw[asset]),
        ts_before=np.where(here, ts[before], state.raw_ts[asset]),
    )


def _spikes(
    history: _TagHistory, limits: TagLimits, state: GuardState
) -> tuple[BoolArray, FloatArray, NDArray[np.int64]]:
    """Return spikes, and the newest values without them.

    Without a jump the newest good value is the newest value. Only tags with a jump are walked row by row, because the
    reference of a row depends on the verdict before it.
    """
    jump = history.usable & (
        np.abs(history.values - history.raw_before)
        > limits.max_rate_per_s * np.maximum(_seconds(history.ts_before, history.ts[:, None]), MIN_STEP_S)
    )
    spike = np.zeros(jump.shape, dtype=np.bool_)
    rows = history.asset[history.last]
    kept = np.maximum(history.newest[history.last], 0)
    here = history.newest[history.last] >= history.start[history.last][:, None]
    good = _replace(state.good, rows, np.where(here, np.take_along_axis(history.values, kept, 0), state.good[rows]))
    good_ts = _replace(state.good_ts, rows, np.where(here, history.ts[kept], state.good_ts[rows]))
    pending = state.good_ts[rows] != state.raw_ts[rows]
    jumped = np.logical_or.reduceat(jump, history.start[history.last], axis=0) if jump.any() else pending
    for segment, tag in np.argwhere(jumped | pending).tolist():
        window = slice(int(history.start[history.last[segment]]), int(history.last[segment]) + 1)
        row = int(rows[segment])
        spike[window, tag], good[row, tag], good_ts[row, tag] = _walk(
            history, window, tag, float(limits.max_rate_per_s[tag]), state, row
        )
    return spike, good, good_ts


def _walk(  # one tag of one asset, value by value
    history: _TagHistory, window: slice, tag: int, rate_per_s: float, state: GuardState, row: int
) -> tuple[BoolArray, float, int]:
    good, good_ts = float(state.good[row, tag]), int(state.good_ts[row, tag])
    raw, raw_ts = float(state.raw[row, tag]), int(state.raw_ts[row, tag])
    values, usable = history.values[window, tag].tolist(), history.usable[window, tag].tolist()
    spike = np.zeros(len(values), dtype=np.bool_)
    for position, (value, use, ts) in enumerate(zip(values, usable, history.ts[window].tolist(), strict=True)):
        if not use:
            continue
        from_good = abs(value - good) > rate_per_s * max((ts - good_ts) / US_PER_S, MIN_STEP_S)
        from_raw = abs(value - raw) > rate_per_s * max((ts - raw_ts) / US_PER_S, MIN_STEP_S)
        if from_good and from_raw:
            spike[position] = True
        else:
            good, good_ts = value, ts
        raw, raw_ts = value, ts
    return spike, good, good_ts


def _frozen(
    history: _TagHistory, limits: TagLimits, state: GuardState, running: BoolArray
) -> tuple[BoolArray, NDArray[np.int64], NDArray[np.int64]]:
    """Return values that stay the same for too long; for each tag, since when and over how many readings."""
    # nothing before: NaN differs from everything
    moved = (history.values != history.raw_before) | ~running[:, None]
    changed = _newest_row(history.usable & moved)
    here = changed >= history.start[:, None]
    since = np.where(here, history.ts[np.maximum(changed, 0)], state.unchanged_since[history.asset])
    same_us = history.ts[:, None].astype(np.float64) - since
    long = history.usable & ~moved & (same_us >= limits.frozen_after_us)
    seen = np.cumsum(history.usable, axis=0, dtype=np.int64)
    equal = _equal_readings(history, state, seen, changed, history.last)
    if long.any():
        rows = np.flatnonzero(long.any(axis=1))
        long[rows] &= _equal_readings(history, state, seen, changed, rows) >= MIN_EQUAL_READINGS
    return long, since[history.last], equal


def _equal_readings(
    history: _TagHistory,
    state: GuardState,
    seen: NDArray[np.int64],
    changed: NDArray[np.intp],
    rows: NDArray[np.intp],
) -> NDArray[np.int64]:
    """Count the usable readings up to and including these rows since the value last changed."""
    start, since = history.start[rows], changed[rows]
    before_start = seen[start] - history.usable[start]
    before_change = np.take_along_axis(seen, np.maximum(since, 0), 0) - 1
    count: NDArray[np.int64] = np.where(
        since >= start[:, None],
        seen[rows] - before_change,
        seen[rows] - before_start + state.equal_readings[history.asset[rows]],
    )
    return count


def _newest_row(flags: BoolArray) -> NDArray[np.intp]:
    """Return the newest row with the flag up to and including each; −1 without one."""
    rows = np.arange(flags.shape[0], dtype=np.intp)[:, None]
    newest: NDArray[np.intp] = np.maximum.accumulate(np.where(flags, rows, -1), axis=0)
    return newest


def _seconds(earlier: NDArray[np.int64], later: NDArray[np.int64]) -> FloatArray:
    # as floats: the distance from "never" does not fit into an int64
    return (later.astype(np.float64) - earlier.astype(np.float64)) / US_PER_S


def _replace(old: ArrayT, rows: NDArray[np.intp], new: ArrayT) -> ArrayT:
    out = old.copy()
    out[rows] = new
    return out
