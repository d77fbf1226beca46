"""Cutting a stream into batches in any way changes nothing."""

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forewarn.contracts.quality import StatusCode
from forewarn.domain.frames.frame import Frame, concat
from forewarn.domain.guard.batch import GuardCounters, GuardSettings, RawBatch, Rejection
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState, dump, load
from unit.guard.cases import LOOP, T0, S, batch

# few distinct values, so that equal, jumping, impossible and absent ones all meet
_values = st.tuples(
    st.sampled_from([0.0, 1000.0, 1050.0, 1400.0, 9000.0, np.nan]),
    st.sampled_from([1.0, 1.0, 1.0, 9.0, 2000.0, np.nan]),
    st.sampled_from([5.0, 5.5, 30.0, np.nan]),
    st.sampled_from([40.0, 41.0, 120.0, np.inf, np.nan]),
)
_rows = st.lists(
    st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(0, 12).map(lambda s: T0 + s * 8 * S), _values),
    min_size=1,
    max_size=40,
)
PLATES = {"A": {"density_kg_m3": 900.0}, "B": {"usual_outlet_kpa": 480.0}}
_codes = st.sampled_from([0, 0, 0, 0, StatusCode.UNCERTAIN, StatusCode.BAD])


@dataclass
class Outcome:
    frame: Frame
    rejections: list[Rejection]
    state: GuardState
    counters: GuardCounters


def feed(whole: RawBatch, cuts: list[int], settings: GuardSettings, *, snapshots: bool) -> Outcome:
    asset_class = whole.asset_class
    state, counters = GuardState.empty(asset_class), GuardCounters()
    frames, rejections = [], []
    edges = [0, *sorted(c for c in set(cuts) if 0 < c < whole.rows), whole.rows]
    for start, end in pairwise(edges):
        result = check(whole.take(slice(start, end)), state, settings, PLATES)
        frames.append(result.frame)
        rejections += [replace(r, row=r.row + start) for r in result.rejections]
        state, counters = result.state, counters + result.counters
        if snapshots:
            state = load(dump([state]), {asset_class.name: asset_class}).get(asset_class.name, state)
    return Outcome(concat(frames), rejections, state, counters)


def assert_same(one: Outcome, other: Outcome) -> None:
    assert one.counters == other.counters
    assert one.rejections == other.rejections
    for name, values in one.frame.arrays.items():
        np.testing.assert_array_equal(values, other.frame.arrays[name], err_msg=name)
    for name, strings in one.frame.strings.items():
        assert strings.to_list() == other.frame.strings[name].to_list(), name
    for field in fields(GuardState):
        np.testing.assert_array_equal(
            getattr(one.state, field.name), getattr(other.state, field.name), err_msg=field.name
        )


@given(
    rows=_rows,
    codes=st.lists(_codes, min_size=160, max_size=160),
    cuts=st.lists(st.integers(1, 39), max_size=6),
    ahead=st.lists(st.sampled_from([0, 0, 0, 0, 8 * 86400]), min_size=40, max_size=40),
    strict=st.booleans(),
)
def test_any_chunking_gives_the_same_frames_rejections_and_state(rows, codes, cuts, ahead, strict):
    quality = {(i // 4, i % 4): code for i, code in enumerate(codes[: 4 * len(rows)])}
    received = [ts + ahead[i] * S for i, (_, ts, _) in enumerate(rows)]
    whole = batch(rows, quality=quality, received_at=received)
    settings = GuardSettings(strict=strict)
    together = feed(whole, [], settings, snapshots=False)
    assert_same(together, feed(whole, list(range(len(rows))), settings, snapshots=True))
    assert_same(together, feed(whole, cuts, settings, snapshots=False))
    tally = together.counters
    assert tally.accepted + tally.warned + tally.rejected + tally.duplicate == len(rows)


_reading = st.tuples(
    *[st.one_of(st.floats(55, 65), st.just(np.nan), st.just(60.0)) for _ in "abc"],
    *[st.one_of(st.floats(80, 120), st.just(np.nan)) for _ in "ab"],
    st.sampled_from([40.0, 40.0, 1.0, np.nan]),
)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["A", "B"]), st.integers(0, 60).map(lambda s: T0 + s * 47 * S), _reading),
        min_size=1,
        max_size=60,
    ),
    cuts=st.lists(st.integers(1, 59), max_size=6),
    strict=st.booleans(),
)
def test_any_chunking_gives_the_same_drift_of_redundant_sensors_to_the_last_bit(rows, cuts, strict):
    whole = batch(rows, asset_class=LOOP)
    settings = GuardSettings(strict=strict)
    together = feed(whole, [], settings, snapshots=False)
    assert_same(together, feed(whole, list(range(len(rows))), settings, snapshots=True))
    assert_same(together, feed(whole, cuts, settings, snapshots=False))
