"""The WebSocket of the API as a process: what it pushes, and whom it cuts off."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from forewarn.adapters.frames.codec import encode_frame
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.testing.api_examples import alarm, frame, health
from support.api_service import code_of_the_end
from support.stack import wait_until

pytestmark = pytest.mark.integration


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
