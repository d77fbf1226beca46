"""The WebSocket: snapshot, changes, slow readers, limits."""

import asyncio
import contextlib
import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from forewarn.contracts.answers.live import LiveMessage
from forewarn.runtime.http.clients import CLIENT_HEADER, DASHBOARD
from forewarn.testing.api_examples import NOW, alarm, health, judged_rows, latest, valid_rows
from forewarn.testing.fakes import FakePlatform
from forewarn.usecases.changes import Changes
from forewarn_api.app import make_app
from forewarn_api.live_push import ASSETS_PER_MESSAGE, DASHBOARDS, LivePush

LIVE = "/api/v1/live"


def feed(platform, asset_id="P-101", at=NOW, **columns):
    platform.live.take_readings(valid_rows([asset_id], at, **columns))
    platform.live.announce()


def test_the_snapshot_comes_first_and_holds_everything(client, platform):
    feed(platform, flow_m3_h=120.0)
    platform.live.take_judgements(judged_rows(["P-101"], NOW, expected_power_kw=30.0, score=55.0, hint=2))
    platform.live.take_health("P-101", health().model_dump_json().encode(), 0)
    platform.live.take_alarm("P-101/vibration_high", alarm())
    feed(platform, "P-102")
    with client.websocket_connect(LIVE) as socket:
        message = socket.receive_json()
    assert message["type"] == "snapshot"
    LiveMessage.model_validate(message)  # what is sent is what clients read, and nothing else
    assert set(message) == set(LiveMessage.model_fields)
    readings = {item["asset_id"]: item for item in message["readings"]}
    assert set(readings) == {"P-101", "P-102"}
    assert readings["P-101"]["values"]["flow_m3_h"] == 120.0
    assert readings["P-101"]["judgement"]["expected"]["power_kw"] == 30.0
    assert readings["P-101"]["judgement"]["hint"] == "sensor_fault"
    assert readings["P-102"]["judgement"] is None
    assert [item["health"] for item in message["health"]] == [88.0]
    assert [item["alarm_id"] for item in message["alarms"]] == ["P-101/vibration_high"]


def test_then_only_what_changed_is_sent(client, platform):
    feed(platform)
    feed(platform, "P-102")
    with client.websocket_connect(LIVE) as socket:
        socket.receive_json()
        feed(platform, at=NOW + timedelta(seconds=1), flow_m3_h=7.0)
        platform.live.take_alarm("P-102/a", alarm("P-102", "a"))
        platform.live.announce()
        message = socket.receive_json()
        assert message["type"] == "update"
        assert [item["values"]["flow_m3_h"] for item in message["readings"]] == [7.0]
        assert [item["alarm_id"] for item in message["alarms"]] == ["P-102/a"]
        platform.live.take_alarm("P-102/a", None)
        platform.live.announce()
        message = socket.receive_json()
        assert (message["readings"], message["alarms"]) == ([], [])
        assert message["closed_alarms"] == ["P-102/a"]


def test_only_chosen_assets_are_pushed(client, platform):
    feed(platform)
    feed(platform, "P-102")
    with client.websocket_connect(f"{LIVE}?asset=P-102") as socket:
        assert [item["asset_id"] for item in socket.receive_json()["readings"]] == ["P-102"]


def test_unknown_assets_are_refused_before_the_socket_opens(client):
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(f"{LIVE}?asset=P-999"):
        pass
    assert refused.value.status_code == 404
    assert refused.value.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("?assets=P-101", ("query.assets", "no such parameter: there are only, asset")),
        ("?only=alarms&only=alarms", ("query.only", "is given more than once")),
        ("?only=health", ("query.only", "Input should be 'alarms'")),
        ("?asset=../etc", ("query.asset.0", "String should match pattern '^[A-Za-z0-9][A-Za-z0-9_.\\-]{0,127}$'")),
    ],
)
def test_parameters_that_do_not_exist_or_make_no_sense_are_refused_with_the_reason(client, query, fault):
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(LIVE + query):
        pass
    assert (refused.value.status_code, refused.value.headers["content-type"]) == (422, "application/problem+json")
    assert [(error["parameter"], error["detail"]) for error in refused.value.json()["errors"]] == [fault]


def test_no_more_clients_than_allowed(platform):
    with (
        TestClient(make_app(platform.backend, max_subscribers=3)) as client,
        client.websocket_connect(LIVE),
        client.websocket_connect(LIVE),
        client.websocket_connect(LIVE),
    ):
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(LIVE):
            pass
        assert refused.value.status_code == 503
        assert client.get("/healthz").json()["subscribers"] == 3
    with client.websocket_connect(LIVE) as socket:
        assert socket.receive_json()["type"] == "snapshot"


def test_a_client_that_talks_is_disconnected(client):
    with client.websocket_connect(LIVE) as socket:
        socket.receive_json()
        socket.send_text("x" * 40_000)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1008


def test_late_readings_never_overwrite_newer_ones(platform):
    feed(platform, flow_m3_h=1.0)
    feed(platform, at=NOW - timedelta(seconds=5), flow_m3_h=2.0)
    feed(platform, at=NOW + timedelta(seconds=5), flow_m3_h=3.0, late=True)
    assert platform.live.asset("P-101").reading.values["flow_m3_h"] == 1.0


