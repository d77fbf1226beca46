"""Intervals of expected values: how many readings of healthy machines lie in them."""

import numpy as np
import pytest

from forewarn.contracts.frames import Phase
from forewarn.domain.frames.frame import concat
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.twin.interval import bounds, interval_of
from forewarn.domain.twin.model import Regime
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from unit.simulation.cases import CATALOGUE, guarded, simulate

LIVE = 600


@pytest.mark.parametrize("name", sorted(KINDS))
def test_nine_of_ten_readings_that_were_not_learned_lie_in_the_interval(name):
    """Over all responses of a machine; its days come again, so the baseline has shown every load."""
    asset_class = CATALOGUE[name]
    rows = asset_class.twin.baseline_readings + LIVE
    valid = guarded(asset_class, simulate(name, {}, steps=rows, seed=11), 10.0).frame
    _, frames, (card,) = step(TwinState.empty(asset_class), valid, TwinSettings())
    arrays = concat(frames).arrays
    live = (arrays["phase"] == Phase.LIVE) & (arrays["regime"] == Regime.LEARNED)
    inside = []
    for response, interval in card.report.regimes[0].intervals.items():
        off = arrays[response][live] - arrays[f"expected_{response}"][live]
        inside.append((off >= interval.low) & (off <= interval.high))
    assert 0.86 <= float(np.mean(inside)) <= 0.96


def test_the_interval_lies_where_the_residuals_lay():
    residuals = np.random.default_rng(1).exponential(2.0, 4000) - 1.0
    interval = interval_of(residuals, 2.0)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(residuals, [0.05, 0.95]), rel=0.02)


def test_few_independent_readings_widen_it():
    drift = np.linspace(-1.0, 1.0, 400)
    shuffled = np.random.default_rng(2).permutation(drift)
    assert interval_of(drift, 1.0).high > 2.0 * interval_of(shuffled, 1.0).high


def test_without_a_residual_or_a_scale_there_is_none():
    assert interval_of(np.full(5, np.nan), 1.0) is None
    assert interval_of(np.ones(5), np.nan) is None


def test_a_tag_without_expected_value_has_no_bounds():
    bands = {name: interval_of(np.linspace(-1, 1, 101), 1.0) for name in ("a", "b")}
    found = bounds({"a": 1.0, "b": 1.0}, {"a": None, "b": 1.0}, {"a": None, "b": 0.0}, bands)
    assert set(found) == {"b"}
