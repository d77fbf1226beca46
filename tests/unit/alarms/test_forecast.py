"""Early alarms: raised by a sure forecast, held by hysteresis, gone as soon as the real alarm speaks."""

from datetime import timedelta

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.forecasts import LimitForecast
from forewarn.contracts.health import AssetHealth
from forewarn.domain.alarms.asset import AssetAlarms
from forewarn.domain.alarms.health import observe_health
from forewarn.domain.alarms.rows import observe_frame
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.time import to_datetime
from forewarn.testing.frames import START_US, anomaly_frame, timestamps_us

PUMP = load_catalogue()["centrifugal_pump"]
HOUR = 3_600
ID = "P-101/vibration_high_ahead"


def event(seconds, probability):
    at = to_datetime(START_US) + timedelta(seconds=seconds)
    found = LimitForecast(
        rule="vibration_high_ahead",
        column="vibration_mm_s",
        unit="mm/s",
        limit=4.5,
        probability=probability or 0.0,
        horizon_days=7.0,
        earliest_days=2.5,
        likely_days=4.0,
        latest_days=None,
        method="daily_line",
        made_at=at,
    )
    return AssetHealth(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        ts=at,
        health=95.0,
        category="excellent",
        trend="stable",
        trend_per_day=0.0,
        metrics=(),
        anomaly_score=0.0,
        anomaly_flag=False,
        deviation=0.0,
        forecasts=() if probability is None else (found,),
    )


def observe_all(*events, alarms=None):
    alarms, seen, alerts = alarms or AssetAlarms(asset_id="P-101"), Seen(), []
    for item in events:
        alarms, new = observe_health(alarms, seen, PUMP, item)
        alerts += new
    return alarms, [(alert.alarm.alarm_id, alert.transition) for alert in alerts], alerts


def test_a_sure_forecast_raises_one_alarm_however_often_it_is_told():
    alarms, reported, alerts = observe_all(*(event(k * HOUR, 0.9) for k in range(30)))
    assert reported == [(ID, "raised")]
    (alarm,) = alarms.open_alarms
    assert (alarm.source, alarm.priority, alarm.unit, alarm.limit) == ("forecast", "low", "%", 80.0)
    assert alerts[0].alarm.value == 90.0
    assert alarm.message == (
        "Vibration velocity (RMS) expected to reach 4.5 mm/s in about 4 days (2 days at the earliest)"
    )


def test_an_unsure_forecast_raises_nothing():
    assert observe_all(event(0, 0.79), event(HOUR, None))[1] == []


def test_a_wavering_forecast_does_not_flap():
    courses = [0.9, 0.75, 0.65, 0.85, 0.62, None, 0.55, 0.9, None, 0.81]
    _, reported, _ = observe_all(*(event(k * HOUR, p) for k, p in enumerate(courses)))
    assert reported == [(ID, "raised")]


def test_the_alarm_returns_when_the_crossing_is_no_longer_predicted_for_long():
    _, reported, _ = observe_all(event(0, 0.9), *(event(k * HOUR, None) for k in range(1, 9)))
    assert reported == [(ID, "raised"), (ID, "returned")]


def test_it_returns_at_once_when_the_anticipated_alarm_is_active_and_stays_away():
    alarms, _, _ = observe_all(event(0, 0.9))
    frame = anomaly_frame(PUMP, ["P-101"] * 10, timestamps_us(10, start_s=60), {"vibration_mm_s": 5.0})
    alarms = observe_frame({"P-101": alarms}, Seen(), frame).states["P-101"]
    assert {alarm.rule for alarm in alarms.open_alarms if alarm.active} == {"vibration_high_ahead", "vibration_high"}
    alarms, reported, _ = observe_all(event(120, 0.95), event(180, 0.95), alarms=alarms)
    assert reported == [(ID, "returned")]
    assert {alarm.rule for alarm in alarms.open_alarms if alarm.active} == {"vibration_high"}
