"""The API as the dashboard reads it: bodies made with the API's own models, errors as problem details."""

import json
from datetime import timedelta

import httpx
import pytest

from forewarn.contracts.answers.assets import (
    AssetDetail,
    AssetList,
    HistoryAnswer,
    HistoryColumn,
    Judgement,
    LiveReading,
)
from forewarn.contracts.answers.live import LiveMessage
from forewarn.contracts.base import format_utc
from forewarn.contracts.health import ModelArtefact
from forewarn_dashboard.client import (
    Acknowledgement,
    ApiConflictError,
    ApiError,
    ApiNotFoundError,
    ApiUnavailableError,
    HistoryRequest,
    LiveUpdate,
)
from forewarn_dashboard.details import Details
from forewarn_dashboard.http_client import HttpPlantApi
from support.memory_api import MemoryApi


def api_that(answer, token=None):
    """A client whose requests ``answer`` answers."""
    return HttpPlantApi("http://api:8000/", token, httpx.MockTransport(answer))


def answering(body, status=200, asked=None):
    def answer(request):
        if asked is not None:
            asked.append(request)
        content = body if isinstance(body, bytes) else body.model_dump_json().encode()
        return httpx.Response(status, content=content)

    return answer


@pytest.fixture
def judgement(now):
    """Factory of judgements ``lag_s`` older than now."""

    def make(lag_s=0.0):
        return Judgement(
            ts=now - timedelta(seconds=lag_s),
            values={"power_kw": 40.0},
            expected={"power_kw": 39.0},
            residual={"power_kw": 0.5},
            contribution={"power_kw": 1.0},
            deviation=None,
            phase="live",
            regime=1,
            model_version=3,
            score=12.0,
            p_value=0.3,
            flag=False,
            culprit=None,
            hint="sensor_fault",
        )

    return make


def read(text):
    return LiveUpdate.of(LiveMessage.model_validate_json(text, extra="ignore"))


def live_text(now, judged):
    reading = LiveReading(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        ts=now,
        received_at=now,
        findings="range:power_kw",
        values={"power_kw": 41.0, "flow_m3_h": None},
        quality={"power_kw": 0},
        judgement=judged,
    )
    return f'{{"type":"snapshot","at":"{format_utc(now)}","readings":[{reading.model_dump_json()}],"new_field":1}}'


def test_a_fresh_judgement_is_shown_with_the_values_it_judged(now, judgement):
    (shown,) = read(live_text(now, judgement(0.2))).readings
    assert (shown.ts, shown.values, shown.expected) == (
        now - timedelta(seconds=0.2),
        {"power_kw": 40.0},
        {"power_kw": 39.0},
    )
    assert (shown.score, shown.deviation, shown.hint, shown.findings) == (
        12.0,
        None,
        "sensor_fault",
        "range:power_kw",
    )


@pytest.mark.parametrize("lag_s", [None, 60.0])
def test_without_a_fresh_judgement_only_the_bare_reading_is_shown(now, judgement, lag_s):
    (shown,) = read(live_text(now, None if lag_s is None else judgement(lag_s))).readings
    assert shown.values == {"power_kw": 41.0, "flow_m3_h": None}
    assert (shown.ts, shown.score, shown.flag, dict(shown.expected)) == (now, None, None, {})


def test_a_snapshot_is_complete_and_an_update_is_not(now):
    assert read(live_text(now, None)).complete
    assert not read(f'{{"type":"update","at":"{format_utc(now)}","closed_alarms":["P-101/x"]}}').complete


async def test_a_history_becomes_columns(now, pump):
    body = HistoryAnswer(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        resolution="raw",
        ts=(now - timedelta(seconds=1), now),
        count=(1, 1),
        columns={
            "power_kw": HistoryColumn(unit="kW", values=(1.0, None), expected=(1.5, 1.5)),
            "flow_m3_h": HistoryColumn(unit="m3/h", values=(2.0, 3.0)),
        },
        score=(4.0, None),
        deviation=(None, None),
        flag=(True, None),
        next_from=None,
    )
    asked = []
    query = HistoryRequest(start=now - timedelta(hours=1), end=now, columns=("power_kw", "flow_m3_h"))
    history = await api_that(answering(body, asked=asked), "secret-token").history("P-101", query)
    assert history.column("power_kw") == (1.0, None)
    assert history.column("expected_power_kw") == (1.5, 1.5)
    assert history.column("expected_flow_m3_h") == (None, None)
    assert history.column("flag") == (1.0, None)
    assert asked[0].url.path == "/api/v1/assets/P-101/history"
    assert asked[0].url.params["columns"] == "power_kw,flow_m3_h"
    assert asked[0].headers["authorization"] == "Bearer secret-token"


