"""All assets in short: conditions, filters, orders, pages; live feeds of plants that are large."""

import asyncio
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from forewarn.contracts.answers.overview import Sort
from forewarn.contracts.assets import Asset
from forewarn.testing.api_examples import NOW, alarm, judged_rows, valid_rows
from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from forewarn_api.live_push import ALARMS_PER_MESSAGE, MOST_ASSETS
from forewarn_api.plant_index import PlantIndex, Question

LIVE = "/api/v1/live"


def names_of(answer):
    return [item["asset_id"] for item in answer.json()["items"]]


def plant_of(count):
    platform = FakePlatform()
    platform.registry.assets = {
        f"M-{n:05}": Asset(
            asset_id=f"M-{n:05}", asset_class="centrifugal_pump", name=f"Wärmepumpe {n}", path=("w", f"hall-{n % 7}")
        )
        for n in range(count)
    }
    return platform


def test_an_asset_shows_what_somebody_has_to_know_first(client, platform):
    row = client.get("/api/v1/overview", params={"asset": "P-101"}).json()["items"][0]
    assert (row["condition"], row["ts"], row["alarms"]) == ("silent", None, 0)
    platform.live.take_readings(valid_rows(["P-101"], NOW))
    platform.live.take_judgements(judged_rows(["P-101"], NOW, phase=1, score=12.0, flag=False))
    platform.live.take_alarm("P-101/vibration_high", alarm())
    platform.clock.at += timedelta(seconds=2)
    answer = client.get("/api/v1/overview", params={"asset": "P-101"}).json()
    row = answer["items"][0]
    assert (row["condition"], row["score"], row["alarms"]) == ("attention", 12.0, 1)
    assert row["alarm"]["message"] == alarm().message
    assert answer["counts"]["conditions"]["attention"] == 1
    assert answer["counts"]["unacknowledged"] == 1
    platform.clock.at += timedelta(seconds=60)
    assert client.get("/api/v1/overview", params={"asset": "P-101"}).json()["items"][0]["condition"] == "stale"


def test_filters_orders_and_pages_are_the_apis():
    platform = plant_of(60)
    with TestClient(make_app(platform.backend)) as client:
        first = client.get("/api/v1/overview", params={"sort": "name", "limit": 25})
        assert (first.json()["found"], first.json()["counts"]["assets"]) == (60, 60)
        second = client.get("/api/v1/overview", params={"sort": "name", "limit": 25, "offset": 25})
        third = client.get("/api/v1/overview", params={"sort": "name", "limit": 25, "offset": 50})
        pages = names_of(first) + names_of(second) + names_of(third)
        assert sorted(pages) == sorted(platform.registry.assets)
        assert names_of(client.get("/api/v1/overview", params={"q": "WÄRMEPUMPE 59"})) == ["M-00059"]
        in_hall = client.get("/api/v1/overview", params={"path": "w/hall-3"})
        assert {item["path"][1] for item in in_hall.json()["items"]} == {"hall-3"}
        assert client.get("/api/v1/overview", params={"condition": "normal"}).json()["found"] == 0
        assert client.get("/api/v1/overview", params={"limit": 501}).status_code == 422
        assert client.get("/api/v1/overview", params={"nonsense": 1}).status_code == 422


async def test_a_large_plants_rows_are_made_in_slices_and_those_of_the_page_at_once():
    platform = plant_of(3_000)
    index = PlantIndex(platform.backend)
    platform.live.take_readings(valid_rows(list(platform.registry.assets), NOW))
    loop = asyncio.get_running_loop()
    begin = loop.time()
    page = index.answer(Question(sort=Sort.NAME), 2_900, 50)
    assert loop.time() - begin < 1.0  # all rows at once would take as long as there are assets
    assert {row.ts for row in page.items} == {NOW}


def test_a_large_plant_is_not_followed_as_a_whole():
    platform = plant_of(MOST_ASSETS + 1)
    with TestClient(make_app(platform.backend)) as client:
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(LIVE):
            pass
        assert refused.value.status_code == 409
        assert "only=alarms" in refused.value.json()["detail"]
        with client.websocket_connect(f"{LIVE}?asset=M-00001") as socket:
            assert socket.receive_json()["type"] == "snapshot"


def test_alarms_alone_are_pushed_whatever_the_number_of_assets():
    platform = plant_of(MOST_ASSETS + 1)
    names = [f"M-{n % 2:05d}/rule-{n}" for n in range(ALARMS_PER_MESSAGE + 1)]
    open_alarms = {name: alarm(asset_id=name.partition("/")[0], alarm_id=name) for name in names}
    for key, one in open_alarms.items():
        platform.live.take_alarm(key, one)
    with TestClient(make_app(platform.backend)) as client, client.websocket_connect(f"{LIVE}?only=alarms") as socket:
        first, second = socket.receive_json(), socket.receive_json()
        assert (first["type"], second["type"]) == ("snapshot", "update")
        assert {one["alarm_id"] for one in first["alarms"] + second["alarms"]} == set(open_alarms)
        platform.live.take_readings(valid_rows(["M-00001"], NOW))
        platform.live.take_alarm("M-00000/rule-0", None)
        platform.live.announce()
        third = socket.receive_json()
        assert (third["closed_alarms"], third["alarms"], third["readings"]) == (["M-00000/rule-0"], [], [])
