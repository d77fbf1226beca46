"""Scenarios and example plants."""

import csv
import io

import pytest

from forewarn.adapters.plant_file import example_names, load_plant
from forewarn.contracts.assets import RunScenario, SetUpPlant
from forewarn.domain.simulation.scenarios import SCENARIOS

GENERATE = "/api/v1/scenarios/generate"
SETUP = "/api/v1/scenarios/demo/setup"
WEEK = {"scenario": "tube_fouling", "asset_class": "chiller", "duration_days": 7, "interval_s": 3600, "seed": 4}


def test_scenarios_and_plants_are_listed(client):
    answer = client.get("/api/v1/scenarios").json()
    assert [item["name"] for item in answer["items"]] == list(SCENARIOS)
    assert answer["plants"] == example_names()


def test_a_stream_registers_its_machine_and_tells_the_simulator(client, platform):
    answer = client.post(GENERATE, json=WEEK)
    assert answer.status_code == 202
    assert answer.json()["asset_id"] == "SIM-chiller-tube_fouling-4"
    assert answer.json()["readings"] == 168
    (asset, command) = platform.delivery.events
    assert asset[:2] == ("assets", "SIM-chiller-tube_fouling-4")
    assert command[:2] == ("commands", "SIM-chiller-tube_fouling-4")
    body = RunScenario(scenario="tube_fouling", asset_class="chiller", days=7, seed=4, interval_s=3600)
    assert command[2].body == body


def test_a_registered_asset_is_played_with_as_it_is(client, platform):
    body = {"scenario": "bearing_wear", "asset_id": "P-101", "acceleration": 1440, "severity": 0.5}
    assert client.post(GENERATE, json=body).json()["asset_class"] == "centrifugal_pump"
    ((topic, key, command),) = [event[:3] for event in platform.delivery.events]
    assert (topic, key, command.body.acceleration, command.body.severity) == ("commands", "P-101", 1440, 0.5)


def test_readings_are_returned_as_json(client, platform):
    answer = client.post(GENERATE, json=WEEK | {"output": "json"})
    assert answer.status_code == 200
    data = answer.json()
    assert data["readings"] == len(data["ts"]) == len(data["columns"]["power_kw"]) == 168
    assert data == client.post(GENERATE, json=WEEK | {"output": "json"}).json()
    assert platform.delivery.events == []


def test_readings_and_their_labels_are_returned_as_csv(client):
    body = WEEK | {"start": "2026-01-05T00:00:00Z"}
    readings, labels = (
        list(csv.DictReader(io.StringIO(client.post(GENERATE, json=body | {"output": output}).text)))
        for output in ("csv", "labels_csv")
    )
    assert [row["ts"] for row in readings] == [row["ts"] for row in labels]
    assert readings[0]["ts"] == "2026-01-05T00:00:00.000000Z"
    assert not {"severity", "rul_days", "fault"} & readings[0].keys(), "the truth is never among the readings"
    assert {row["fault"] for row in labels} == {"tube_fouling"}
    assert float(labels[-1]["rul_days"]) == 0.0 < float(labels[0]["rul_days"]) < 7.0


@pytest.mark.parametrize(
    ("change", "kind", "pointer", "says"),
    [
        ({"scenario": "rust"}, "unknown-scenario", "#/scenario", "there are healthy, tube_fouling"),
        ({"asset_class": "balloon"}, "unknown-scenario", "#/asset_class", "no asset class 'balloon'"),
        ({"asset_class": "generic"}, "unknown-scenario", "#/asset_class", "cannot be simulated"),
        ({"scenario": "sensor_drift", "tag": "colour"}, "unknown-scenario", "#/tag", "has no tag 'colour'"),
        ({"interval_s": 1, "duration_days": 10}, "too-many-readings", "#/interval_s", "at most 200,000"),
        ({"severity": 0}, "invalid-request", "#/severity", "greater than 0"),
        ({"output": "xml"}, "invalid-request", "#/output", "'stream', 'json'"),
        ({"colour": "red"}, "invalid-request", "#/colour", "Extra inputs"),
        ({"output": "csv", "acceleration": 2}, "invalid-request", "#", "only a stream can be accelerated"),
        ({"asset_class": None}, "invalid-request", "#", "name an asset_class"),
        ({"asset_class": None, "asset_id": "X-1"}, "unknown-asset", "#/asset_id", "not registered"),
    ],
)
def test_what_cannot_be_played_is_refused_and_nothing_is_sent(client, platform, change, kind, pointer, says):
    answer = client.post(GENERATE, json=WEEK | change)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == f"urn:forewarn:problem:{kind}"
    assert problem["errors"][0]["pointer"] == pointer
    assert says in problem["errors"][0]["detail"]
    assert platform.delivery.events == []


def test_an_asset_keeps_its_class(client, platform):
    answer = client.post(GENERATE, json=WEEK | {"asset_id": "P-101"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:forewarn:problem:other-class")
    assert platform.delivery.events == []


@pytest.mark.parametrize("name", example_names())
def test_an_example_plant_is_set_up_by_the_simulator_as_often_as_asked(client, platform, name):
    for _ in range(2):
        answer = client.post(SETUP, json={"plant": name})
        assert answer.status_code == 202
        assert answer.json()["assets"] == [entry.asset.asset_id for entry in load_plant(name).assets]
    assert [event[2].body for event in platform.delivery.events] == [SetUpPlant(plant=name)] * 2


def test_a_plant_that_does_not_ship_is_refused(client, platform):
    answer = client.post(SETUP, json={"plant": "../secrets"})
    assert answer.status_code == 422
    assert "there are building, demo, factory, refinery" in answer.json()["errors"][0]["detail"]
    assert platform.delivery.events == []
