from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.simulation.chance import normal, uniform
from forewarn.domain.simulation.delivery import GatewayDelivery, deliver
from forewarn.domain.simulation.sensor_effects import (
    Drift,
    Dropout,
    During,
    Noise,
    Quantisation,
    Saturation,
    Spikes,
    Stuck,
    SwappedWires,
    affect,
)

T0 = 1_790_000_000.0
ROWS = 2000
TS = ((T0 + 60.0 * np.arange(ROWS)) * 1e6).astype(np.int64)
HALF = During(from_s=T0 + 60.0 * ROWS / 2)
COLUMNS = {"a": np.linspace(10.0, 20.0, ROWS), "b": np.full(ROWS, 5.0), "c": np.sin(np.arange(ROWS))}
EVERYTHING = (
    Noise(tag="a", spread=0.1),
    Drift(tag="a", per_day=2.0, during=HALF),
    Stuck(tag="b", during=During(from_s=T0 + 6000.0, until_s=T0 + 60_000.0)),
    Dropout(tag="b", share=0.3, burst_s=600.0),
    Spikes(tag="c", share=0.02, size=50.0),
    SwappedWires(tag="a", other="c", during=HALF),
    Quantisation(tag="a", resolution=0.5),
    Saturation(tag="c", low=-0.8, high=40.0),
)


def affected(*effects, seed=7, rows=slice(None)):
    columns, _ = affect({tag: v[rows] for tag, v in COLUMNS.items()}, TS[rows], effects, seed=seed, memory={})
    return columns


@given(cuts=st.lists(st.integers(1, ROWS - 1), max_size=6, unique=True))
def test_any_chunking_gives_the_same_readings(cuts):
    whole, memory, parts = affected(*EVERYTHING), {}, []
    edges = [0, *sorted(cuts), ROWS]
    for begin, end in pairwise(edges):
        chunk = {tag: values[begin:end] for tag, values in COLUMNS.items()}
        out, memory = affect(chunk, TS[begin:end], EVERYTHING, seed=7, memory=memory)
        parts.append(out)
    for tag in COLUMNS:
        np.testing.assert_array_equal(np.concatenate([part[tag] for part in parts]), whole[tag])


def test_the_future_changes_nothing():
    early = affected(*EVERYTHING, rows=slice(0, 700))
    for tag, values in affected(*EVERYTHING).items():
        np.testing.assert_array_equal(values[:700], early[tag])


def test_seeds_make_the_chance_and_nothing_else():
    np.testing.assert_array_equal(affected(*EVERYTHING)["c"], affected(*EVERYTHING)["c"])
    assert (affected(*EVERYTHING, seed=8)["c"] != affected(*EVERYTHING)["c"]).any()
    np.testing.assert_array_equal(affected(Drift(tag="a", per_day=1.0, during=HALF), seed=8)["b"], COLUMNS["b"])


def test_noise_has_its_spread_and_no_bias():
    added = affected(Noise(tag="a", spread=0.1))["a"] - COLUMNS["a"]
    assert abs(float(added.mean())) < 0.01
    assert float(added.std()) == pytest.approx(0.1, rel=0.1)


def test_quantised_readings_are_multiples_of_the_resolution():
    assert set(np.round(affected(Quantisation(tag="a", resolution=2.5))["a"] % 2.5, 9)) == {0.0}


