"""Long memory: the same for any cut into frames, unmoved by what comes again, small."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.forecast.memory import BUCKET_S, KEPT, SeriesMemory, remember
from forewarn.domain.forecast.watch import watched_columns, watches
from forewarn.testing.frames import anomaly_frame, timestamps_us

PUMP = load_catalogue()["centrifugal_pump"]
COLUMNS = watched_columns(PUMP)
MINUTE = 60.0


def rows(count, seed=0, *, assets=("P-1", "P-2"), step_s=40 * MINUTE):
    rng = np.random.default_rng(seed)
    names = [assets[i] for i in rng.integers(0, len(assets), count)]
    vibration = rng.uniform(1.0, 3.0, count)
    vibration[rng.random(count) < 0.1] = np.nan
    speed = np.where(rng.random(count) < 0.1, 0.0, 1480.0)
    ts = timestamps_us(count, step_s=step_s) + rng.integers(-2, 3, count) * 3_000_000_000
    return names, ts, vibration, speed


def frame_of(names, ts, vibration, speed):
    return anomaly_frame(PUMP, list(names), ts, {"vibration_mm_s": vibration, "speed_rpm": speed})


def replay(readings, cuts):
    memories = {}
    names, ts, vibration, speed = readings
    bounds = [0, *sorted(cuts), len(names)]
    for start, end in pairwise(bounds):
        if end > start:
            piece = slice(start, end)
            memories |= remember(memories, frame_of(names[piece], ts[piece], vibration[piece], speed[piece]), COLUMNS)
    return memories


def test_the_catalogue_says_what_is_watched():
    assert COLUMNS == ("vibration_mm_s", "bearing_temp_c", "wire_to_water_efficiency_pct")
    by_rule = {watch.rule: watch for watch in watches(PUMP)}
    assert (by_rule["vibration_high_ahead"].limit, by_rule["vibration_high_ahead"].rising) == (4.5, True)
    assert (by_rule["efficiency_low_ahead"].limit, by_rule["efficiency_low_ahead"].rising) == (50.0, False)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.lists(st.integers(0, 60), max_size=8))
def test_the_memory_does_not_depend_on_how_readings_are_cut(seed, cuts):
    readings = rows(60, seed)
    assert replay(readings, cuts) == replay(readings, [])


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(0, 59))
def test_what_comes_again_changes_nothing(seed, start):
    names, ts, vibration, speed = rows(60, seed)
    once = replay((names, ts, vibration, speed), [])
    again = remember(once, frame_of(names[start:], ts[start:], vibration[start:], speed[start:]), COLUMNS)
    assert once | again == once


def test_a_bucket_is_the_mean_of_its_readings_with_the_machine_running():
    ts = timestamps_us(40, step_s=30 * MINUTE)
    vibration = np.where(np.arange(40) % 2 == 0, 2.0, 9.0)
    speed = np.where(np.arange(40) % 2 == 0, 1480.0, 0.0)
    memory = replay((["P-1"] * 40, ts, vibration, speed), [])["P-1"]
    assert memory.closed_buckets >= 5
    np.testing.assert_allclose(memory.means("vibration_mm_s"), 2.0)
    assert memory.end_s % BUCKET_S == 0
    assert memory.end_s - memory.start_s == memory.closed_buckets * BUCKET_S


def test_hours_without_readings_are_unknown_and_the_memory_is_bounded():
    step = BUCKET_S * 3
    memory = replay((["P-1"] * 200, timestamps_us(200, step_s=step), np.full(200, 2.0), np.full(200, 1480.0)), [])[
        "P-1"
    ]
    means = memory.means("vibration_mm_s")
    assert memory.closed_buckets == KEPT
    assert np.isnan(means).mean() > 0.6
    assert np.nanmax(means) == 2.0
    after_years = frame_of(["P-1"], timestamps_us(1, start_s=3e8), np.array([2.5]), np.array([1480.0]))
    assert np.isnan(remember({"P-1": memory}, after_years, COLUMNS)["P-1"].means("vibration_mm_s")).all()


def test_a_month_of_an_asset_survives_storage_in_a_few_kilobytes():
    codec = TypeAdapter(SeriesMemory)
    memory = replay((["P-1"] * 800, timestamps_us(800, step_s=3 * 3600), np.full(800, 2.0), np.full(800, 1480.0)), [])
    stored = codec.dump_json(memory["P-1"])
    assert len(stored) < 5_000
    assert codec.validate_json(stored) == memory["P-1"]


def test_imported_readings_are_remembered_and_late_ones_are_not():
    def memory(**marks):
        ts = timestamps_us(50, step_s=3_600)
        frame = anomaly_frame(PUMP, ["P-1"] * 50, ts, {"vibration_mm_s": 2.0, "speed_rpm": 1480.0, **marks})
        return remember({}, frame, COLUMNS)

    assert memory(historical=True)["P-1"].closed_buckets == memory()["P-1"].closed_buckets > 10
    assert memory(late=True) == {}


def test_a_class_that_watches_other_columns_begins_anew():
    memory = replay(rows(60), [])["P-1"]
    later = frame_of(["P-1"], timestamps_us(1, start_s=1e6), np.array([2.5]), np.array([1480.0]))
    fresh = remember({"P-1": memory}, later, ("vibration_mm_s",))["P-1"]
    assert (fresh.columns, fresh.closed_buckets) == (("vibration_mm_s",), 0)
