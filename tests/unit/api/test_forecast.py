"""Forecasts of columns over HTTP."""

from datetime import timedelta

import numpy as np
import pytest

from forewarn.ports.history import History, RollUp, Series
from forewarn.testing.api_examples import NOW

URL = "/api/v1/assets/P-101/forecast"


def hours(count, *, column="vibration_mm_s", unit="mm/s", slope_per_day=0.1, level=1.5):
    days = np.arange(count) / 24
    rng = np.random.default_rng(5)
    values = level + slope_per_day * days + 0.2 * np.sin(2 * np.pi * days) + 0.05 * rng.standard_normal(count)
    first = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=count)
    return History(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        roll_up=RollUp.HOUR,
        ts=tuple(first + timedelta(hours=k) for k in range(count)),
        count=(60,) * count,
        series=(Series(column=column, unit=unit, values=tuple(values.tolist())),),
        score=(None,) * count,
        deviation=(None,) * count,
        flag=(None,) * count,
        next_start=None,
    )


def test_a_rising_column_is_forecast_with_interval_method_and_limits(client, platform):
    platform.history.stretches["P-101"] = hours(28 * 24)
    answer = client.get(URL, params={"columns": "vibration_mm_s", "horizon_h": 120, "level": 0.9})
    assert answer.status_code == 200
    body = answer.json()
    (found,) = body["forecasts"]
    assert (body["step_s"], body["level"], found["reason"]) == (10_800, 0.9, None)
    assert len(found["ts"]) == len(found["expected"]) == len(found["lower"]) == len(found["upper"]) == 40
    assert all(
        low <= mid <= high for low, mid, high in zip(found["lower"], found["expected"], found["upper"], strict=True)
    )
    assert found["expected"][-1] == pytest.approx(1.5 + 0.1 * 33, abs=0.4)
    assert found["method"] in {item["method"] for item in found["tested"]}
    limits = {item["rule"]: item for item in found["limits"]}
    assert set(limits) == {"vibration_high", "vibration_trip"}
    assert limits["vibration_high"]["probability"] > 0.8
    assert limits["vibration_trip"]["probability"] < 0.2
    [query] = platform.history.queries
    assert (query.roll_up, query.columns) == (RollUp.HOUR, ("vibration_mm_s",))


def test_a_short_history_is_answered_with_the_reason(client, platform):
    platform.history.stretches["P-101"] = hours(12)
    (found,) = client.get(URL).json()["forecasts"]
    assert found["reason"] == "No forecast: the history covers 12 steps of 1 h, a forecast needs 36."
    assert found["expected"] == []


def test_without_a_wish_the_columns_with_limits_are_forecast(client, platform):
    platform.history.stretches["P-101"] = hours(12)
    client.get(URL)
    assert platform.history.queries[0].columns == ("vibration_mm_s", "bearing_temp_c", "wire_to_water_efficiency_pct")


def test_nothing_stored_is_no_forecast(client, platform):
    assert client.get(URL).json()["forecasts"] == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"horizon_h": 0}, "query.horizon_h"),
        ({"horizon_h": 1441}, "query.horizon_h"),
        ({"level": 1}, "query.level"),
        ({"columns": ",".join(f"c{k}" for k in range(9))}, "9 columns are too many: 8 at most"),
    ],
)
def test_an_impossible_wish_is_refused_with_the_parameter(client, params, words):
    answer = client.get(URL, params=params)
    assert answer.status_code == 422
    assert words in answer.text


def test_an_unknown_asset_is_not_found(client):
    assert client.get("/api/v1/assets/P-999/forecast").status_code == 404