def test_a_drift_starts_at_nothing_and_grows_by_the_day():
    added = affected(Drift(tag="a", per_day=2.0, during=HALF))["a"] - COLUMNS["a"]
    assert not added[: ROWS // 2].any()
    assert added[ROWS // 2] == 0.0
    assert added[-1] == pytest.approx(2.0 * (ROWS / 2 - 1) * 60.0 / 86_400.0)


def test_dropouts_come_in_bursts_of_their_share():
    missing = np.isnan(affected(Dropout(tag="a", share=0.3, burst_s=600.0))["a"])
    assert missing.mean() == pytest.approx(0.3, abs=0.1)
    assert np.count_nonzero(np.diff(missing.astype(int)) == 1) < missing.sum() / 5  # ten readings a burst


def test_a_stuck_sensor_stays_at_the_value_it_had_and_comes_back():
    stuck = affected(Stuck(tag="a", during=During(from_s=T0 + 6000.0, until_s=T0 + 12_000.0)))["a"]
    assert set(stuck[100:200]) == {COLUMNS["a"][100]}
    np.testing.assert_array_equal(stuck[200:], COLUMNS["a"][200:])


def test_spikes_go_up_and_down_and_leave_the_others_alone():
    added = affected(Spikes(tag="c", share=0.05, size=50.0))["c"] - COLUMNS["c"]
    assert {-50.0, 0.0, 50.0} == set(np.round(added, 6))
    assert np.mean(added != 0) == pytest.approx(0.05, abs=0.02)


def test_swapped_wires_exchange_two_columns():
    swapped = affected(SwappedWires(tag="a", other="b", during=HALF))
    np.testing.assert_array_equal(swapped["a"][ROWS // 2 :], COLUMNS["b"][ROWS // 2 :])
    np.testing.assert_array_equal(swapped["b"][: ROWS // 2], COLUMNS["b"][: ROWS // 2])


def test_a_transmitter_reads_no_more_than_its_range():
    assert affected(Saturation(tag="a", low=12.0, high=15.0))["a"].max() == 15.0


def test_an_effect_on_a_tag_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        affected(Noise(tag="nowhere", spread=1.0))


def test_perfect_delivery_is_in_order_and_complete():
    arrivals = deliver(TS, GatewayDelivery(), seed=1)
    np.testing.assert_array_equal(arrivals.rows, np.arange(ROWS))
    np.testing.assert_array_equal(arrivals.stamped_us, TS)


def test_late_readings_arrive_later_than_they_are_stamped_and_none_is_lost():
    arrivals = deliver(TS, GatewayDelivery(late_share=0.1, late_by_s=3600.0), seed=1)
    late = arrivals.arrived_us > arrivals.stamped_us
    assert late.mean() == pytest.approx(0.1, abs=0.03)
    assert (arrivals.arrived_us - arrivals.stamped_us).max() < 3600e6
    assert (np.diff(arrivals.arrived_us) >= 0).all()
    assert (np.diff(arrivals.stamped_us) < 0).any()
    assert sorted(arrivals.rows.tolist()) == list(range(ROWS))


def test_duplicates_are_the_same_reading_again():
    arrivals = deliver(TS, GatewayDelivery(duplicate_share=0.2), seed=1)
    assert arrivals.rows.size == pytest.approx(1.2 * ROWS, rel=0.05)
    assert set(arrivals.rows.tolist()) == set(range(ROWS))


def test_a_clock_that_is_ahead_stamps_ahead():
    arrivals = deliver(TS, GatewayDelivery(clock_skew_s=480.0), seed=1)
    np.testing.assert_array_equal(arrivals.stamped_us - TS, 480_000_000)
    np.testing.assert_array_equal(arrivals.arrived_us, TS)


@given(cut=st.integers(1, ROWS - 1))
def test_a_reading_s_fate_does_not_depend_on_its_neighbours(cut):
    delivery = GatewayDelivery(late_share=0.2, late_by_s=900.0, duplicate_share=0.1)
    fates = {(int(a), int(s)) for a, s in _fates(deliver(TS, delivery, seed=3))}
    parts = [deliver(part, delivery, seed=3) for part in (TS[:cut], TS[cut:])]
    assert fates == {(int(a), int(s)) for part in parts for a, s in _fates(part)}


def _fates(arrivals):
    return zip(arrivals.arrived_us, arrivals.stamped_us, strict=True)


@pytest.mark.parametrize("wrong", [{"late_share": 2.0}, {"late_share": 0.1}, {"late_by_s": -1.0}])
def test_an_impossible_delivery_is_refused(wrong):
    with pytest.raises(ValueError, match="shares must lie"):
        GatewayDelivery(**wrong)


def test_chance_is_uniform_normal_and_independent_between_streams():
    counters = np.arange(100_000)
    first, second = uniform(1, "one", counters), uniform(1, "two", counters)
    assert first.min() > 0.0
    assert first.max() < 1.0
    assert np.abs(np.histogram(first, bins=20)[0] / 5000 - 1.0).max() < 0.06
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.01
    drawn = normal(1, "one", counters)
    assert abs(drawn.mean()) < 0.01
    assert drawn.std() == pytest.approx(1.0, abs=0.01)
