"""Regressions from sums of blocks are those from the rows themselves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.moments import Moments, left_out
from forewarn.domain.twin.statistics import blocks_in_turn, fold_of


def by_rows(design: FloatArray, measured: FloatArray, penalties: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The textbook: the penalty as further rows of a least-squares problem of centred columns."""
    centred, wanted = design - design.mean(axis=0), measured - measured.mean(axis=0)
    loaded = np.vstack([centred, np.diag(np.sqrt(penalties * len(design)))])
    slopes = np.linalg.lstsq(loaded, np.vstack([wanted, np.zeros((len(penalties), wanted.shape[1]))]), rcond=None)[0]
    return measured.mean(axis=0) - design.mean(axis=0) @ slopes, slopes


@given(seed=st.integers(0, 10_000), rows=st.integers(40, 90), folds=st.integers(2, 10))
def test_each_block_is_expected_by_a_regression_of_all_other_rows(seed, rows, folds):
    rng = np.random.default_rng(seed)
    design, penalties = rng.normal(0.3, 1.0, (rows, 4)), np.array([[1e-4] * 4, [1e-6, 1.0, 1.0, 1.0]])
    measured = design @ rng.normal(size=(4, 2)) + rng.normal(size=(rows, 2))
    whole, expected = left_out(design, measured, blocks_in_turn(rows, folds), penalties)
    fold = fold_of(rows, folds)
    for choice, own in enumerate(penalties):
        for number in range(folds):
            out = fold == number
            intercept, slopes = by_rows(design[~out], measured[~out], own)
            np.testing.assert_allclose(expected[choice, out], intercept + design[out] @ slopes, atol=1e-7)
        intercept, slopes = by_rows(design, measured, own)
        np.testing.assert_allclose(whole.solved(penalties)[0][choice], intercept, atol=1e-7)
        np.testing.assert_allclose(whole.solved(penalties)[1][choice], slopes, atol=1e-7)


def test_sets_of_rows_add_up():
    design, measured = np.arange(12.0).reshape(6, 2), np.arange(6.0)[:, None]
    sums = Moments.of_blocks(design, measured, blocks_in_turn(6, 3))
    assert sums.rows.tolist() == [2, 2, 2]
    assert sums.total().squares.tolist() == (design.T @ design).tolist()
    assert sums.others().products[1].tolist() == (design[[0, 1, 4, 5]].T @ measured[[0, 1, 4, 5]]).tolist()
