"""Ingest and dry run."""

import json

import pytest

from forewarn.contracts.assets import Asset
from forewarn.testing.api_examples import NOW
from forewarn.usecases import workers

READING = {"asset_id": "P-101", "ts": "2026-11-20T20:00:00.5Z", "metrics": {"flow_m3_h": 120.5, "speed_rpm": 1480}}


def reading(**changes):
    return {**READING, **changes}


def test_one_reading_is_sent_under_its_asset_as_key(client, platform):
    answer = client.post("/api/v1/readings", json=READING)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "failed": 0, "failures": []}
    [message] = platform.delivery.sent
    assert (message.topic, message.key) == ("readings.raw", b"P-101")
    assert json.loads(message.value) == {**READING, "ts": "2026-11-20T20:00:00.500000Z"}


def test_many_readings_keep_their_order(client, platform):
    body = [reading(seq=n, asset_id=f"P-10{n % 2 + 1}") for n in range(100)]
    assert client.post("/api/v1/readings", json=body).json()["accepted"] == 100
    assert [json.loads(message.value)["seq"] for message in platform.delivery.sent] == list(range(100))


def test_unknown_assets_are_listed_and_nothing_is_sent(client, platform):
    answer = client.post("/api/v1/readings", json=[READING, reading(asset_id="P-999"), reading(asset_id="X-1")])
    problem = answer.json()
    assert answer.status_code == 422
    assert problem["type"] == "urn:forewarn:problem:unknown-asset"
    assert problem["assets"] == ["P-999", "X-1"]
    assert [error["pointer"] for error in problem["errors"]] == ["#/1/asset_id", "#/2/asset_id"]
    assert platform.delivery.sent == []


def test_nobody_is_unknown_while_the_registry_is_still_read(client, platform):
    platform.registry.reason = "still reading"
    answer = client.post("/api/v1/readings", json=reading(asset_id="P-999"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"metrics": {"flow_m3_h": True}}, "#/metrics/flow_m3_h"),
        ({"metrics": {"flow_m3_h": "12.5"}}, "#/metrics/flow_m3_h"),
        ({"metrics": {}}, "#/metrics"),
        ({"ts": "2026-11-20T20:00:00"}, "#/ts"),
        ({"ts": 1790000000}, "#/ts"),
        ({"asset_id": "P 101"}, "#/asset_id"),
        ({"seq": -1}, "#/seq"),
        ({"quality": {"flow_m3_h": "superb"}}, "#/quality/flow_m3_h"),
    ],
)
def test_a_broken_reading_is_refused_with_a_pointer(client, platform, changes, pointer):
    answer = client.post("/api/v1/readings", json=reading(**changes))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert platform.delivery.sent == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"asset_id":"P-101","ts":"2026-11-20T20:00:00Z","metrics":{"flow_m3_h":NaN}}',
        b'{"asset_id":"P-101","ts":"2026-11-20T20:00:00Z","metrics":{"flow_m3_h":1e999}}',
        b"[" * 100_000,
        b'{"metrics":' * 100_000,
        json.dumps([READING] * 5001).encode(),
    ],
    ids=["empty", "cut", "null", "no readings", "not utf-8", "nan", "infinite", "deep list", "deep object", "too many"],
)
@pytest.mark.parametrize("path", ["/api/v1/readings", "/api/v1/readings/validate"])
def test_hostile_bodies_are_refused_with_a_problem(client, platform, body, path):
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:forewarn:problem:invalid-reading"
    assert platform.delivery.sent == []


