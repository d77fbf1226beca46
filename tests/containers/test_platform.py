"""The composed platform: everything healthy, a reading becomes rows and an alarm, processors scale under load."""

import json
import threading
import uuid

import pytest
from confluent_kafka import Consumer, Producer

from containers.composed import Composed
from containers.fleet import BASELINE_READINGS, Fleet, minutes_ago
from forewarn.contracts.alarms import Alert, Transition
from forewarn.contracts.topics import TOPICS, TopicName
from support.stack import wait_until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def platform(engine):
    composed = Composed()
    try:
        composed.up()
        yield composed
    finally:
        composed.down()


def _register(platform, fleet):
    for asset in fleet.assets():
        status, answer = platform.post("/api/v1/assets", asset)
        assert status == 201, answer


def _send(platform, readings):
    status, answer = platform.post("/api/v1/readings", readings)
    assert status == 202, answer
    assert json.loads(answer)["accepted"] == len(readings)


def _rows(platform, table, prefix):
    """Rows of a fleet in ``readings`` or ``results``."""
    join = f"{table}_centrifugal_pump JOIN asset USING (asset_key)"
    return int(platform.sql(f"SELECT count(*) FROM {join} WHERE asset_id LIKE '{prefix}-%'"))


def test_every_service_is_healthy_and_provisioning_has_ended(platform):
    containers = {c["Service"]: c for c in platform.containers()}
    assert containers.pop("provision")["ExitCode"] == 0
    assert {name: c["Health"] for name, c in containers.items() if c["Health"] != "healthy"} == {}


