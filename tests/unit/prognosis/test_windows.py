import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.prognosis.windows import MIN_SLOPE_ROWS, trailing


def by_hand(time, values, row, width):
    inside = (time > time[row] - width) & (np.arange(time.size) <= row)
    mean, slope = np.nan, np.nan
    known = inside & np.isfinite(values)
    if known.any():
        mean = values[known].mean()
    if np.count_nonzero(known) >= MIN_SLOPE_ROWS:
        slope = np.polyfit(time[known], values[known], 1)[0]
    return mean, slope


@given(
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.02, 0.1, 0.35, np.inf]),
    st.sampled_from([0.0, 0.3]),
)
def test_means_and_slopes_are_those_of_the_known_values_in_the_window(rows, seed, width, missing):
    rng = np.random.default_rng(seed)
    time = 3.0 + np.cumsum(rng.uniform(0.01, 0.05, rows))
    values = rng.normal(size=(rows, 2))
    values[rng.random(values.shape) < missing] = np.nan
    every = np.arange(rows)
    got = trailing(time, values, every, [width], [width]).reshape(rows, 2, 2)
    for row in range(rows):
        for tag in range(2):
            mean, slope = by_hand(time, values[:, tag], row, width)
            assert got[row, 0, tag] == pytest.approx(mean, nan_ok=True, abs=1e-9)
            assert got[row, 1, tag] == pytest.approx(slope, nan_ok=True, abs=1e-6)


def test_what_comes_later_changes_nothing():
    rng = np.random.default_rng(0)
    time, values = np.cumsum(rng.uniform(0.01, 0.05, 50)), rng.normal(size=(50, 3))
    early = np.arange(30)
    whole = trailing(time, values, early, [0.2, np.inf], [0.3, np.inf])
    np.testing.assert_array_equal(whole, trailing(time[:30], values[:30], early, [0.2, np.inf], [0.3, np.inf]))


def test_a_window_of_ten_steps_holds_ten_rows_of_an_even_history():
    time = np.arange(40) / 7.0
    ramp = np.arange(40.0)[:, None]
    assert trailing(time, ramp, np.array([39]), [10 / 7.0], [])[0, 0] == pytest.approx(np.arange(30, 40).mean())
