"""Weather as a function of time and seed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.physics.water import dew_point_c
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.weather import Climate, weather_at

HOURLY = np.arange(0, 365 * 24) / 24.0


def day_of(*date: int) -> float:
    """Days since 1970 UTC."""
    return datetime(*date, tzinfo=UTC).timestamp() / 86_400.0


def when(climate: Climate, extreme, days) -> datetime:
    temp_c = weather_at(climate, days).temp_c
    return datetime.fromtimestamp(float(days[extreme(temp_c)]) * 86_400.0, tz=UTC)


@pytest.mark.parametrize(("hemisphere", "month"), [("north", 7), ("south", 1)])
@pytest.mark.parametrize("year", [1971, 2026, 2100])
def test_the_warmest_month_is_the_one_after_the_solstice(hemisphere, month, year):
    climate = Climate(hemisphere=hemisphere).without_fronts()
    assert when(climate, np.argmax, day_of(year, 1, 1) + HOURLY).month == month
    assert when(climate, np.argmin, day_of(year, 1, 1) + HOURLY).month == (month + 6) % 12


@pytest.mark.parametrize("utc_offset_h", [-8.0, 0.0, 5.5])
def test_a_day_is_warmest_at_three_in_the_afternoon_of_the_site(utc_offset_h):
    climate = Climate(utc_offset_h=utc_offset_h, season_swing_k=0.0).without_fronts()
    warmest = when(climate, np.argmax, day_of(2026, 6, 1) + np.arange(0, 1, 1 / 1440))
    assert (warmest + timedelta(hours=utc_offset_h)).strftime("%H:%M") == "15:00"


def test_days_swing_more_in_summer_than_in_winter():
    climate = Climate(day_swing_k=4.0).without_fronts()
    spans = [np.ptp(weather_at(climate, day_of(2026, month, 21) + HOURLY[:24]).temp_c) for month in (1, 4, 7)]
    assert spans == pytest.approx([6.0, 8.0, 10.0], abs=0.3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fronts_pass_within_days_smoothly_and_bring_a_few_kelvin(seed):
    climate = Climate(mean_temp_c=10.0, season_swing_k=0.0, day_swing_k=0.0, front_k=2.0, seed=seed)
    off_k = weather_at(climate, day_of(2026, 1, 1) + np.arange(0, 20 * 365, 0.125)).temp_c - 10.0
    assert off_k.mean() == pytest.approx(0.0, abs=0.1)
    assert off_k.std() == pytest.approx(2.0, rel=0.05)
    assert np.abs(off_k).max() < 7.0
    assert np.abs(np.diff(off_k)).max() < 1.2, "no jump within three hours"
    crossings_per_day = np.count_nonzero(np.diff(np.sign(off_k))) / (20 * 365)
    assert 1 / crossings_per_day * 2 == pytest.approx(5.5, abs=1.5), "days from one front to the next"


@given(start=st.floats(0, 40_000), seed=st.integers(0, 1000))
def test_any_window_is_computed_without_its_past(start, seed):
    climate, days = Climate(seed=seed), start + HOURLY[:72]
    whole, last = weather_at(climate, days), weather_at(climate, days[-1])
    assert whole.temp_c[-1] == pytest.approx(float(last.temp_c))
    assert whole.relative_humidity_pct[-1] == pytest.approx(float(last.relative_humidity_pct))


def test_seeds_have_other_fronts_and_equal_ones_the_same():
    one, again, other = (weather_at(Climate(seed=seed), 20_000.0 + HOURLY).temp_c for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1.0


@given(
    mean_temp_c=st.floats(-40, 45),
    humidity_pct=st.floats(15, 95),
    front_k=st.floats(0, 6),
    season_swing_k=st.floats(0, 20),
)
def test_air_is_never_more_than_saturated_nor_unknown(mean_temp_c, humidity_pct, front_k, season_swing_k):
    climate = Climate(
        mean_temp_c=mean_temp_c, humidity_pct=humidity_pct, front_k=front_k, season_swing_k=season_swing_k
    )
    weather = weather_at(climate, 20_000.0 + HOURLY[::7])
    assert np.isfinite(weather.temp_c).all()
    assert (weather.relative_humidity_pct > 0.0).all()
    assert (weather.relative_humidity_pct <= 100.0).all()


def test_the_air_keeps_its_moisture_over_a_calm_day():
    weather = weather_at(Climate(season_swing_k=0.0).without_fronts(), 20_000.0 + HOURLY[:24])
    np.testing.assert_allclose(np.ptp(dew_point_c(weather.temp_c, weather.relative_humidity_pct)), 0.0, atol=1e-9)
    assert weather.relative_humidity_pct.mean() == pytest.approx(58.0, abs=2.0)


def test_a_shortened_day_shortens_the_year():
    real, quick = Profile(climate=Climate(seed=3)), Profile(period_s=1200.0, climate=Climate(seed=3))
    days = 20_000.0 + HOURLY
    np.testing.assert_allclose(quick.at(days * 1200.0).ambient_temp_c, real.at(days * 86_400.0).ambient_temp_c)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"front_k": -1.0}, "must not be below 0"),
        ({"day_swing_k": -0.1}, "must not be below 0"),
        ({"humidity_pct": 5.0}, "within 15 and 95"),
        ({"hemisphere": "east"}, "north or south"),
    ],
)
def test_an_impossible_climate_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Climate(**wrong)
