"""The core of the offline tools: scores do not depend on how rows come, and healthy rows are seldom flagged."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.domain.detection.detector import Scores, score, settings_for
from forewarn.domain.detection.learn import NothingToLearnError, learn
from forewarn.domain.detection.rows import TICK, RowOrder, sample_period, sequence_of, stretches
from support.plants import healthy

NAMES = tuple("abcdef")
NO_UNIT = np.zeros(100_000, dtype=np.intp)


def table(values, names=NAMES):
    return dict(zip(names, values.T, strict=True))


def rows_of(count, time=True) -> RowOrder:
    return sequence_of(np.arange(count) * 1.0 if time else None, NO_UNIT[:count], 1.0)


def lesson(values, drivers=(), time=True, far=0.01, names=NAMES):
    return learn(table(values, names), drivers, rows_of(len(values), time), settings_for(far, in_time=time))


def asked(learned, values, rows=None, names=NAMES) -> Scores:
    detector, columns = learned.detector, table(values, names)
    own = rows or rows_of(len(values))
    drivers = np.column_stack([columns[n] for n in detector.twin.drivers]) if detector.twin.drivers else values[:, :0]
    responses = np.column_stack([columns[n] for n in detector.twin.responses])
    return score(detector, detector.memory, own.clock, drivers, responses)[1]


@pytest.fixture(scope="module")
def regimes():
    return lesson(healthy("four regimes", 1, 3000, 6))


@given(cuts=st.lists(st.integers(1, 399), max_size=6), seed=st.integers(0, 50), one_by_one=st.booleans())
@settings(max_examples=8)
def test_any_cutting_into_pieces_gives_the_same_scores(regimes, cuts, seed, one_by_one):
    values = healthy("four regimes", 200 + seed, 400, 6)
    rng = np.random.default_rng(seed)
    values[rng.random(values.shape) < 0.05] = np.nan
    times = np.cumsum(rng.choice([1.0, 1.0, 1.0, 30.0], 400))
    rows = sequence_of(times, NO_UNIT[:400], 1.0)
    whole = asked(regimes, values, rows)

    bounds = range(401) if one_by_one else [0, *sorted(set(cuts)), 400]
    memory, parts = regimes.detector.memory, []
    for first, last in pairwise(bounds):
        memory, part = score(
            regimes.detector, memory, rows.clock[first:last], values[first:last, :0], values[first:last]
        )
        parts.append(part)
    for name in Scores.__dataclass_fields__:
        pieces = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(pieces, getattr(whole, name), err_msg=name)


@pytest.mark.parametrize(
    "plant", ["white noise", "autocorrelated (0.9)", "heavy tails (t, 3)", "four regimes", "quantised"]
)
def test_healthy_rows_of_another_time_are_flagged_less_than_twice_as_often_as_asked(plant):
    learned = lesson(healthy(plant, 3, 5000, 6))
    assert asked(learned, healthy(plant, 300, 8000, 6)).flag.mean() < 0.02


def test_rows_without_time_stand_for_themselves():
    values = healthy("white noise", 1, 600, 6)
    learned = lesson(values, time=False)
    new = healthy("white noise", 9, 300, 6)
    new[100] += 8.0
    said = asked(learned, new, rows_of(300, time=False))
    shuffled = np.random.default_rng(1).permutation(300)
    again = asked(learned, new[shuffled], rows_of(300, time=False))
    np.testing.assert_array_equal(again.score, said.score[shuffled])
    assert said.flag[100]
    assert said.flag.mean() < 0.02


def test_a_gap_or_a_new_unit_starts_cold(regimes):
    values = healthy("four regimes", 5, 200, 6)
    times = np.arange(200.0) + np.where(np.arange(200) >= 100, 50.0, 0.0)
    after_gap = asked(regimes, values, sequence_of(times, NO_UNIT[:200], 1.0))
    after_unit = asked(regimes, values, sequence_of(np.arange(200.0), (np.arange(200) >= 100).astype(np.intp), 1.0))
    cold = asked(regimes, values[100:], rows_of(100))
    np.testing.assert_array_equal(after_gap.score[100:], cold.score)
    np.testing.assert_array_equal(after_unit.score[100:], cold.score)


def test_missing_values_are_scored_from_the_rest_and_rows_without_any_are_not(regimes):
    values = healthy("four regimes", 6, 300, 6)
    values[:, 2] = np.nan
    values[150] = np.nan
    said = asked(regimes, values)
    assert np.isnan(said.score[150])
    assert np.isnan(said.p_value[150])
    assert not said.flag[150]
    assert not np.isnan(np.delete(said.score, 150)).any()
    assert np.isnan(said.contributions[:, 2]).all()


def test_contributions_add_up_to_one_and_name_the_tag(regimes):
    values = healthy("four regimes", 7, 400, 6)
    values[200:, 4] += 4.0
    said = asked(regimes, values)
    np.testing.assert_allclose(np.nansum(said.contributions, axis=1), 1.0)
    assert said.flag[220:].mean() > 0.9
    assert np.median(np.argmax(said.contributions[220:], axis=1)) == 4


def test_ranks_survive_however_far_out(regimes):
    values = np.tile(healthy("four regimes", 8, 1, 6), (40, 1))
    values[:, 0] += np.logspace(2, 12, 40)
    single = [asked(regimes, values[row : row + 1]).score[0] for row in range(40)]
    assert (np.diff(single) > 0).all()
    assert single[-1] < 100.0


def test_a_driver_outside_its_range_is_marked_and_not_flagged_for_that_alone():
    rng = np.random.default_rng(1)

    def driven(low, high, seed):
        load = np.random.default_rng(seed).uniform(low, high, 2000)
        rest = rng.normal(0, 0.3, (2000, 2))
        return np.column_stack([load, 2 * load + rest[:, 0], 5 - load + rest[:, 1]])

    learned = lesson(driven(10, 20, 1), drivers=("load",), names=("load", "x", "y"))
    said = asked(learned, driven(22, 24, 2), names=("load", "x", "y"))
    assert said.extrapolated.all()
    assert said.flag.mean() < 0.02
    inside = asked(learned, driven(11, 19, 3), names=("load", "x", "y"))
    assert not inside.extrapolated.any()


def test_a_missing_driver_is_guessed_from_the_rest():
    rng = np.random.default_rng(1)
    load = rng.uniform(10, 20, 3000)
    values = np.column_stack([load, 2 * load, 5 - load, load**2]) + rng.normal(0, 0.3, (3000, 4))
    names = ("load", "x", "y", "z")
    learned = lesson(values[:2000], drivers=("load",), names=names)
    new = values[2000:].copy()
    new[::3, 0] = np.nan
    said = asked(learned, new, names=names)
    assert not np.isnan(said.score).any()
    assert said.flag.mean() < 0.02
    assert not said.extrapolated.any()


def test_a_dirty_baseline_is_used_robustly_and_the_stretch_is_named():
    values = healthy("autocorrelated (0.9)", 1, 4000, 6)
    values[2000:2100, 3] += 12.0
    learned = lesson(values)
    assert len(learned.suspicious) == 1
    (found,) = learned.suspicious
    assert abs(found.first - 2000) < 15
    assert abs(found.last - 2100) < 20
    assert found.tags == ("d",)
    again = healthy("autocorrelated (0.9)", 2, 2000, 6)
    again[1000:, 3] += 12.0
    said = asked(learned, again)
    assert said.flag[1020:].mean() > 0.95
    assert said.flag[:1000].mean() < 0.02


def test_an_impossible_value_in_the_baseline_wrecks_nothing():
    values = healthy("white noise", 1, 1000, 6)
    clean = lesson(values)
    values[500, 1] = 1e10
    wrecked = lesson(values)
    new = healthy("white noise", 2, 500, 6)
    new[250:] += 2.0
    assert asked(wrecked, new).flag[270:].all()
    assert wrecked.detector.twin.spread[1] == pytest.approx(clean.detector.twin.spread[1], rel=0.05)


def test_few_rows_of_many_tags_do():
    names = tuple(f"t{number}" for number in range(32))
    learned = lesson(healthy("three slow loads", 1, 200, 32), time=False, names=names)
    new = healthy("three slow loads", 2, 200, 32)
    said = asked(learned, new, rows_of(200, time=False), names=names)
    assert not np.isnan(said.score).any()
    new[:, 5] += 10 * new[:, 5].std()
    assert np.nanmedian(asked(learned, new, rows_of(200, time=False), names=names).score) > np.nanmedian(said.score)


def test_one_tag_is_enough():
    learned = lesson(healthy("white noise", 1, 500, 1), names=("a",))
    new = healthy("white noise", 2, 500, 1)
    new[300:] += 3.0
    said = asked(learned, new, names=("a",))
    assert said.flag[320:].all()
    assert not said.flag[:300].any()


def test_tags_that_cannot_be_judged_are_left_out_with_the_reason():
    values = healthy("white noise", 1, 500, 6)
    values[:, 1] = 7.0
    values[:, 2] = np.nan
    learned = lesson(values)
    assert set(learned.left_out) == {"b", "c"}
    assert "constant" in learned.left_out["b"]
    assert "missing" in learned.left_out["c"]


def test_nothing_to_learn_is_refused():
    with pytest.raises(NothingToLearnError, match="20 healthy rows"):
        lesson(healthy("white noise", 1, 20, 6))
    with pytest.raises(NothingToLearnError, match="no tag to judge"):
        lesson(np.ones((500, 6)))
    with pytest.raises(NothingToLearnError, match="driver 'a'"):
        lesson(np.column_stack([np.full(500, np.nan), healthy("white noise", 1, 500, 5)]), drivers=("a",))


def test_long_baselines_are_learned_in_whole_stretches():
    kept = stretches(1_000_000, 40_000, 40)
    assert kept.size == 40_000
    assert (np.diff(kept) == 1).mean() > 0.99
    assert kept[-1] == 999_999
    assert stretches(100, 40_000, 40).size == 100


def test_units_may_be_mixed_in_a_table():
    unit = np.tile([0, 1], 50)
    rows = sequence_of(np.repeat(np.arange(50.0), 2), unit, 1.0)
    assert rows.order[:3].tolist() == [0, 2, 4]
    assert (np.flatnonzero(np.diff(rows.clock) > 10 * TICK) + 1).tolist() == [50]
    assert sample_period(np.repeat(np.arange(50.0), 2) * 60, unit) == 60.0


@pytest.mark.parametrize("plant", ["autocorrelated (0.99)", "three slow loads"])
def test_a_short_baseline_of_a_slow_process_is_no_licence_to_flag(plant):
    for seed in (1, 2):
        learned = lesson(healthy(plant, seed, 500, 6))
        assert learned.independent < 20  # fit warns
        assert asked(learned, healthy(plant, 100 + seed, 5000, 6)).flag.mean() < 0.05


def test_care_for_states_to_come_does_not_hide_a_fault_of_a_well_known_machine():
    learned = lesson(healthy("three slow loads", 1, 10_000, 6))
    new = healthy("three slow loads", 101, 3000, 6)
    assert asked(learned, new).flag.mean() < 0.02
    new[:, 0] += 2.0 * new[:, 0].std()
    said = asked(learned, new)
    assert said.flag.mean() > 0.9
    assert np.median(np.argmax(said.contributions, axis=1)) == 0


def driven_by_a_slow_load(seed, rows=800):
    rng = np.random.default_rng(seed)
    load = np.sin(np.arange(rows) / 20) + 0.1 * rng.normal(size=rows)
    return load[:, None] * [1.0, 2.0, -1.0] + 0.1 * rng.normal(size=(rows, 3))


def test_a_fault_that_the_first_twin_has_learned_to_expect_is_found_by_a_twin_of_the_most_ordinary_rows():
    dirty = driven_by_a_slow_load(1)
    dirty[300:350, 1] += 5.0
    learned = lesson(dirty, names=("load", "x", "y"))
    (found,) = learned.suspicious
    assert 290 <= found.first <= 310
    assert 345 <= found.last <= 370
    assert "x" in found.tags
    assert learned.r2["x"] > 0.9  # it was not learned
    assert not lesson(driven_by_a_slow_load(1), names=("load", "x", "y")).suspicious


def test_a_way_of_running_that_comes_again_is_not_suspicious():
    learned = lesson(healthy("on and off", 1, 3000, 6))
    assert not learned.suspicious
