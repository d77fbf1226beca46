"""History from a file on the real stack: judged and queryable, once, whatever happens, and never an alarm."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from forewarn.contracts.topics import TopicName, qualified
from forewarn_local.ports import any_free
from support.plant import REPOSITORY
from support.stack import SERVICE_ENV, wait_until
from support.wire import Message, produce, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

EXAMPLES = REPOSITORY / "libs/forewarn/examples/history"
SERVICES = ("validator", "twin", "anomaly", "health", "alerting", "sink", "api")
WEAR_ROWS, WEAR_VIBRATION_LIMIT = 2352, 4.5


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "forewarn_local", "import", *arguments]


def run_import(env: Mapping[str, str], *arguments: str) -> str:
    environment = {**os.environ, **env}
    done = subprocess.run(
        command(*arguments), env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def platform(kafka_broker, database_url, topic_prefix, spawn_service, tmp_path) -> dict[str, str]:
    """Environment of a running platform without a plant."""
    port = str(any_free())
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "DATABASE_URL": database_url,
        "API_PORT": port,
        "FOREWARN_HOME": str(tmp_path / "home"),
        "COLUMNS": "200",
    }
    provision = [sys.executable, "-m", "forewarn.runtime.provision"]
    subprocess.run(provision, env={**os.environ, **SERVICE_ENV, **env}, check=True, timeout=120, capture_output=True)
    for name in SERVICES:
        spawn_service(f"forewarn_{name}", env, name=name)
    return env


def test_history_is_judged_once_and_never_alarms_but_live_readings_after_it_do(platform, topic_prefix, tmp_path):
    wear = str(EXAMPLES / "bearing_wear_pump.csv")
    report = tmp_path / "report.json"
    usual = [wear, "--asset", "P-8", "--class", "centrifugal_pump", "--timezone", "America/New_York", "--yes"]
    interrupted = subprocess.Popen(command(*usual), env={**os.environ, **platform}, stdout=subprocess.DEVNULL)
    with suppress(subprocess.TimeoutExpired):
        interrupted.wait(2.5)  # somewhere on its way; what follows must hold wherever that was
    interrupted.send_signal(signal.SIGKILL)
    interrupted.wait()
    run_import(platform, *usual, "--report", str(report))
    said = json.loads(report.read_text())
    assert said["readings"] == WEAR_ROWS
    assert {tag["tag"]: tag["removed"] for tag in said["tags"] if tag["removed"]} == {"fluid_temp_c": "flat"}

    with psycopg.connect(platform["DATABASE_URL"], autocommit=True) as connection:

        def rows(statement: str) -> int:
            return int(connection.execute(statement).fetchone()[0])

        readings = "SELECT count(*) FROM readings_centrifugal_pump WHERE historical"
        results = "SELECT count(*) FROM results_centrifugal_pump"
        wait_until(lambda: rows(readings) == WEAR_ROWS, 60)
        wait_until(lambda: rows(results) == WEAR_ROWS, 60)
        flagged = rows("SELECT count(*) FROM results_centrifugal_pump WHERE flag")
        assert flagged > 100, "the wear shows in the scores"
        over = f"SELECT count(*) FROM readings_centrifugal_pump WHERE vibration_mm_s > {WEAR_VIBRATION_LIMIT}"
        assert rows(over) > 100, "live readings like these would alarm"

        run_import(platform, *usual)
        sentinel = tmp_path / "later.csv"  # what comes behind the second import is stored: so was that
        sentinel.write_text("time,flow_m3_h,vibration_mm_s\n2026-11-08T00:00:00Z,100,6.9\n")
        run_import(platform, str(sentinel), "--asset", "P-8", "--yes")
        wait_until(lambda: rows(readings) == WEAR_ROWS + 1, 60, lambda: f"{rows(readings)} readings")
        wait_until(lambda: rows(results) == WEAR_ROWS + 1, 60, lambda: f"{rows(results)} results")
        assert rows(readings) == WEAR_ROWS + 1

        wait_until(lambda: rows("SELECT count(*) FROM asset_health WHERE (document->>'historical')::bool"), 30)
        assert latest(platform)["ts"].startswith("2026-11-08T00:00:00")
        assert rows("SELECT count(*) FROM alarm_event") == 0
        bootstrap = platform["KAFKA_BOOTSTRAP_SERVERS"]
        assert read_topic(bootstrap, TopicName.ALERTS, topic_prefix) == []
        assert read_topic(bootstrap, TopicName.READINGS_REJECTED, topic_prefix) == []

        produce(bootstrap, qualified(TopicName.READINGS_RAW, topic_prefix), live := list(live_readings()))
        wait_until(lambda: rows("SELECT count(*) FROM alarm_event WHERE transition = 'raised'"), 60)
        newest = json.loads(live[-1].value)["ts"]
        wait_until(lambda: moment(latest(platform)["ts"]) == moment(newest), 30)
        earlier = tmp_path / "earlier.csv"  # behind the live readings: stored, and nothing else
        earlier.write_text("time,flow_m3_h,vibration_mm_s\n2026-11-09T00:00:00Z,100,1.0\n")
        run_import(platform, str(earlier), "--asset", "P-8", "--yes")
        wait_until(lambda: rows(f"{readings} AND late AND vibration_mm_s = 1.0") == 1, 30)
        assert moment(latest(platform)["ts"]) == moment(newest)
        assert rows("SELECT count(*) FROM alarm_event WHERE transition <> 'raised'") == 0


def live_readings():
    """The same worn bearing, now live: a minute of vibration beyond its limits."""
    now = datetime.now(UTC)
    for second in range(-60, 0, 5):
        reading = {
            "asset_id": "P-8",
            "ts": (now + timedelta(seconds=second)).isoformat(),
            "metrics": {"vibration_mm_s": 7.5, "speed_rpm": 1400.0},
        }
        yield Message(key=b"P-8", value=json.dumps(reading).encode())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def latest(env: Mapping[str, str]) -> dict:
    address = f"http://127.0.0.1:{env['API_PORT']}/api/v1/assets/P-8/latest"
    with urllib.request.urlopen(address, timeout=20) as answer:
        return json.load(answer)
