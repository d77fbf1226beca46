"""The API as a process over a real broker and a real database."""

import json
import math
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from forewarn.contracts.assets import Command
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.testing.api_examples import PUMP_CLASS, alarm
from support.api_service import TOKEN, code_of_the_end, reading
from support.plant import PUMPS
from support.sink_frames import random_frame
from support.stack import wait_until

pytestmark = pytest.mark.integration


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def known(values):
    """Values with None for NaN, in a form that compares."""
    return [-1e300 if value is None or math.isnan(value) else value for value in values]


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
        explanation="The asset is not registered.",
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


def test_probes_are_served_on_their_own_port(api):
    assert api.probes.get("/livez").text == "ok"
    assert api.probes.get("/readyz").status_code == 200
    assert "forewarn_api_request_seconds" in api.probes.get("/metrics").text
    api.process.process.send_signal(signal.SIGINT)
    wait_until(lambda: not api.process.running)
    assert api.process.returncode == 0
