"""Place of each reading in its asset's history: newest, late, or a repetition of the newest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import Strings
from forewarn.domain.guard.state import GuardState


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Placement:
    """Rows sorted by asset, in their order of arrival within an asset."""

    order: NDArray[np.intp]  #: Row of the batch for each sorted row.
    asset: NDArray[np.intp]  #: Row of the state for each sorted row.
    starts: NDArray[np.intp]  #: First sorted row of each asset.
    newest: NDArray[np.int64]  #: Newest event time of the asset up to and including the row [µs].
    current: NDArray[np.bool_]  #: The row is newer than all before it; only such rows are stored.
    late: NDArray[np.bool_]  #: The row is older than one before it.


def state_rows(assets: Strings, state: GuardState) -> tuple[GuardState, NDArray[np.intp]]:
    """Assign every asset a row of the state, new ones in order of their first reading."""
    known = _row_of(state.assets)
    if any(name not in known for name in assets.categories):
        used, first = np.unique(assets.codes, return_index=True)
        state = state.with_assets(assets.categories[code] for code in used[np.argsort(first)].tolist())
        known = _row_of(state.assets)
    table = np.array([known.get(name, -1) for name in assets.categories], dtype=np.intp)
    return state, table[assets.codes]


@lru_cache(maxsize=64)
def _row_of(assets: tuple[str, ...]) -> Mapping[str, int]:
    return {name: row for row, name in enumerate(assets)}


def place(ts: NDArray[np.int64], asset: NDArray[np.intp], state: GuardState) -> Placement:
    """Sort rows by asset and find their places in time.

    ``ts`` are event times [µs] in order of arrival, ``asset`` the state's row of each; ``state`` has each asset's
    newest time before these rows.
    """
    order = np.argsort(asset, kind="stable")
    ts, asset = ts[order], asset[order]
    starts = segment_starts(asset)
    before = state.newest_ts[asset]
    newest = _cumulative_maximum(np.maximum(ts, before), starts)
    newest_before = np.empty_like(newest)
    newest_before[1:] = newest[:-1]
    newest_before[starts] = before[starts]
    return Placement(
        order=order, asset=asset, starts=starts, newest=newest, current=ts > newest_before, late=ts < newest_before
    )


def segment_starts(asset: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the first row of each run of equal numbers."""
    change = np.ones(asset.shape[0], dtype=np.bool_)
    np.not_equal(asset[1:], asset[:-1], out=change[1:])
    return np.flatnonzero(change)


def repetitions(
    place: Placement, ts: NDArray[np.int64], passed: NDArray[np.bool_], state: GuardState
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find duplicates: rows of the newest time after an accepted row of that time.

    ``passed`` marks sorted rows that would become valid data; ``state`` has the same for the newest reading before
    them. Returns duplicates by sorted row, and by asset whether its newest reading is accepted after these rows.
    """
    at_newest = ts == place.newest
    repeats = np.flatnonzero(at_newest & ~place.current)
    duplicate = np.zeros(ts.shape[0], dtype=np.bool_)
    accepted = state.newest_accepted.copy()
    ends = np.append(place.starts[1:], ts.shape[0])
    if repeats.size == 0:
        last_current = _last_true(place.current, place.starts, ends)
        moved = last_current >= 0
        accepted[place.asset[place.starts[moved]]] = passed[last_current[moved]]
        return duplicate, accepted
    for start, end in zip(place.starts.tolist(), ends.tolist(), strict=True):
        _walk(place, at_newest, passed, duplicate, accepted, range(start, end))
    return duplicate, accepted


def _walk(  # the columns of one loop over rows
    place: Placement,
    at_newest: NDArray[np.bool_],
    passed: NDArray[np.bool_],
    duplicate: NDArray[np.bool_],
    accepted: NDArray[np.bool_],
    rows: Sequence[int],
) -> None:
    done = bool(accepted[place.asset[rows[0]]])
    for row in rows:
        if place.current[row]:
            done = bool(passed[row])
        elif at_newest[row]:
            duplicate[row] = done
            done = done or bool(passed[row])
    accepted[place.asset[rows[0]]] = done


def _last_true(flags: NDArray[np.bool_], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.intp]:
    last = np.maximum.accumulate(np.where(flags, np.arange(flags.shape[0]), -1))[ends - 1]
    return np.where(last >= starts, last, -1)


def _cumulative_maximum(values: NDArray[np.int64], starts: NDArray[np.intp]) -> NDArray[np.int64]:
    distinct, rank = np.unique(values, return_inverse=True)
    segment = np.zeros(values.shape[0], dtype=np.int64)
    segment[starts[1:]] = 1
    base = np.cumsum(segment) * distinct.shape[0]  # lifts each segment above the one before it
    maximum: NDArray[np.int64] = distinct[np.maximum.accumulate(rank + base) - base]
    return maximum
