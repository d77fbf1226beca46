"""A recorded valve fault travels from the raw topic to an operator's screen, through every real part."""

import os
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser

from e2e.poison import assert_no_message_stops_it
from forewarn.adapters.event_codec import decode_event
from forewarn.contracts.alarms import Alarm, Alert, Transition
from forewarn.contracts.topics import TopicName
from support.plant import REPOSITORY
from support.platform import start_platform
from support.stack import wait_until
from support.wire import read_topic

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.timeout(420)]

RECORDING = "valve1/15.csv"  # 574 healthy seconds, then the inlet valve is closed
HEALTHY_ROWS = 574

PLANT = """
name: recording
assets:
  - asset: {asset_id: SKAB-1, asset_class: pump_loop, name: Pump test loop, path: [acme, riverside, laboratory]}
    source: {kind: replay, file: valve1/15.csv, history_rows: 560}
  - asset: {asset_id: P-1, asset_class: centrifugal_pump, name: Healthy pump, path: [acme, riverside, utilities]}
    source: {kind: simulated, seed: 7}
"""


def skab() -> Path:
    place = Path(os.environ.get("SKAB_PATH") or REPOSITORY.parent / "shared" / "data" / "skab")
    if not any(place.rglob(RECORDING)):
        pytest.skip(f"the SKAB recordings are not at {place} (SKAB_PATH); they may not be copied into the repository")
    return place


def test_a_recorded_valve_fault_becomes_an_alarm_that_the_operator_sees(
    browser, kafka_broker, topic_prefix, database_url, spawn_service, tmp_path, monkeypatch
):
    monkeypatch.setenv("SKAB_PATH", str(skab()))
    plant = tmp_path / "plant.yaml"
    plant.write_text(PLANT)
    bootstrap = kafka_broker.bootstrap_servers

    platform = start_platform(
        spawn_service, bootstrap=bootstrap, prefix=topic_prefix, database_url=database_url, plant=plant
    )

    def open_alarm() -> Alarm | None:
        platform.assert_alive()
        newest = {r.key: r.value for r in read_topic(bootstrap, TopicName.ALERTS_ACTIVE, topic_prefix)}
        alarms = [decode_event(Alarm, value) for value in newest.values() if value is not None]
        return next((a for a in alarms if a.asset_id == "SKAB-1" and a.rule == "anomaly"), None)

    alarm = wait_until(open_alarm, 240, "the valve fault raised no alarm", 1.0)
    alerts = [decode_event(Alert, r.value) for r in read_topic(bootstrap, TopicName.ALERTS, topic_prefix)]
    raised = [a for a in alerts if a.transition is Transition.RAISED and a.alarm.alarm_id == alarm.alarm_id]
    assert [a.alarm.occurrence_id for a in raised] == [alarm.occurrence_id]
    assert_stored(database_url, alarm)
    assert any(
        item["alarm"]["alarm_id"] == alarm.alarm_id for item in platform.get("/api/v1/alarms?state=open")["items"]
    )
    assert_shown(browser, platform.dashboard_url, alarm)
    assert_no_message_stops_it(platform, bootstrap, topic_prefix, alarm)


def assert_stored(database_url: str, alarm: Alarm) -> None:
    """Readings, results and the transition are in the database, the fault not before it began."""
    with psycopg.connect(database_url) as connection:

        def count(statement: str) -> int:
            return int(connection.execute(statement).fetchone()[0])

        wait_until(lambda: count("SELECT count(*) FROM alarm_event WHERE transition = 'raised'") >= 1, 30)
        first = "SELECT count(*) FROM readings_pump_loop WHERE ts < %s"
        before = connection.execute(first, [alarm.raised_at]).fetchone()[0]
        assert before >= HEALTHY_ROWS, "the alarm came before the fault"
        assert count("SELECT count(*) FROM results_pump_loop WHERE flag") >= 1
        assert count("SELECT count(*) FROM readings_centrifugal_pump") >= 1


def assert_shown(browser: Browser, dashboard_url: str, alarm: Alarm) -> None:
    """The page of the asset and the alarm list show it, without an error in the console."""
    page = browser.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{dashboard_url}/asset/{alarm.asset_id}")
    page.get_by_text("Pump test loop").first.wait_for(timeout=60_000)
    page.goto(f"{dashboard_url}/alarms?state=open")
    page.get_by_text(alarm.message).first.wait_for(timeout=60_000)
    page.close()
    assert problems == []