def test_the_last_row_of_an_asset_in_a_frame_counts(platform):
    platform.live.take_readings(valid_rows(["P-101", "P-102", "P-101"], NOW, flow_m3_h=[1.0, 2.0, 3.0]))
    assert platform.live.asset("P-101").reading.values["flow_m3_h"] == 3.0
    assert platform.live.asset("P-102").reading.values["flow_m3_h"] == 2.0


class SlowSocket:
    """Takes a message only on request."""

    def __init__(self):
        self.turn = asyncio.Semaphore(0)
        self.taken = asyncio.Queue()

    async def send_text(self, text):
        await self.turn.acquire()
        self.taken.put_nowait(json.loads(text))

    async def take(self):
        self.turn.release()
        return await self.taken.get()


async def test_a_slow_client_gets_the_newest_state_and_keeps_nothing_waiting():
    platform = FakePlatform()
    feed(platform, flow_m3_h=0.0)
    async with Changes(platform.live) as changes:
        push = LivePush(platform.backend, changes)
        socket = SlowSocket()
        sender = asyncio.create_task(push._send_changes(socket, ()))
        await asyncio.sleep(0)
        for n in range(1, 1000):
            feed(platform, at=NOW + timedelta(milliseconds=n), flow_m3_h=float(n))
        messages = [await socket.take(), await socket.take()]
        sender.cancel()
    first, second = ([item["values"]["flow_m3_h"] for item in message["readings"]] for message in messages)
    assert first == [0.0]
    assert second == [999.0]


class TalkativeSocket:
    """Says something some turns of the event loop after the snapshot was begun, whose sending takes some as well."""

    def __init__(self, sends, listens):
        self.sends, self.listens = sends, listens
        self.closed = []

    async def send_text(self, _text):
        for _ in range(self.sends):
            await asyncio.sleep(0)

    async def receive(self):
        for _ in range(self.listens):
            await asyncio.sleep(0)
        return {"type": "websocket.receive", "text": "hello"}

    async def close(self, code, _reason):
        self.closed.append(code)


@pytest.mark.parametrize("listens", range(8))
async def test_a_client_that_talks_is_cut_off_whatever_is_being_sent(listens):
    platform = FakePlatform()
    socket = TalkativeSocket(sends=2, listens=listens)
    async with Changes(platform.live) as changes, asyncio.timeout(5):
        await LivePush(platform.backend, changes).serve(socket, ())
    assert socket.closed == [1008]


async def test_a_large_plant_is_told_in_several_messages():
    platform = FakePlatform()
    names = [f"P-{n:04d}" for n in range(2 * ASSETS_PER_MESSAGE + 1)]
    platform.live.take_readings(valid_rows(names, NOW))
    async with Changes(platform.live) as changes:
        push = LivePush(platform.backend, changes)
        socket = SlowSocket()
        sender = asyncio.create_task(push._send_changes(socket, ()))
        messages = [await socket.take() for _ in range(3)]
        sender.cancel()
    assert [message["type"] for message in messages] == ["snapshot", "update", "update"]
    assert sorted(item["asset_id"] for message in messages for item in message["readings"]) == names


def test_dashboards_and_others_take_no_places_of_each_other(platform):
    dashboard = {CLIENT_HEADER: DASHBOARD}
    with TestClient(make_app(platform.backend, max_subscribers=2)) as client, contextlib.ExitStack() as stack:
        for headers, places in (({}, 2), (dashboard, DASHBOARDS)):
            for _ in range(places):
                stack.enter_context(client.websocket_connect(LIVE, headers=headers))
            with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(LIVE, headers=headers):
                pass
            assert refused.value.status_code == 503


def test_the_database_fills_the_view_at_the_start(platform):
    platform.history.newest = (latest(),)
    platform.history.health_events = (health(),)
    with TestClient(make_app(platform.backend)) as client, client.websocket_connect(LIVE) as socket:
        message = socket.receive_json()
        while not message["readings"]:
            message = socket.receive_json()
    assert message["readings"][0]["values"] == {"flow_m3_h": 77.0}
    assert message["readings"][0]["judgement"]["model_version"] == 2


def test_a_lagging_removal_leaves_the_data_of_a_new_registration():
    live = FakePlatform().live
    live.take_readings(valid_rows(["P-101"], NOW), 3)
    live.end("P-101", "reading", 3)
    assert live.asset("P-101") is None
    live.take_readings(valid_rows(["P-101"], NOW + timedelta(seconds=1)), 3)
    live.end("P-101", "reading", 7)
    assert live.asset("P-101").reading.ts == NOW + timedelta(seconds=1)


async def test_a_client_hears_of_a_removed_asset_once_its_readings_have_ended():
    platform = FakePlatform()
    feed(platform)
    async with Changes(platform.live) as changes:
        push = LivePush(platform.backend, changes)
        socket = SlowSocket()
        sender = asyncio.create_task(push._send_changes(socket, ()))
        await socket.take()
        del platform.registry.assets["P-101"]
        feed(platform, at=NOW + timedelta(seconds=1))  # was under way
        under_way = await socket.take()
        platform.live.end("P-101", "reading")
        feed(platform, "P-102", at=NOW + timedelta(seconds=2))
        gone = await socket.take()
        sender.cancel()
    assert (len(under_way["readings"]), under_way["removed_assets"]) == (1, [])
    assert gone["removed_assets"] == ["P-101"]
    assert platform.live.asset("P-101") is None
