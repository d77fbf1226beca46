"""Early warning: a growing fault is foreseen, a healthy machine is not, and nothing of the future leaks in."""

from dataclasses import replace

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.forecast.early import foresee
from forewarn.domain.forecast.memory import SeriesMemory
from forewarn.domain.forecast.watch import watched_columns
from forewarn.domain.time import to_datetime
from unit.forecast.cases import PER_DAY, course, simple_tune

PUMP = load_catalogue()["centrifugal_pump"]
COLUMNS = watched_columns(PUMP)


def memory_of(vibration, **columns):
    known = {"vibration_mm_s": vibration, **columns}
    table = np.stack([known.get(name, np.full(vibration.size, np.nan)) for name in COLUMNS], axis=1)
    return SeriesMemory(
        columns=COLUMNS,
        seen_us=0,
        index=200_000,
        counts=(0,) * 3,
        sums=(0.0,) * 3,
        closed=table.astype("<f4").tobytes(),
    )


def wearing(days, *, slope_per_day=0.1, seed=0):
    return course(days * PER_DAY, slope_per_day=slope_per_day, daily=0.2, noise=0.05, level=1.5, seed=seed)


def test_a_wearing_bearing_is_foreseen_days_before_its_limit():
    (found,) = foresee(memory_of(wearing(25)), PUMP, simple_tune)  # 4.0 now, 4.5 in about 4 days
    assert (found.rule, found.column, found.limit, found.unit) == (
        "vibration_high_ahead",
        "vibration_mm_s",
        4.5,
        "mm/s",
    )
    assert found.probability > 0.9
    assert 1.0 < found.earliest_days <= found.likely_days <= found.latest_days < 7.0
    assert found.horizon_days == 7.0
    assert found.made_at == to_datetime(200_000 * 10_800 * 1_000_000)


def test_a_falling_efficiency_is_foreseen_too():
    efficiency = course(200, slope_per_day=-0.5, noise=0.1, level=64.5)
    (found,) = foresee(memory_of(np.full(200, 2.0), wire_to_water_efficiency_pct=efficiency), PUMP, simple_tune)
    assert (found.rule, found.limit) == ("efficiency_low_ahead", 50.0)
    assert found.probability > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_machine_is_not_forecast_at_all(seed):
    assert foresee(memory_of(wearing(32, slope_per_day=0.0, seed=seed)), PUMP, simple_tune) == ()


def test_slow_wear_far_from_its_limit_is_not_either():
    assert foresee(memory_of(wearing(25, slope_per_day=0.01)), PUMP, simple_tune) == ()


def test_a_young_or_gappy_history_foresees_nothing():
    assert foresee(memory_of(wearing(4, slope_per_day=0.5)), PUMP, simple_tune) == ()
    gappy = wearing(25)
    gappy[np.arange(gappy.size) % 4 != 0] = np.nan
    assert foresee(memory_of(gappy), PUMP, simple_tune) == ()


def test_readings_of_the_bucket_that_fills_do_not_matter():
    memory = memory_of(wearing(25))
    filling = replace(memory, seen_us=10**15, counts=(3, 0, 0), sums=(99.0, 0.0, 0.0))
    assert foresee(filling, PUMP, simple_tune) == foresee(memory, PUMP, simple_tune)
