"""Assets, classes, newest values, history, health, commands."""

import csv
import io
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from forewarn.adapters.removals import REMOVAL_KEY, read_raw_removal
from forewarn.contracts.assets import InjectFault
from forewarn.contracts.topics import TopicName
from forewarn.ports.history import DeregisteredAsset
from forewarn.testing.api_examples import (
    CATALOGUE,
    NOW,
    OTHER_PUMP,
    PUMP,
    alarm,
    health,
    judged_rows,
    latest,
    model_card,
    stretch,
    valid_rows,
)
from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from forewarn_api.csv_export import safe_text

FAULT = {"fault": "bearing_wear", "duration_s": 600, "severity": 0.5}


def test_assets_are_listed_by_id_in_pages(client):
    first = client.get("/api/v1/assets", params={"limit": 1}).json()
    assert [item["asset_id"] for item in first["items"]] == ["P-101"]
    second = client.get("/api/v1/assets", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [item["asset_id"] for item in second["items"]] == ["P-102"]
    assert second["next_cursor"] is None


def test_an_asset_comes_with_its_class_and_models(client, platform):
    platform.live.take_model("P-101/twin", model_card())
    platform.live.take_model("P-102/twin", model_card("P-102"))
    answer = client.get("/api/v1/assets/P-101").json()
    assert answer["asset"]["name"] == "Feed pump"
    assert answer["asset_class"]["name"] == "centrifugal_pump"
    assert [model["asset_id"] for model in answer["models"]] == ["P-101"]


def test_a_new_asset_is_created_and_can_be_read_at_once(client, platform):
    body = {
        "asset_id": "P-103",
        "asset_class": "centrifugal_pump",
        "name": "New",
        "nameplate": {"fluid_density_kg_m3": 870},
    }
    assert client.post("/api/v1/assets", json=body).status_code == 201
    assert client.get("/api/v1/assets/P-103").json()["asset"]["nameplate"] == {"fluid_density_kg_m3": 870.0}
    assert client.post("/api/v1/assets", json=body | {"name": "Renamed"}).status_code == 200
    assert [event[:2] for event in platform.delivery.events] == [("assets", "P-103")] * 2


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"asset_class": "perpetuum_mobile"}, "#/asset_class"),
        ({"nameplate": {"price_eur": 12.0}}, "#/nameplate/price_eur"),
        ({"role": "admin"}, "#/role"),
        ({"name": ""}, "#/name"),
        ({"criticality": 6}, "#/criticality"),
    ],
)
def test_an_unsound_asset_is_refused(client, platform, changes, pointer):
    body = {"asset_id": "P-103", "asset_class": "centrifugal_pump", "name": "New"} | changes
    answer = client.post("/api/v1/assets", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert platform.delivery.events == []


def test_classes_are_those_of_the_catalogue(client):
    items = client.get("/api/v1/classes").json()["items"]
    assert [item["name"] for item in items] == sorted(CATALOGUE)
    pump = client.get("/api/v1/classes/centrifugal_pump").json()
    assert [tag["name"] for tag in pump["tags"]] == list(CATALOGUE["centrifugal_pump"].tag_names)


@pytest.fixture
def known(client, platform):
    """The newest state of a pump of which everything is known."""
    platform.live.take_readings(valid_rows(["P-101"], NOW - timedelta(seconds=2), power_kw=31.0, head_m=50.0))
    platform.live.take_judgements(
        judged_rows(
            ["P-101"],
            NOW - timedelta(seconds=3),
            expected_power_kw=30.0,
            residual_power_kw=1.5,
            contribution_power_kw=0.75,
            score=64.0,
            deviation=17.0,
            flag=True,
            culprit="power_kw",
            hint=1,
            phase=1,
            model_version=3,
        )
    )
    platform.live.take_health("P-101", health().model_dump_json().encode(), 0)
    platform.live.take_alarm("P-101/vibration_high", alarm())
    return client.get("/api/v1/assets/P-101/latest").json()


def test_latest_has_measured_beside_expected_values(known):
    values = {value["name"]: value for value in known["values"]}
    assert known["age_s"] == 2.0
    assert values["power_kw"] == {
        "name": "power_kw",
        "title": "Electrical power",
        "unit": "kW",
        "value": 31.0,
        "quality": "good",
        "quality_code": 0,
        "expected": 30.0,
        "expected_low": None,  # no card of that model
        "expected_high": None,
        "residual": 1.5,
        "contribution": 0.75,
    }
    assert values["head_m"]["value"] == 50.0
    assert values["head_m"]["quality"] is None


def test_latest_has_the_judgement_health_and_alarms(known):
    assert (known["score_band"], known["deviation_band"]) == ("monitoring", "medium")
    found = tuple(known[name] for name in ("score", "flag", "culprit", "hint"))
    assert found == (64.0, True, "power_kw", "asset_fault")
    assert known["judged_at"] == "2026-11-20T19:59:57.000000Z"
    assert known["health"]["health"] == 88.0
    assert [item["alarm_id"] for item in known["alarms"]] == ["P-101/vibration_high"]


def test_bad_values_are_null_with_their_quality(client, platform):
    platform.live.take_readings(
        valid_rows(["P-101"], NOW, power_kw=float("nan"), quality_power_kw=0x808C0000, findings="gateway_bad:power_kw")
    )
    answer = client.get("/api/v1/assets/P-101/latest").json()
    power = next(value for value in answer["values"] if value["name"] == "power_kw")
    assert (power["value"], power["quality"], power["quality_code"]) == (None, "bad", 0x808C0000)
    assert answer["findings"] == "gateway_bad:power_kw"


def test_findings_of_the_newest_reading_are_explained_with_their_values(client, platform):
    said = "pump.no_work_for_power:power_kw;a.rule_that_is_gone:power_kw;frozen:no_such_tag;hard_range:speed_rpm"
    platform.live.take_readings(
        valid_rows(["P-101"], NOW, power_kw=30.0, speed_rpm=float("nan"), flow_m3_h=0.0, findings=said)
    )
    work, speed = client.get("/api/v1/assets/P-101/latest").json()["issues"]
    assert (work["rule"], work["cause"], work["value"], work["unit"]) == (
        "pump.no_work_for_power",
        "machine",
        30.0,
        "kW",
    )
    assert work["values"] == {"power_kw": 30.0, "speed_rpm": None, "flow_m3_h": 0.0}
    assert work["message"]
    assert work["recommendation"]
    assert (speed["rule"], speed["value"], speed["cause"]) == ("hard_range", None, "sensor")


def test_an_asset_that_never_sent_anything_has_an_empty_state(client):
    answer = client.get("/api/v1/assets/P-102/latest").json()
    assert (answer["ts"], answer["values"], answer["alarms"]) == (None, [], [])


def test_the_database_stands_in_for_an_asset_that_is_silent(client, platform):
    platform.history.newest = (latest(ts=NOW - timedelta(hours=1)),)
    platform.history.health_events = (health(),)
    answer = client.get("/api/v1/assets/P-101/latest").json()
    values = {value["name"]: value for value in answer["values"]}
    assert answer["age_s"] == 3600.0
    assert values["flow_m3_h"]["value"] == 77.0
    assert (values["power_kw"]["value"], values["power_kw"]["expected"]) == (None, 20.0)
    assert answer["health"]["health"] == 88.0


def test_what_the_database_holds_never_hides_newer_live_data(client, platform):
    platform.live.take_readings(valid_rows(["P-101"], NOW, flow_m3_h=99.0))
    platform.live.seed([latest(ts=NOW - timedelta(hours=1))], [])
    answer = client.get("/api/v1/assets/P-101/latest").json()
    assert next(v["value"] for v in answer["values"] if v["name"] == "flow_m3_h") == 99.0


def test_history_is_passed_on_column_by_column(client, platform):
    platform.history.stretches["P-101"] = stretch()
    params = {"from": "2026-11-20T19:00:00Z", "to": "2026-11-20T20:00:00+00:00", "columns": "flow_m3_h,power_kw"}
    answer = client.get("/api/v1/assets/P-101/history", params=params).json()
    assert answer["resolution"] == "raw"
    assert answer["columns"]["flow_m3_h"]["values"] == [1.5, None, -3.0]
    assert answer["columns"]["flow_m3_h"]["unit"] == "m3/h"
    [query] = platform.history.queries
    assert (query.start, query.end) == (NOW - timedelta(hours=1), NOW)
    assert query.columns == ("flow_m3_h", "power_kw")
    assert query.roll_up is None


def test_history_reaches_back_an_hour_unless_told_otherwise(client, platform):
    platform.history.stretches["P-101"] = stretch()
    assert client.get("/api/v1/assets/P-101/history").status_code == 200
    assert (platform.history.queries[0].start, platform.history.queries[0].end) == (NOW - timedelta(hours=1), NOW)


def test_history_as_csv_equals_the_json_rows(client, platform):
    platform.history.stretches["P-101"] = stretch()
    answer = client.get("/api/v1/assets/P-101/history", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="P-101-raw.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["flow_m3_h [m3/h]"] for row in rows] == ["1.5", "", "-3.0"]
    assert rows[0]["ts"] == "2026-11-20T20:00:00.000000Z"
    assert {row["flag"] for row in rows} == {"False"}
    assert {"score", "deviation"} <= rows[0].keys(), "they go from 0 to 100 and have no unit"


def test_a_computed_number_has_no_more_digits_in_the_csv_than_a_sensor(client, platform):
    platform.history.stretches["P-101"] = stretch(values=(16.34299121706032, None, 1e9))
    rows = client.get("/api/v1/assets/P-101/history", params={"format": "csv"}).text.splitlines()
    assert [row.split(",")[2] for row in rows[1:]] == ["16.34299", "", "1000000000.0"]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_compute_is_quoted(text):
    assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize(
    "params",
    [
        {"from": "yesterday"},
        {"from": "2026-11-20T19:00:00"},
        {"from": "2026-11-20T20:00:00Z", "to": "2026-11-20T19:00:00Z"},
        {"from": "1990-01-01T00:00:00Z"},
        {"max_points": 0},
        {"max_points": 10_001},
        {"resolution": "5m"},
        {"columns": "no_such_column"},
        {"format": "xml"},
    ],
)
def test_senseless_history_questions_are_refused(client, params):
    answer = client.get("/api/v1/assets/P-101/history", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_health_is_the_newest_unless_the_past_is_asked_for(client, platform):
    past = tuple(health(ts=NOW - timedelta(minutes=m), score=60.0 + m) for m in (30, 20, 10))
    platform.history.health_events = past
    platform.live.take_health("P-101", health().model_dump_json().encode(), 0)
    now = client.get("/api/v1/assets/P-101/health").json()
    assert (now["current"]["health"], now["history"]) == (88.0, [])
    then = client.get("/api/v1/assets/P-101/health", params={"from": "2026-11-20T19:35:00Z"}).json()
    assert [item["health"] for item in then["history"]] == [80.0, 70.0]


def test_faults_become_commands(client, platform):
    answer = client.post("/api/v1/assets/P-101/faults", json={**FAULT, "by": "ada"})
    assert answer.status_code == 202
    [(topic, key, fault)] = platform.delivery.events
    assert (topic, key, fault.issued_by) == ("commands", "P-101", "ada")
    assert fault.command_id == answer.json()["command_id"]
    assert fault.body == InjectFault(**FAULT)


@pytest.mark.parametrize("path", ["", "/latest", "/history", "/health"])
def test_an_unknown_asset_is_not_found(client, path):
    answer = client.get(f"/api/v1/assets/P-999{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no asset 'P-999'."


@pytest.mark.parametrize("asset_id", ["..%2f..%2fetc", "a%20b", "%00", "x" * 200])
def test_ids_that_cannot_be_are_refused(client, asset_id):
    assert client.get(f"/api/v1/assets/{asset_id}").status_code in (404, 422)


def test_a_command_that_is_not_confirmed_is_a_503(client, platform):
    platform.delivery.away = True
    assert client.post("/api/v1/assets/P-101/faults", json=FAULT).status_code == 503
    assert client.post("/api/v1/assets", json=PUMP.model_dump(mode="json")).status_code == 503
    assert platform.registry.get("P-102") == OTHER_PUMP


def test_a_list_of_assets_is_registered_entry_by_entry(client, platform):
    sound = {"asset_id": "P-1", "asset_class": "centrifugal_pump", "name": "Pumpe Süd 1 \u2013 冷却水"}
    entries = [
        sound,
        sound | {"asset_id": "P-2", "asset_class": "perpetuum_mobile"},
        sound | {"asset_id": "P 3"},
        sound | {"asset_id": "P-101"},
        {"name": "nameless"},
    ]
    answer = client.post("/api/v1/assets/bulk", json=entries)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [item["outcome"] for item in body["items"]] == ["created", "refused", "refused", "replaced", "refused"]
    assert body["registered"] == 2
    assert [item["errors"][0]["pointer"] for item in body["items"] if item["outcome"] == "refused"] == [
        "#/asset_class",
        "#/asset_id",
        "#/asset_id",
    ]
    assert [key for _, key, _ in platform.delivery.events] == ["P-1", "P-101"]
    assert client.post("/api/v1/assets/bulk", json=[]).status_code == 422
    assert client.post("/api/v1/assets/bulk", json=[sound] * 5_001).status_code == 422


def test_no_more_assets_are_registered_than_the_installation_may_hold():
    platform = FakePlatform(max_assets=3)
    sound = {"asset_class": "centrifugal_pump", "name": "Pump"}
    with TestClient(make_app(platform.backend)) as client:
        answer = client.post("/api/v1/assets/bulk", json=[sound | {"asset_id": f"P-{n}"} for n in range(3)])
        assert [item["outcome"] for item in answer.json()["items"]] == ["created", "refused", "refused"]
        full = client.post("/api/v1/assets", json=sound | {"asset_id": "P-9"})
        assert (full.status_code, full.json()["type"]) == (409, "urn:forewarn:problem:too-many-assets")
        assert "API_MAX_ASSETS" in full.json()["detail"]
        assert client.post("/api/v1/assets", json=sound | {"asset_id": "P-101"}).status_code == 200


def test_a_removal_goes_behind_the_tombstone_to_every_partition(client, platform):
    answer = client.delete("/api/v1/assets/P-101", params={"history": "purge", "by": "Ada"})
    assert (answer.status_code, answer.json()["history"]) == (202, "purge")
    assert platform.delivery.retracted == [(TopicName.ASSETS, "P-101")]
    assert len(platform.delivery.sent) == 12
    removal = read_raw_removal(platform.delivery.sent[0].value)
    assert (removal.asset_id, removal.asset_class, removal.removed_by) == ("P-101", "centrifugal_pump", "Ada")
    assert {message.key for message in platform.delivery.sent} == {REMOVAL_KEY}
    assert client.get("/api/v1/assets/P-101").status_code == 404
    assert client.delete("/api/v1/assets/P-101").status_code == 404
    assert client.delete("/api/v1/assets/P-102", params={"history": "burn"}).status_code == 422


def test_a_removed_asset_can_be_looked_at_and_removed_again(client, platform):
    platform.history.removed = (DeregisteredAsset(asset=PUMP.model_copy(update={"asset_id": "OLD-1"}), removed_at=NOW),)
    listed = client.get("/api/v1/removed-assets").json()
    assert [item["asset_id"] for item in listed["items"]] == ["OLD-1"]
    assert client.get("/api/v1/assets/OLD-1/history").status_code == 200
    assert client.get("/api/v1/assets/OLD-1/latest").status_code == 404
    assert client.delete("/api/v1/assets/OLD-1", params={"history": "purge"}).status_code == 202
    platform.delivery.away = True
    assert client.delete("/api/v1/assets/OLD-1").status_code == 503


def test_lengths_of_texts_are_counted_in_characters(client):
    answer = client.delete("/api/v1/assets/P-101", params={"by": "x" * 201})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "Value should have at most 200 characters, not 201"
    body = {"plant": "demo", "by": "x" * 201}
    answer = client.post("/api/v1/scenarios/demo/setup", json=body)
    assert answer.json()["errors"][0]["detail"] == "String should have at most 200 characters"
    answer = client.post("/api/v1/assets/bulk", json=[])
    assert answer.json()["errors"][0]["detail"] == "Value should have at least 1 item after validation, not 0"