def test_processes_have_no_rights_to_misuse(platform):
    status = platform.exec("twin", "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == 0
    assert int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"


def test_topics_are_made_and_nothing_makes_more(platform):
    listed = set(
        platform.exec("kafka", "/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "kafka:9092", "--list").split()
    )
    assert {topic.name.value for topic in TOPICS.values()} <= listed
    producer = Producer({"bootstrap.servers": platform.kafka, "message.timeout.ms": 5000})
    failures = []
    producer.produce("readings.typo", b"{}", on_delivery=lambda error, _message: failures.append(error))
    assert producer.flush(20) == 0
    assert failures[0] is not None


def test_the_dashboard_and_the_api_answer(platform):
    assert platform.get(f"{platform.dashboard}/")[0] == 200
    status, body = platform.get(f"{platform.api}/healthz")
    assert status == 200, body
    assert platform.get(f"{platform.api}/api/v1/assets")[0] == 200


def test_a_service_of_the_database_may_do_its_work_only(platform):
    forbidden = {"sink": "DROP TABLE asset", "api": "INSERT INTO asset (asset_id) VALUES ('x')"}
    for user, statement in forbidden.items():
        answer = platform.compose(
            "exec", "-T", "--env", "PGPASSWORD=forewarn", "database",
            "psql", "--host", "127.0.0.1", "--username", user, "--dbname", "forewarn", "--command", statement,
            check=False,
        )  # fmt: skip
        assert answer == ""
    assert platform.sql("SELECT count(*) FROM asset WHERE asset_id = 'x'") == "0"


def test_a_reading_becomes_rows_and_a_bad_one_becomes_an_alarm_on_alerts(platform):
    prefix = f"AL{uuid.uuid4().hex[:6]}"
    fleet = Fleet(prefix, 1, start=minutes_ago(14))
    _register(platform, fleet)
    _send(platform, [reading for _ in range(BASELINE_READINGS + 20) for reading in fleet.step()])
    _send(platform, [reading for _ in range(20) for reading in fleet.step(vibration_mm_s=6.5)])

    alert = _await_alert(platform, fleet.asset_ids[0], "vibration_high")
    assert alert.transition is Transition.RAISED
    assert alert.alarm.value == 6.5
    assert alert.alarm.active
    for table in ("readings", "results"):
        wait_until(
            lambda table=table: _rows(platform, table, prefix) == fleet.sent,
            60,
            lambda table=table: f"{_rows(platform, table, prefix)} of {fleet.sent} rows in {table}",
            interval_s=1,
        )
    asset_id = fleet.asset_ids[0]
    for table, condition in (
        ("alarm", f"alarm_id = '{alert.alarm.alarm_id}'"),
        ("asset_health JOIN asset USING (asset_key)", f"asset_id = '{asset_id}' AND health IS NOT NULL"),
    ):
        query = f"SELECT count(*) > 0 FROM {table} WHERE {condition}"
        wait_until(lambda query=query: platform.sql(query) == "t", 30, query, interval_s=1)
    status, body = platform.get(f"{platform.api}/api/v1/alarms?asset={asset_id}")
    assert status == 200
    assert alert.alarm.alarm_id in body


def _await_alert(platform, asset_id, rule):
    consumer = Consumer(
        {"bootstrap.servers": platform.kafka, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([TopicName.ALERTS.value])

    def seen():
        message = consumer.poll(1.0)
        if message is None or message.error() is not None:
            return None
        alert = Alert.model_validate_json(message.value())
        return alert if (alert.alarm.asset_id, alert.alarm.rule) == (asset_id, rule) else None

    try:
        return wait_until(seen, 90, f"an alert {rule} of {asset_id}", interval_s=0)
    finally:
        consumer.close()


class Load:
    """Sends a fleet's readings without pause until it is stopped; every one is confirmed by the broker."""

    def __init__(self, platform, fleet, *, pause_s):
        self._fleet = fleet
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._failures = []
        self._producer = Producer(
            {"bootstrap.servers": platform.kafka, "acks": "all", "partitioner": "murmur2_random", "linger.ms": 5}
        )
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        assert self._producer.flush(30) == 0
        assert self._failures == []

    def _run(self):
        while not self._stop.wait(self._pause_s):
            for reading in self._fleet.step():
                self._producer.produce(
                    TopicName.READINGS_RAW.value,
                    json.dumps(reading).encode(),
                    reading["asset_id"].encode(),
                    on_delivery=lambda error, _message: self._failures.append(error) if error else None,
                )
            self._producer.poll(0)


def _lanes(platform, replica):
    """Partitions that a replica of the twin has been given, from its own metrics."""
    metrics = platform.exec(
        "twin",
        "python",
        "-c",
        "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/metrics').read().decode())",
        index=replica,
    )
    return [line for line in metrics.splitlines() if line.startswith("forewarn_lag_records{")]


def test_the_twin_scales_to_three_and_back_under_load_and_nothing_is_lost(platform):
    prefix = f"SC{uuid.uuid4().hex[:6]}"
    fleet = Fleet(prefix, 24, start=minutes_ago(24))
    _register(platform, fleet)
    for _ in range(4):  # the API takes 5,000 readings at a time
        _send(platform, [r for _ in range(BASELINE_READINGS // 4 + 5) for r in fleet.step()])

    with Load(platform, fleet, pause_s=0.2):
        before = fleet.sent
        platform.scale("twin", 3)
        assert len([c for c in platform.containers() if c["Service"] == "twin"]) == 3
        for replica in (1, 2, 3):
            wait_until(
                lambda replica=replica: _lanes(platform, replica), 60, f"replica {replica} processes", interval_s=1
            )
        platform.scale("twin", 1)
        rows = _rows(platform, "results", prefix)
        wait_until(lambda: _rows(platform, "results", prefix) > rows + 24 * 20, 60, "one twin goes on", interval_s=1)
    assert fleet.sent - before > 1000, "too little flowed to prove anything"

    for table in ("readings", "results"):
        wait_until(
            lambda table=table: _rows(platform, table, prefix) >= fleet.sent,
            120,
            lambda table=table: f"{_rows(platform, table, prefix)} of {fleet.sent} rows in {table}",
            interval_s=2,
        )
        assert _rows(platform, table, prefix) == fleet.sent
    assert platform.sql(f"SELECT count(*) FROM rejected WHERE asset_id LIKE '{prefix}-%'") == "0"


def test_a_killed_broker_comes_back_and_everything_goes_on_unattended(platform):
    prefix = f"BK{uuid.uuid4().hex[:6]}"
    fleet = Fleet(prefix, 4, start=minutes_ago(24))
    _register(platform, fleet)
    _send(platform, [r for _ in range(BASELINE_READINGS + 10) for r in fleet.step()])
    platform.compose("kill", "kafka")
    platform.compose("up", "--detach", "--no-recreate", "--wait", "--wait-timeout", "60", "kafka")

    def unwell():
        return [c["Service"] for c in platform.containers() if c["Health"] != "healthy" and c["Service"] != "provision"]

    def accepted():
        status, _ = platform.post("/api/v1/readings", readings)
        return status == 202

    readings = fleet.step()
    wait_until(accepted, 60, "the API takes readings again", interval_s=2)
    for table in ("readings", "results"):
        wait_until(
            lambda table=table: _rows(platform, table, prefix) == fleet.sent,
            120,
            lambda table=table: f"{_rows(platform, table, prefix)} of {fleet.sent} rows in {table}; unwell: {unwell()}",
            interval_s=2,
        )
    wait_until(lambda: not unwell(), 90, lambda: f"unwell: {unwell()}", interval_s=2)
