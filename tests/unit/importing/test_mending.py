"""Gaps, ghosts and rows of one time: facts that hold however a file is cut."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.importing.gaps import UNCERTAIN, Pending, Rows, close_gaps
from forewarn.domain.importing.ghosts import Extent, ghosts
from forewarn.domain.importing.merging import merge

S = 1_000_000
NAN = float("nan")


def rows(seconds, *columns, quality=None):
    values = np.array(columns, dtype=np.float64).T.reshape(len(seconds), -1)
    codes = np.zeros(values.shape, np.uint8) if quality is None else np.array(quality, np.uint8).T.reshape(values.shape)
    return Rows(ts=np.array(seconds, dtype=np.int64) * S, values=values, quality=codes)


def closed(parts, max_gap_s):
    pending, out, filled = Pending.blank(parts[0].values.shape[1]), [], []
    for part in parts:
        pending, ready, put_in = close_gaps(pending, part, max_gap_s * S, last=False)
        out.append(ready)
        filled.append(put_in)
    _, ready, put_in = close_gaps(pending, Rows.none(parts[0].values.shape[1]), max_gap_s * S, last=True)
    whole = out[0]
    for part in [*out[1:], ready]:
        whole = whole.then(part)
    return whole, np.concatenate([*filled, put_in])


def test_a_short_gap_is_closed_by_a_straight_line_in_time_and_called_uncertain():
    out, filled = closed([rows([0, 1, 4, 5], [10.0, NAN, NAN, 20.0])], 5)
    assert out.values[:, 0].tolist() == [10.0, 12.0, 18.0, 20.0]
    assert out.quality[:, 0].tolist() == [0, UNCERTAIN, UNCERTAIN, 0]
    assert filled[:, 0].tolist() == [False, True, True, False]


@pytest.mark.parametrize("values", [[NAN, NAN, 3.0], [3.0, NAN, NAN], [NAN, NAN, NAN]])
def test_nothing_is_invented_before_the_first_value_or_after_the_last(values):
    out, filled = closed([rows([0, 1, 2], values)], 100)
    assert not filled.any()
    np.testing.assert_array_equal(out.values[:, 0], values)


def test_a_gap_that_is_too_long_stays_open():
    out, _ = closed([rows([0, 3, 6], [1.0, NAN, 2.0])], 5)
    assert np.isnan(out.values[1, 0])


def test_a_value_known_to_be_bad_is_neither_replaced_nor_used():
    out, filled = closed([rows([0, 1, 2], [1.0, NAN, 3.0], quality=[[0, 2, 0]])], 5)
    assert not filled.any()
    out, _ = closed([rows([0, 1, 2, 3], [1.0, 99.0, NAN, 4.0], quality=[[0, 2, 0, 0]])], 5)
    assert out.values[:, 0].tolist() == [1.0, 99.0, 3.0, 4.0]


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([1.0, 2.5, NAN]), st.sampled_from([7.0, NAN])), min_size=1),
    st.sets(st.integers(1, 60), max_size=6),
    st.integers(0, 30),
)
def test_gaps_are_closed_alike_however_the_rows_are_cut(steps, cuts, max_gap_s):
    seconds = np.cumsum([step for step, _, _ in steps])
    whole = rows(seconds, [a for _, a, _ in steps], [b for _, _, b in steps])
    bounds = [0, *sorted(cut for cut in cuts if cut < whole.count), whole.count]
    parts = [whole.take(slice(a, b)) for a, b in itertools.pairwise(bounds)]
    one, filled_one = closed([whole], max_gap_s)
    many, filled_many = closed(parts, max_gap_s)
    np.testing.assert_array_equal(one.ts, whole.ts)
    np.testing.assert_array_equal(one.values, many.values)
    np.testing.assert_array_equal(one.quality, many.quality)
    np.testing.assert_array_equal(filled_one, filled_many)
    known = ~np.isnan(whole.values)
    np.testing.assert_array_equal(one.values[known], whole.values[known])


def test_rows_of_one_time_become_one_and_what_repeats_is_counted():
    given_rows = rows([2, 1, 2, 2, 1], [NAN, 1.0, 5.0, 5.0, 1.0], [8.0, NAN, NAN, NAN, NAN])
    merged = merge(given_rows)
    assert merged.rows.ts.tolist() == [1 * S, 2 * S]
    np.testing.assert_array_equal(merged.rows.values, [[1.0, NAN], [5.0, 8.0]])
    assert merged.repeated.tolist() == [3, 4]
    assert merged.conflicts == ()


def test_of_two_values_for_one_tag_and_time_the_first_stays_and_the_other_is_named():
    merged = merge(rows([1, 1, 2], [5.0, 6.0, 7.0]))
    assert merged.rows.values[:, 0].tolist() == [5.0, 7.0]
    assert merged.conflicts == ((1, 0),)
    assert merged.repeated.size == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1.0, 2.0, NAN])), min_size=1))
def test_merging_makes_times_rise_and_loses_no_tag(pairs):
    given_rows = rows([t for t, _ in pairs], [v for _, v in pairs])
    merged = merge(given_rows)
    assert (np.diff(merged.rows.ts) > 0).all()
    spoken = {t * S for t, v in pairs if not np.isnan(v)}
    assert {int(t) for t, v in zip(merged.rows.ts, merged.rows.values[:, 0], strict=True) if not np.isnan(v)} == spoken


def test_flat_lines_and_empty_columns_are_ghosts_machine_by_machine():
    values = np.column_stack([np.arange(50.0), np.full(50, 3.0), np.full(50, NAN), np.full(50, 7.0)])
    asset = np.repeat([0, 1], 25)
    values[asset == 1, 1] = np.arange(25)
    extent = Extent.blank(0, 4)
    for part in np.split(np.arange(50), [10, 40]):
        extent = extent.grown(asset[part], values[part], 2)
    assert ghosts(extent, spared=[3]) == {(0, 1): "flat", (0, 2): "missing", (1, 2): "missing"}


def test_few_equal_values_are_no_ghost():
    extent = Extent.blank(1, 1).grown(np.zeros(5, dtype=np.intp), np.full((5, 1), 3.0), 1)
    assert ghosts(extent, spared=[]) == {}
