"""What the asset page says of the future, and what other machines say of one that still learns."""

from datetime import UTC, datetime, timedelta

import pytest

from forewarn.contracts.answers.twin import FleetExpectation, FleetJudgement, TwinAnswer
from forewarn.contracts.forecasts import LimitForecast
from forewarn_dashboard.client import ApiUnavailableError
from forewarn_dashboard.details import Details
from forewarn_dashboard.pages.asset.forecast_panel import forecast_panel
from forewarn_dashboard.pages.asset.page import regions
from forewarn_dashboard.pages.asset.twin_panel import fleet_note
from support.memory_api import MemoryApi
from unit.dashboard.test_panels import words

MADE_AT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TITLES = {"vibration_mm_s": "Vibration velocity (RMS)", "power_kw": "Electrical power"}


def forecast(**changes):
    content = {
        "rule": "vibration_high_ahead",
        "column": "vibration_mm_s",
        "unit": "mm/s",
        "limit": 4.5,
        "probability": 0.92,
        "horizon_days": 14.0,
        "earliest_days": 5.0,
        "likely_days": 8.0,
        "latest_days": 12.0,
        "method": "daily_trend",
        "made_at": MADE_AT,
    }
    return LimitForecast(**(content | changes))


def judged_by_others(**changes):
    power = FleetExpectation(unit="kW", measured=44.0, expected=40.0, low=38.0, high=42.0)
    content = {
        "members": ("P-2", "P-3", "P-4", "P-5"),
        "reading_at": MADE_AT,
        "confidence": "low",
        "deviation": 31.25,
        "band": "high",
        "responses": {"power_kw": power},
    }
    return FleetJudgement(**(content | changes))


def test_a_forecast_says_when_how_surely_and_on_what_it_rests():
    text = words(forecast_panel([forecast()], TITLES, MADE_AT, UTC))
    assert "Vibration velocity (RMS) to 4.500 mm/s" in text
    assert "about 2026-11-28 | 80 % interval 2026-11-25 – 2026-12-02" in text
    assert "Probability 92 % within 14 d" in text
    assert "Method: daily trend, on readings up to 2026-11-20 18:00:00" in text


def test_a_near_crossing_has_a_time_of_day():
    text = words(forecast_panel([forecast(earliest_days=0.5, likely_days=1.0, latest_days=2.0)], TITLES, MADE_AT, UTC))
    assert "about 2026-11-21 18:00 | 80 % interval 2026-11-21 06:00 – 2026-11-22 18:00" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latest_days": None}, "about 2026-11-28 | 80 % interval from 2026-11-25 on"),
        ({"likely_days": None, "latest_days": None}, "probably not within 14 d | 80 % interval from 2026-11-25 on"),
        (
            {"earliest_days": None, "likely_days": None, "latest_days": None},
            "probably not within 14 d | unlikely before 2026-12-04",
        ),
    ],
)
def test_what_lies_beyond_the_horizon_stays_open(changes, said):
    assert said in words(forecast_panel([forecast(**changes)], TITLES, MADE_AT, UTC))


def test_a_moment_that_has_passed_is_not_told_as_one_to_come():
    text = words(forecast_panel([forecast()], TITLES, MADE_AT + timedelta(days=8), UTC))
    assert "was due 2026-11-28" in text
    assert "about" not in text


def test_the_nearest_crossing_comes_first():
    late, near = forecast(likely_days=9.0), forecast(column="power_kw", unit="kW", limit=60.0, likely_days=2.0)
    text = words(forecast_panel([late, forecast(likely_days=None, latest_days=None), near], TITLES, MADE_AT, UTC))
    assert text.index("Electrical power") < text.index("2026-11-29") < text.index("not within")


def test_no_forecast_is_said_in_words():
    assert words(forecast_panel((), TITLES, MADE_AT, UTC)) == "No signal is expected to reach an alarm limit."
    assert words(forecast_panel(None, TITLES, MADE_AT, UTC)).startswith("Not known yet"), "nothing was looked at"


def test_the_judgement_of_others_says_whose_it_is_and_what_it_is_worth():
    text = words(fleet_note(judged_by_others(), TITLES, UTC))
    assert "Judged by 4 other machines of its class |  (P-2, P-3, P-4, …). Deviation 31.2 (high)." in text
    assert "Low confidence, for the reading of 2026-11-20 18:00:00. Not stored, raises no alarm." in text
    assert "Electrical power | 44.00 kW | 40.00 kW | 38.00 – 42.00" in text


def test_others_that_never_ran_like_this_one_say_nothing():
    text = words(fleet_note(judged_by_others(deviation=None, band=None, responses={}), TITLES, UTC))
    assert "None of them has run like this: no judgement." in text
    assert "Measured" not in text


async def test_others_are_asked_only_while_the_asset_has_no_model(pump, pump_class, clock):
    api = MemoryApi([pump], {"centrifugal_pump": pump_class})
    fleet = judged_by_others()
    api.twins["P-101"] = TwinAnswer(
        asset_id="P-101", provenance="fleet", model=None, fleet=fleet, drivers=(), presets=()
    )
    assert (await Details(api, clock).get("P-101")).fleet == fleet
    del api.twins["P-101"]
    assert (await Details(api, clock).get("P-101")).fleet is None


async def test_without_an_answer_of_others_the_page_goes_on(pump, pump_class, clock, monkeypatch):
    api = MemoryApi([pump], {"centrifugal_pump": pump_class})

    async def away(_):
        raise ApiUnavailableError("no")

    monkeypatch.setattr(api, "twin", away)
    assert (await Details(api, clock).get("P-101")).fleet is None


def test_both_are_regions_of_the_asset_page(scene):
    found = {region.id for region in regions(scene("asset")) if isinstance(region.id, str)}
    assert {"asset-forecast", "asset-fleet"} <= found