async def test_an_asset_without_stored_data_has_an_empty_history(now):
    api = api_that(answering(b'{"title":"Not Found","detail":"Nothing was ever stored."}', 404))
    history = await api.history("P-101", HistoryRequest(start=now - timedelta(hours=1), end=now, columns=()))
    assert history.times == ()
    assert history.column("score") == ()


async def test_the_registry_is_read_page_by_page(pump):
    pages = [AssetList(items=[pump], next_cursor="P-101"), AssetList(items=[pump])]
    asked = []

    def answer(request):
        asked.append(request.url.params.get("cursor"))
        return httpx.Response(200, content=pages[len(asked) - 1].model_dump_json())

    assert len(await api_that(answer).assets()) == 2
    assert asked == [None, "P-101"]


async def test_the_twins_model_is_chosen(pump, pump_class, now, clock, monkeypatch):
    def card(kind, version):
        return ModelArtefact(
            asset_id="P-101",
            kind=kind,
            version=version,
            method="ridge",
            trained_from=now,
            trained_to=now,
            rows=300,
            r2={"power_kw": 0.9},
        )

    body = AssetDetail(asset=pump, asset_class=pump_class, models=[card("anomaly", 1), card("twin", 2)])
    api = MemoryApi([pump], {pump_class.name: pump_class})
    monkeypatch.setattr(api, "detail", api_that(answering(body)).detail)
    profile = await Details(api, clock).get("P-101")
    assert profile.model is not None
    assert profile.model.version == 2


async def test_what_a_newer_api_adds_is_ignored_at_every_depth(pump, pump_class):
    twin = {"asset_id": "P-101", "provenance": "own", "model": None, "fleet": None, "drivers": [], "later": 1}
    change = {"column": "flow_m3_h", "factor": 1.5, "later": 1}
    twin["presets"] = [{"name": "high_load", "title": "Load 150 %", "changes": [change], "later": 1}]
    found = await api_that(answering(json.dumps(twin).encode())).twin("P-101")
    assert found.presets[0].changes[0].of(100.0) == 150.0


@pytest.mark.parametrize(("setting", "needed"), [(None, 600), (80, 80)])
async def test_the_goal_of_learning_is_the_twins_setting_or_the_classes_number(pump, pump_class, setting, needed):
    body = AssetDetail(asset=pump, asset_class=pump_class, models=[])
    api = HttpPlantApi("http://api", None, httpx.MockTransport(answering(body)), baseline_readings=setting)
    assert pump_class.twin.baseline_readings == 600
    assert (await api.detail(pump.asset_id)).asset_class.twin.baseline_readings == needed


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, ApiNotFoundError),
        (409, ApiConflictError),
        (503, ApiUnavailableError),
        (502, ApiUnavailableError),
        (401, ApiError),
        (422, ApiError),
        (500, ApiError),
    ],
)
async def test_problems_become_errors_with_the_apis_own_words(status, kind):
    body = b'{"title":"T","status":1,"detail":"What is wrong.","instance":"urn:forewarn:request:abc"}'
    request = Acknowledgement(asset_id="P-101", rule="anomaly", occurrence_id="o", comment="", by="Kim")
    with pytest.raises(kind) as caught:
        await api_that(answering(body, status)).acknowledge(request)
    assert type(caught.value) is kind
    assert ("API_TOKEN" if status == 401 else "What is wrong.") in str(caught.value)
    if status >= 500:
        assert "urn:forewarn:request:abc" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items": 3}', b"\xff"])
async def test_nonsense_is_an_error_and_no_crash(body):
    with pytest.raises(ApiError, match="unexpected"):
        await api_that(answering(body)).assets()


async def test_an_api_that_cannot_be_reached_is_unavailable():
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ApiUnavailableError, match="does not answer"):
        await api_that(refuse).assets()


async def test_a_live_feed_that_cannot_be_reached_is_unavailable():
    api = HttpPlantApi("http://127.0.0.1:9", None)
    with pytest.raises(ApiUnavailableError, match="cannot be reached"):
        async for _ in api.live():
            pass


async def test_names_cannot_leave_their_place_in_the_path():
    asked = []
    request = Acknowledgement(asset_id="../x", rule="a/b?c", occurrence_id="o", comment="", by="Kim")
    await api_that(answering(b"{}", 202, asked)).acknowledge(request)
    assert asked[0].url.raw_path == b"/api/v1/alarms/..%2Fx/a%2Fb%3Fc/acknowledge?wait_s=3"
