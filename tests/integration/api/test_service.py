"""The API as a process over a real broker and a real database."""

import json
import math
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from forewarn.adapters.arrow_codec import encode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.timescale.migrate import migrate
from forewarn.adapters.timescale.store import TimescaleStore
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.assets import Command
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.store import Item, Source
from forewarn_local.ports import any_free
from support.api_fakes import CATALOGUE, PUMP, PUMP_CLASS, alarm, frame, health
from support.plant import PUMPS, register
from support.sink_frames import random_frame
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = pytest.mark.integration

TOKEN = "an-integration-token-0001"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Service:
    """One API process and how to talk to it."""

    def __init__(self, process, port, probe_port, bootstrap, prefix, database_url):
        self.process = process
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.database_url = database_url
        self.probes = httpx2.Client(base_url=f"http://127.0.0.1:{probe_port}")
        self.http = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {TOKEN}"}, timeout=30
        )
        self.live_url = f"ws://127.0.0.1:{port}/api/v1/live"

    def ready(self):
        assert self.process.running, self.process.log
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def wait_ready(self, timeout_s=60):
        wait_until(self.ready, timeout_s, describe=lambda: self.process.log[-2000:])

    def live(self, query=""):
        return connect(self.live_url + query, additional_headers={"authorization": f"Bearer {TOKEN}"}, max_size=2**22)

    def store(self, *contents):
        """Write as the sink does."""
        store = TimescaleStore(self.database_url, CATALOGUE, application="test")
        source = Source(f"{self.prefix}{datetime.now(UTC).timestamp()}", 0)
        items = [Item(source=source, offset=n, content=content) for n, content in enumerate(contents)]
        store.write(items, store.claim([source]))
        store.close()

    def produce(self, topic, *messages):
        name = qualified(topic, self.prefix)
        assert produce(self.bootstrap, name, [Message(key=key, value=value) for key, value in messages])

    def topic(self, topic):
        return read_topic(self.bootstrap, topic, self.prefix)

    def close(self):
        self.http.close()
        self.probes.close()


@pytest.fixture
def start_api(spawn_service):
    started = []

    def start(bootstrap, prefix, database_url, **env):
        port, probe_port = any_free(), any_free()
        process = spawn_service(
            "forewarn_api",
            {
                "FOREWARN_ENV": "production",
                "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
                "KAFKA_TOPIC_PREFIX": prefix,
                "DATABASE_URL": database_url,
                "API_TOKEN": TOKEN,
                "API_PORT": str(port),
                "PROBE_PORT": str(probe_port),
                "LOG_LEVEL": "DEBUG",
                **env,
            },
        )
        service = Service(process, port, probe_port, bootstrap, prefix, database_url)
        started.append(service)
        return service

    yield start
    for service in started:
        service.close()


@pytest.fixture(scope="module")
def migrated_url(database_url):
    migrate(database_url, CATALOGUE)
    return database_url


@pytest.fixture
def api(kafka_broker, topic_prefix, migrated_url, start_api):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    register(kafka_broker.bootstrap_servers, topic_prefix, (*PUMPS, PUMP))
    service = start_api(kafka_broker.bootstrap_servers, topic_prefix, migrated_url)
    service.wait_ready()
    return service


def reading(asset_id="P-101", **changes):
    return {
        "asset_id": asset_id,
        "ts": datetime.now(UTC).isoformat(),
        "metrics": {"flow_m3_h": 120.5, "speed_rpm": 1480.0},
        **changes,
    }


def test_ingested_readings_stand_on_the_raw_topic_by_asset_and_in_order(api):
    body = [reading(asset.asset_id, seq=n) for n in range(40) for asset in PUMPS]
    answer = api.http.post("/api/v1/readings", json=body)
    assert (answer.status_code, answer.json()["accepted"]) == (202, len(body))
    records = api.topic(TopicName.READINGS_RAW)
    assert len(records) == len(body)
    stored = [json.loads(record.value) for record in records]
    assert all(record.key == found["asset_id"].encode() for record, found in zip(records, stored, strict=True))
    for asset in PUMPS:
        mine = [
            (r.partition, s["seq"]) for r, s in zip(records, stored, strict=True) if s["asset_id"] == asset.asset_id
        ]
        assert len({partition for partition, _ in mine}) == 1
        assert [seq for _, seq in mine] == list(range(40))
    assert stored[0]["metrics"] == {"flow_m3_h": 120.5, "speed_rpm": 1480.0}
    assert api.http.post("/api/v1/readings", json=reading("P-999")).status_code == 422
    assert len(api.topic(TopicName.READINGS_RAW)) == len(body)