def test_other_media_types_are_refused(client):
    answer = client.post("/api/v1/readings", content=json.dumps(READING), headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_a_body_over_eight_mib_is_refused_announced_or_not(client):
    headers = {"content-type": "application/json"}
    announced = client.post("/api/v1/readings", content=b" " * (8 * 2**20 + 1), headers=headers)
    chunked = client.post("/api/v1/readings", content=(b" " * 2**20 for _ in range(9)), headers=headers)
    for answer in (announced, chunked):
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:forewarn:problem:content-too-large"


def test_no_confirmation_no_202(client, platform):
    platform.delivery.away = True
    answer = client.post("/api/v1/readings", json=[READING, READING])
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:forewarn:problem:broker-unavailable"


def test_readings_that_failed_are_named_one_by_one(client, platform):
    platform.delivery.failing = frozenset({1})
    answer = client.post("/api/v1/readings", json=[READING, reading(asset_id="P-102"), READING])
    assert answer.status_code == 207
    assert answer.json() == {
        "accepted": 2,
        "failed": 1,
        "failures": [{"index": 1, "asset_id": "P-102", "reason": "Local: Message timed out"}],
    }


def test_too_much_under_way_is_refused_at_once(client, platform):
    platform.delivery.overloaded = True
    answer = client.post("/api/v1/readings", json=READING)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_one_dry_run_too_many_is_refused_before_its_body_is_parsed(client, monkeypatch):
    monkeypatch.setattr(workers, "MAX_UNDER_WAY", {workers.Work.JUDGING: 0})
    answer = client.post("/api/v1/readings/validate", json=[{"not": "a reading"}])
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:forewarn:problem:busy")


def pump(**changes):
    metrics = {
        "flow_m3_h": 150.0,
        "suction_pressure_bar": 1.8,
        "discharge_pressure_bar": 6.8,
        "speed_rpm": 1480.0,
        "power_kw": 30.0,
        "motor_current_a": 55.0,
        "vibration_mm_s": 1.4,
        "bearing_temp_c": 55.0,
        "fluid_temp_c": 20.0,
        "ambient_temp_c": 22.0,
    }
    return {"asset_id": "P-101", "ts": NOW.isoformat(), "metrics": metrics | changes}


def verdicts(client, body):
    answer = client.post("/api/v1/readings/validate", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["verdicts"]


def test_a_sound_reading_is_accepted_with_its_derived_quantities(client, platform):
    [verdict] = verdicts(client, pump())
    assert verdict["verdict"] == "accepted"
    assert verdict["findings"] == []
    assert verdict["quality"]["flow_m3_h"] == {"code": 0, "severity": "good"}
    assert verdict["derived"]["head_m"] == pytest.approx((6.8 - 1.8) * 1e5 / (998 * 9.80665), rel=1e-6)
    assert platform.delivery.sent == []


def test_what_the_nameplate_stands_in_for_is_accepted_and_told_as_estimated(client, platform):
    platform.registry.assets["CH-1"] = Asset(
        asset_id="CH-1", asset_class="chiller", name="Chiller", nameplate={"rated_chw_flow_m3_h": 220.0}
    )
    metrics = {"chw_supply_temp": 6.7, "chw_return_temp": 12.2, "power_kw": 300.0}
    [verdict] = verdicts(client, {"asset_id": "CH-1", "ts": NOW.isoformat(), "metrics": metrics})
    assert verdict["verdict"] == "accepted"
    reported = {finding["tag"]: finding for finding in verdict["findings"]}
    assert set(reported) == {"cooling_kw", "cooling_tons", "kw_per_ton", "cop"}
    assert reported["cop"]["rule"] == "estimated"
    assert reported["cop"]["value"] == verdict["derived"]["cop"] == pytest.approx(4.7, abs=0.1)
    assert "Chilled water flow" in reported["cop"]["message"]


def test_swapped_pressures_are_rejected_with_rule_values_and_recommendation(client):
    [verdict] = verdicts(client, pump(suction_pressure_bar=6.8, discharge_pressure_bar=1.8))
    assert (verdict["verdict"], verdict["reason"]) == ("rejected", "physics")
    assert verdict["rule"] == "pump.discharge_above_suction"
    assert "swapped" in verdict["recommendation"]


def test_a_bad_tag_is_found_and_the_others_stay_good(client):
    [verdict] = verdicts(client, pump(bearing_temp_c=900.0))
    assert verdict["verdict"] == "warning"
    [finding] = verdict["findings"]
    assert (finding["rule"], finding["tag"], finding["value"]) == ("hard_range", "bearing_temp_c", 900.0)
    assert finding["recommendation"]
    assert verdict["quality"]["bearing_temp_c"]["severity"] == "bad"
    assert verdict["quality"]["flow_m3_h"]["severity"] == "good"


def test_verdicts_stand_in_the_order_of_the_readings(client):
    late = pump() | {"ts": "2020-01-01T00:00:00Z"}
    unknown = pump() | {"asset_id": "P-999"}
    strange = pump() | {"asset_id": "P-102", "metrics": {"nonsense": 1.0}}
    found = verdicts(client, [late, unknown, pump(), pump(), strange])
    assert [v["index"] for v in found] == [0, 1, 2, 3, 4]
    assert [v["verdict"] for v in found] == ["rejected", "rejected", "accepted", "duplicate", "rejected"]
    assert [v["reason"] for v in found] == [
        "outside_time_window",
        "unknown_asset",
        None,
        None,
        "unknown_tags",
    ]


def test_every_finding_says_what_is_at_fault_and_shows_the_values_behind_it(client):
    broken, odd, idle = verdicts(
        client,
        [
            pump(bearing_temp_c=900.0),
            pump(flow_m3_h=0.0, speed_rpm=0.0) | {"asset_id": "P-102"},
            pump(vibration_mm_s=30.0) | {"ts": "2026-11-20T20:00:30Z"},
        ],
    )
    assert [finding["cause"] for finding in broken["findings"]] == ["sensor"]
    assert broken["findings"][0]["values"] == {"bearing_temp_c": 900.0}
    [machine] = odd["findings"]
    assert (machine["rule"], machine["cause"]) == ("pump.no_work_for_power", "machine")
    assert machine["values"] == {"power_kw": 30.0, "speed_rpm": 0.0, "flow_m3_h": 0.0}
    assert odd["quality"]["power_kw"]["severity"] == "good"
    assert "machine" in {finding["cause"] for finding in idle["findings"]}


def test_a_rejection_says_what_is_at_fault_and_shows_the_values_behind_it(client):
    swapped, late = verdicts(
        client,
        [
            pump(suction_pressure_bar=6.8, discharge_pressure_bar=1.8),
            pump() | {"ts": "2020-01-01T00:00:00Z"},
        ],
    )
    assert swapped["cause"] == "sensor"
    assert (swapped["values"]["suction_pressure_bar"], swapped["values"]["discharge_pressure_bar"]) == (6.8, 1.8)
    assert swapped["values"]["head_m"] < 0
    assert (late["cause"], late["values"]) == ("data", {})


def test_swapped_chilled_water_sensors_without_a_power_meter_are_rejected(client, platform):
    platform.registry.assets["CH-1"] = Asset(asset_id="CH-1", asset_class="chiller", name="Chiller")
    metrics = {"chw_supply_temp": 12.0, "chw_return_temp": 6.0}
    [verdict] = verdicts(client, {"asset_id": "CH-1", "ts": NOW.isoformat(), "metrics": metrics})
    assert verdict["verdict"] == "rejected"
    assert verdict["explanation"].startswith("Chilled water return must be warmer than supply")
    assert verdict["recommendation"] == "Check sensor wiring - supply and return may be swapped"


def test_a_reading_older_than_the_one_before_it_is_late(client):
    newest, older = verdicts(client, [pump(), pump() | {"ts": "2026-11-20T19:00:00Z"}])
    assert (newest["late"], older["late"]) == (False, True)
    assert older["verdict"] == "accepted"


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        (b"[" + b"1," * 4_000_000 + b"1]", "#/0", "object"),
        (b"[" + b"{}," * 2_000_000 + b"{}]", "#", "1 to 5000 readings"),
        (json.dumps([READING] * 3 + [1]).encode(), "#/3", "object"),
        (json.dumps([READING, READING | {"source": "x" * 300_000}]).encode(), "#/1", "262144 bytes"),
        (json.dumps(READING | {"source": "x" * 300_000}).encode(), "#", "262144 bytes"),
        (json.dumps([READING] * 4_000 + [READING | {"asset_id": 7}]).encode(), "#/4000/asset_id", "string"),
    ],
    ids=["numbers", "objects", "a number", "long in a list", "long", "a fault far behind"],
)
def test_a_long_body_is_refused_where_its_fault_is(client, body, where, what):
    answer = client.post("/api/v1/readings", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == where
    assert what in fault["detail"]


def test_a_long_list_keeps_its_order(client, platform):
    body = [READING | {"seq": n} for n in range(5_000)]
    assert client.post("/api/v1/readings", json=body).json()["accepted"] == 5_000
    assert [json.loads(message.value)["seq"] for message in platform.delivery.sent] == list(range(5_000))


def test_all_faults_of_a_long_list_are_counted(client):
    body = [READING | {"asset_id": 7}] * 4_000
    answer = client.post("/api/v1/readings", json=body).json()
    assert "(and 3999 more)" in answer["detail"]
    assert len(answer["errors"]) == 20
