"""From a month of readings to an early alarm, on a real broker: foreseen, alarmed once, and kept over kill -9."""

import itertools

import numpy as np
import pytest

from forewarn.adapters.kafka.admin import create_topics
from integration.alerting.event_plane import Feed, active_on, environment, frames_of, health_on, ready
from support.stack import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

HOURS = 25 * 24
HOUR_S = 3_600.0
ALARM = "P-000/vibration_high_ahead"


def begin(spawn_service, module, bootstrap, prefix):
    service = spawn_service(
        module, {**environment(bootstrap, prefix), "HEALTH_FORECAST_INTERVAL_S": "0", "HEALTH_REFRESH_S": "1"}
    )
    wait_until(lambda: ready(service), 60, lambda: f"{module} is not ready")
    return service


def month(asset, slope_per_day):
    vibration = 1.5 + slope_per_day * np.arange(HOURS) / 24 + 0.05 * np.random.default_rng(3).standard_normal(HOURS)
    return frames_of([asset], HOURS, 0.0, {"vibration_mm_s": vibration}, step_s=HOUR_S)


def foreseen(plant):
    return {event.asset_id: event.forecasts for event in health_on(*plant)}


def test_a_wearing_pump_raises_one_early_alarm_that_outlives_a_crash(kafka_broker, topic_prefix, spawn_service):
    plant = (kafka_broker.bootstrap_servers, topic_prefix)
    create_topics(*plant)
    begin(spawn_service, "forewarn_alerting", *plant)
    health = begin(spawn_service, "forewarn_health", *plant)
    feed = Feed(*plant)
    feed.send([*month("P-000", 0.1), *month("P-001", 0.0)])
    minutes = itertools.count(1)  # an alarm needs newer readings than the last event judged

    def goes_on():
        at_s = HOURS * HOUR_S + 60.0 * next(minutes)
        feed.send(frames_of(["P-000", "P-001"], 1, at_s, {"vibration_mm_s": 3.9}))
        return ALARM in active_on(*plant)

    wait_until(goes_on, 90, lambda: str(foreseen(plant)))
    found = foreseen(plant)
    assert found["P-001"] == ()
    assert [item.rule for item in found["P-000"]] == ["vibration_high_ahead"]
    assert found["P-000"][0].probability >= 0.8
    alarm = active_on(*plant)[ALARM]
    assert (alarm.source, alarm.priority, alarm.occurrences) == ("forecast", "low", 1)

    health.kill()
    before = len(health_on(*plant))
    health.start()
    wait_until(lambda: len(health_on(*plant)) > before and foreseen(plant)["P-000"] == found["P-000"], 60)