def test_the_token_is_wanted_for_http_and_websocket(api):
    assert httpx2.get(str(api.http.base_url.join("/api/v1/assets"))).status_code == 401
    with pytest.raises(InvalidStatus) as refused:
        connect(api.live_url)
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["content-type"] == "application/problem+json"
    with connect(api.live_url, subprotocols=["token", TOKEN]) as socket:
        assert socket.subprotocol == "token"
        assert json.loads(socket.recv(timeout=20))["type"] == "snapshot"
    assert TOKEN not in api.process.log


def test_a_registered_asset_can_send_at_once(api):
    body = {"asset_id": "P-NEW", "asset_class": "centrifugal_pump", "name": "New pump"}
    assert api.http.post("/api/v1/assets", json=body).status_code == 201
    assert api.http.get("/api/v1/assets/P-NEW").json()["asset"]["name"] == "New pump"
    assert api.http.post("/api/v1/readings", json=reading("P-NEW")).status_code == 202
    assert any(record.key == b"P-NEW" for record in api.topic(TopicName.ASSETS))


def test_latest_and_history_equal_what_was_inserted(api):
    rng = np.random.default_rng(5)
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    times = [(begin + timedelta(seconds=n) - EPOCH) // timedelta(microseconds=1) for n in range(200)]
    valid = random_frame(FrameKind.VALID, PUMP_CLASS, ["P-007"] * 200, times, rng)
    judged = random_frame(FrameKind.ANOMALY, PUMP_CLASS, ["P-007"] * 200, times, rng)
    for name in ("deviation", "score"):
        judged.arrays[name].clip(0, 100, out=judged.arrays[name])
    judged.arrays["p_value"][:] = 0.5
    api.store(valid, judged)

    params = {"from": begin.isoformat(), "to": (begin + timedelta(minutes=4)).isoformat(), "resolution": "raw"}
    history = api.http.get("/api/v1/assets/P-007/history", params=params).json()
    assert history["resolution"] == "raw"
    assert len(history["ts"]) == 200
    for name in PUMP_CLASS.column_names:
        assert known(history["columns"][name]["values"]) == known(valid.arrays[name].tolist())
    for name in PUMP_CLASS.twin.responses:
        expected = judged.arrays[f"expected_{name}"].astype(float).tolist()
        assert known(history["columns"][name]["expected"]) == pytest.approx(known(expected))
    for tag in PUMP_CLASS.tag_names:
        assert history["columns"][tag]["quality"] == valid.arrays[f"quality_{tag}"].tolist()

    pages, start = [], params["from"]
    while start is not None:
        page = api.http.get(
            "/api/v1/assets/P-007/history", params=params | {"from": start, "max_points": 70, "columns": "power_kw"}
        ).json()
        pages += page["columns"]["power_kw"]["values"]
        start = page["next_from"]
    assert pages == history["columns"]["power_kw"]["values"]

    text = api.http.get("/api/v1/assets/P-007/history", params=params | {"format": "csv"}).text
    assert len(text.splitlines()) == 201

    latest = api.http.get("/api/v1/assets/P-007/latest").json()
    values = {value["name"]: value["value"] for value in latest["values"]}
    assert latest["ts"] == history["ts"][-1]
    assert values == {name: history["columns"][name]["values"][-1] for name in PUMP_CLASS.column_names}
    assert latest["score"] == pytest.approx(history["score"][-1]) if history["score"][-1] is not None else True


def code_of_the_end(socket):
    """Read until the service closes the connection."""
    while True:
        try:
            socket.recv(timeout=20)
        except ConnectionClosed as closed:
            return closed.rcvd.code


def known(values):
    """Values with None for NaN, in a form that compares."""
    return [-1e300 if value is None or math.isnan(value) else value for value in values]


def test_the_websocket_pushes_frames_health_and_alarms(api):
    with api.live("?asset=P-101") as socket:
        assert json.loads(socket.recv(timeout=20))["type"] == "snapshot"
        now = datetime.now(UTC)
        seen = {"readings": [], "health": [], "alarms": [], "closed_alarms": []}

        def collect(part):
            message = json.loads(socket.recv(timeout=20))
            for name in seen:
                seen[name] += message[name]
            return seen[part]

        for n in range(200):  # the feed starts at the end of the topics, wherever that is when it gets there
            ts = now + timedelta(milliseconds=n)
            valid = frame(FrameKind.VALID, ["P-101", "P-001"], ts, flow_m3_h=[float(n), 0.0])
            judged = frame(FrameKind.ANOMALY, ["P-101"], ts, expected_power_kw=30.0, score=77.0, flag=True)
            api.produce(TopicName.READINGS_VALID, (None, encode_frame(valid)))
            api.produce(TopicName.ANOMALY_SCORES, (None, encode_frame(judged)))
            if any(item["judgement"] for item in collect("readings")):
                break
        assert {item["asset_id"] for item in seen["readings"]} == {"P-101"}
        assert seen["readings"][-1]["judgement"]["expected"]["power_kw"] == 30.0

        api.produce(TopicName.ASSET_HEALTH, (b"P-101", health().model_dump_json().encode()))
        wait_until(lambda: collect("health"))
        api.produce(TopicName.ALERTS_ACTIVE, (b"P-101/vibration_high", alarm().model_dump_json().encode()))
        wait_until(lambda: collect("alarms"))
        assert Alarm.model_validate(seen["alarms"][0]) == alarm()
        api.produce(TopicName.ALERTS_ACTIVE, (b"P-101/vibration_high", None))
        wait_until(lambda: collect("closed_alarms"))
        assert seen["closed_alarms"] == ["P-101/vibration_high"]
    stages = {stage["stage"]: stage["age_s"] for stage in api.http.get("/healthz").json()["stages"]}
    assert stages["readings.valid"] is not None
    assert stages["anomaly.scores"] is not None


def test_a_talkative_or_oversized_client_is_cut_off(api):
    for text in ("hello", "x" * 40_000):
        with api.live() as socket:
            socket.recv(timeout=20)
            socket.send(text)
            assert code_of_the_end(socket) in (1008, 1009)


def test_acknowledging_publishes_a_command_and_waits_for_the_alarm(api):
    api.produce(TopicName.ALERTS_ACTIVE, (b"P-101/vibration_high", alarm().model_dump_json().encode()))
    wait_until(lambda: api.http.get("/api/v1/alarms", params={"asset": "P-101"}).json()["items"])
    path = "/api/v1/alarms/P-101/vibration_high/acknowledge"

    def alerting():
        """Answers the command as the alerting service would."""
        [record] = wait_until(lambda: api.topic(TopicName.COMMANDS))
        command = Command.model_validate_json(record.value)
        acknowledged = alarm(acknowledged=True, acknowledged_by=command.issued_by, comment=command.body.comment)
        api.produce(TopicName.ALERTS_ACTIVE, (b"P-101/vibration_high", acknowledged.model_dump_json().encode()))
        return record, command

    with ThreadPoolExecutor(1) as pool:
        answering = pool.submit(alerting)
        body = {"occurrence_id": "o-1", "comment": "on my way", "by": "ada"}
        answer = api.http.post(path, params={"wait_s": 5}, json=body)
        record, command = answering.result(30)
    assert answer.status_code == 200
    assert answer.json()["alarm"]["comment"] == "on my way"
    assert record.key == b"P-101"
    assert command.command_id == answer.json()["command_id"]
    assert command.body.occurrence_id == "o-1"
    again = api.http.post(path, json={"occurrence_id": "o-1"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:forewarn:problem:already-acknowledged")


def test_a_refused_message_is_browsed_and_replayed_unchanged(api):
    original = b'{"asset_id":"P-101",  "ts":"2026-11-20T20:00:00Z","metrics":{"flow_m3_h":1}}'
    refused = RejectedReading(
        rejected_id=f"{api.prefix}readings.raw/3/17",
        topic=f"{api.prefix}readings.raw",
        partition=3,
        offset=17,
        reason=RejectionReason.UNKNOWN_ASSET,
        explanation="Nobody has registered the asset.",
        recommendation="Register it.",
        asset_id="P-101",
        rejected_at=datetime.now(UTC),
        key=b"P-101",
        original=original,
    )
    api.store(refused)
    items = api.http.get("/api/v1/rejected", params={"asset": "P-101"}).json()["items"]
    assert refused.rejected_id in [item["rejected_id"] for item in items]
    answer = api.http.post(f"/api/v1/rejected/{refused.rejected_id}/replay")
    assert answer.status_code == 202
    [record] = api.topic(TopicName.READINGS_RAW)
    assert (record.key, record.value) == (b"P-101", original)


def test_sigterm_ends_the_service_in_time_and_says_goodbye_to_its_clients(api):
    with api.live() as socket:
        socket.recv(timeout=20)
        assert api.process.terminate(10) < 10
        assert code_of_the_end(socket) == 1012
    assert api.process.returncode == 0
    assert "Traceback" not in api.process.log


def test_production_does_not_start_without_a_token(start_api, kafka_broker, topic_prefix, migrated_url):
    service = start_api(kafka_broker.bootstrap_servers, topic_prefix, migrated_url, API_TOKEN="changeme")
    wait_until(lambda: not service.process.running)
    assert service.process.returncode == 2
    assert "API_TOKEN" in service.process.log


def test_no_202_while_the_broker_is_away_and_the_service_recovers_by_itself(
    dedicated_broker, topic_prefix, migrated_url, start_api
):
    broker = dedicated_broker()
    create_topics(broker.bootstrap_servers, topic_prefix)
    register(broker.bootstrap_servers, topic_prefix, PUMPS)
    api = start_api(broker.bootstrap_servers, topic_prefix, migrated_url, API_DELIVERY_TIMEOUT_S="8")
    api.wait_ready()
    confirmed, refused, numbers = [], [], iter(range(1_000_000))
    stop = threading.Event()

    def send():
        while not stop.is_set():
            seq = next(numbers)
            answer = api.http.post("/api/v1/readings", json=[reading(a.asset_id, seq=seq) for a in PUMPS])
            if answer.status_code == 202:
                confirmed.append(seq)
            elif answer.status_code == 503:
                assert answer.headers["content-type"] == "application/problem+json"
                refused.append(seq)
            else:
                assert answer.status_code == 207, answer.text

    with ThreadPoolExecutor(1) as pool:
        sender = pool.submit(send)
        try:
            wait_until(lambda: len(confirmed) > 10 or sender.done())
            broker.kill()
            wait_until(lambda: refused or sender.done(), 60)
            assert api.http.get("/healthz").json()["components"]["kafka"]["status"] == "failed"
            broker.restart()
            before = len(confirmed)
            wait_until(lambda: len(confirmed) > before + 10 or sender.done(), 120)
        finally:
            stop.set()
        sender.result(60)
    assert refused
    stored = {(json.loads(r.value)["asset_id"], json.loads(r.value)["seq"]) for r in api.topic(TopicName.READINGS_RAW)}
    assert {(asset.asset_id, seq) for asset in PUMPS for seq in confirmed} <= stored
    assert len(confirmed) > 20


def test_without_a_database_ingest_and_live_data_go_on(dedicated_postgres, kafka_broker, topic_prefix, start_api):
    server = dedicated_postgres()
    url = server.create_database("plant")
    migrate(url, CATALOGUE)
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    register(kafka_broker.bootstrap_servers, topic_prefix, (PUMP,))
    api = start_api(kafka_broker.bootstrap_servers, topic_prefix, url)
    api.wait_ready()
    wait_until(lambda: api.http.get("/healthz").status_code == 200)
    server.stop()
    history = api.http.get("/api/v1/assets/P-101/history")
    assert (history.status_code, history.headers["content-type"]) == (503, "application/problem+json")
    assert url.split("@")[1] not in history.text
    assert api.http.post("/api/v1/readings", json=reading()).status_code == 202
    assert api.http.get("/api/v1/alarms").status_code == 200
    assert api.http.get("/healthz").json()["components"]["database"]["status"] == "failed"
    assert api.probes.get("/livez").status_code == 200
    server.start()
    wait_until(lambda: api.http.get("/healthz").status_code == 200, 60)
    assert api.http.get("/api/v1/assets/P-101/history").status_code == 200


def test_probes_are_served_on_their_own_port(api):
    assert api.probes.get("/livez").text == "ok"
    assert api.probes.get("/readyz").status_code == 200
    assert "forewarn_api_request_seconds" in api.probes.get("/metrics").text
    api.process.process.send_signal(signal.SIGINT)
    wait_until(lambda: not api.process.running)
    assert api.process.returncode == 0
