"""The twin's part of the API: what it knows, what if, learning anew."""

from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forewarn.adapters.arrow_codec import decode_frame, encode_frame
from forewarn.adapters.baseline_orders import MAX_HISTORY, ORDER_KEY, decode_order
from forewarn.adapters.live.frames import FrameReader
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn.contracts.topics import TopicName
from forewarn.domain.alarms.rows import observe_frame
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.frame import MISSING, NUMPY_DTYPES, Frame, Strings
from forewarn.domain.physics.derive import derive
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from forewarn.ports.history import History, RollUp, Series
from forewarn_twin.announcing import artefact
from support.api_fakes import CATALOGUE, NOW, OTHER_PUMP, PUMP, PUMP_CLASS, microseconds, valid_rows
from support.plant import pump_metrics

THIRD_PUMP = Asset(asset_id="P-103", asset_class="centrifugal_pump", name="New pump")
ROWS = 200


def readings(asset_id, rows=ROWS, seed=1, start=NOW - timedelta(hours=1)) -> Frame:
    """Valid readings of a healthy pump at changing load."""
    rng = np.random.default_rng(seed)
    loads = 0.5 + 0.4 * np.sin(np.arange(rows) / 9)
    metrics = [pump_metrics(rng, load=load) for load in loads]
    tags = {name: np.array([row[name] for row in metrics]) for name in PUMP_CLASS.tag_names}
    values = {**tags, **derive(PUMP_CLASS, tags, {})}
    ts = microseconds(start) + np.arange(rows) * 1_000_000
    arrays = {
        column.name: values.get(column.name, ts if column.dtype == "timestamp_us" else np.zeros(rows)).astype(
            NUMPY_DTYPES[column.dtype]
        )
        for column in frame_columns(FrameKind.VALID, PUMP_CLASS)
        if column.dtype != "string"
    }
    strings = {"asset_id": Strings.of([asset_id] * rows), "findings": Strings(np.full(rows, MISSING, np.int32), ())}
    return Frame(kind=FrameKind.VALID, asset_class=PUMP_CLASS, arrays=arrays, strings=strings)


@cache
def card(asset_id, seed=1):
    state, _, (fitted,) = step(
        TwinState.empty(PUMP_CLASS), readings(f"0/{asset_id}", seed=seed), TwinSettings(baseline_readings=ROWS)
    )
    return artefact(fitted, state.models[f"0/{asset_id}"], PUMP_CLASS)


def learn(platform, *assets):
    for seed, asset_id in enumerate(assets):
        platform.live.take_model(f"{asset_id}/twin", card(asset_id, seed))


def measure(platform, asset_id, **changes):
    newest = readings(asset_id, rows=1, seed=9)
    values = {name: float(newest.arrays[name][0]) for name in PUMP_CLASS.column_names}
    platform.live.take_readings(valid_rows([asset_id], NOW, **{**values, **changes}))
    return {**values, **changes}


def test_what_if_answers_with_expected_values_physics_health_and_cautions(client, platform):
    learn(platform, "P-101")
    measured = measure(platform, "P-101")
    answer = client.post("/api/v1/assets/P-101/what-if", json={"changes": [{"column": "flow_m3_h", "factor": 1.1}]})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["provenance"], said["model_version"]) == ("own", 1)
    assert said["drivers"]["flow_m3_h"] == pytest.approx(1.1 * measured["flow_m3_h"])
    power = said["responses"]["power_kw"]
    assert power["unit"] == "kW"
    assert power["measured"] == pytest.approx(measured["power_kw"])
    assert power["low"] < power["expected"] < power["high"]
    assert said["derived"]["hydraulic_power_kw"]["projected"] != said["derived"]["hydraulic_power_kw"]["now"]
    assert 0 <= said["health"]["then"] <= 100
    assert said["remaining_life"] == []


def test_a_named_question_far_outside_says_so_and_tells_no_effects(client, platform):
    learn(platform, "P-101")
    measure(platform, "P-101")
    said = client.post("/api/v1/assets/P-101/what-if", json={"preset": "temperature_spike"}).json()
    assert (said["reach"], said["confidence"], said["health"]) == ("too_far", "low", None)
    assert {item["column"] for item in said["cautions"]} >= {"fluid_temp_c", "ambient_temp_c"}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"preset": "warp_speed"}, "#/preset"),
        ({"changes": [{"column": "power_kw", "value": 3}]}, "#/changes"),
        ({"changes": [{"column": "flow_m3_h", "value": 3, "factor": 2}]}, "#/changes/0"),
        ({}, "#"),
    ],
)
def test_questions_that_make_no_sense_are_refused_with_the_place(client, platform, body, where):
    learn(platform, "P-101")
    measure(platform, "P-101")
    answer = client.post("/api/v1/assets/P-101/what-if", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == where


def test_without_any_model_nobody_can_be_asked(client, platform):
    measure(platform, "P-101")
    learn(platform, "P-102")
    answer = client.post("/api/v1/assets/P-101/what-if", json={"preset": "high_load"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:forewarn:problem:no-model")
    assert client.get("/api/v1/assets/P-101/twin").json()["provenance"] is None


def test_while_an_asset_learns_others_of_its_class_judge_it_with_low_confidence(client, platform):
    platform.registry.assets[THIRD_PUMP.asset_id] = THIRD_PUMP
    learn(platform, "P-101", "P-102")
    measured = measure(platform, "P-103")
    said = client.get("/api/v1/assets/P-103/twin").json()
    assert (said["provenance"], said["model"]) == ("fleet", None)
    fleet = said["fleet"]
    assert fleet["members"] == ["P-101", "P-102"]
    assert (fleet["band"], fleet["confidence"]) == ("low", "low")
    assert fleet["responses"]["power_kw"]["low"] < measured["power_kw"] < fleet["responses"]["power_kw"]["high"]
    measure(platform, "P-103", power_kw=measured["power_kw"] + 40)
    assert client.get("/api/v1/assets/P-103/twin").json()["fleet"]["band"] == "high"
    asked = client.post("/api/v1/assets/P-103/what-if", json={"changes": [{"column": "flow_m3_h", "factor": 1.02}]})
    assert (asked.json()["provenance"], asked.json()["confidence"]) == ("fleet", "low")


def test_the_card_tells_the_range_of_each_driver_and_leaves_the_model_out(client, platform):
    learn(platform, "P-101")
    measure(platform, "P-101")
    said = client.get("/api/v1/assets/P-101/twin").json()
    assert said["model"]["parameters"] is None
    flow = next(driver for driver in said["drivers"] if driver["column"] == "flow_m3_h")
    assert flow["learned"]["low"] < flow["now"] < flow["learned"]["high"]
    assert said["presets"][0]["name"] == "high_load"
    assert client.get("/api/v1/models").json()["items"][0]["parameters"] is None
    assert client.get("/api/v1/assets/P-101").json()["models"][0]["parameters"] is None


def test_one_version_of_a_model_comes_with_its_parameters(client, platform):
    platform.history.model_cards = (card("P-101"),)
    assert client.get("/api/v1/models/P-101/twin/1").json()["parameters"]
    assert client.get("/api/v1/models/P-101/twin/2").status_code == 404


def sent_order(platform):
    assert len(platform.delivery.sent) == 12
    (message,) = set(platform.delivery.sent)
    assert (message.topic, message.key) == (TopicName.READINGS_VALID, ORDER_KEY)
    return decode_order(message.value, CATALOGUE)


def test_an_order_to_learn_anew_goes_to_every_partition(client, platform):
    answer = client.post("/api/v1/assets/P-101/baseline", json={"by": "anna", "reason": "new impeller"})
    assert answer.status_code == 202
    assert answer.json() == {"order_id": "id-2", "asset_id": "P-101", "learns_from": "next_readings", "readings": None}
    received = sent_order(platform)
    assert (received.order.requested_by, received.order.reason) == ("anna", "new impeller")
    assert received.history is None


def stored(frame: Frame, next_start=None) -> History:
    rows = frame.rows
    return History(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        roll_up=RollUp.RAW,
        ts=tuple(NOW - timedelta(hours=1) + timedelta(seconds=i) for i in range(rows)),
        count=(1,) * rows,
        series=tuple(
            Series(
                column=name,
                unit="",
                values=tuple(frame.arrays[name].tolist()),
                quality=(0,) * rows if name in PUMP_CLASS.tag_names else (),
            )
            for name in PUMP_CLASS.column_names
        ),
        score=(None,) * rows,
        deviation=(None,) * rows,
        flag=(None,) * rows,
        next_start=next_start,
    )


RANGE = {"from": (NOW - timedelta(hours=1)).isoformat(), "to": NOW.isoformat()}


def test_stored_readings_travel_with_the_order(client, platform):
    platform.history.stretches["P-101"] = stored(readings("P-101"))
    answer = client.post("/api/v1/assets/P-101/baseline", json={"by": "anna", "history": RANGE})
    assert answer.json()["readings"] == ROWS
    received = sent_order(platform)
    for name, values in readings("P-101").arrays.items():
        if name not in ("historical", "received_at", "seq"):
            np.testing.assert_array_equal(received.history.arrays[name], values, err_msg=name)
    assert received.history.arrays["historical"].all()
    assert platform.history.queries[0].max_points == MAX_HISTORY


@pytest.mark.parametrize(
    ("history", "problem"),
    [
        (None, "no stored reading"),
        (stored(readings("P-101", rows=40)), "at least 50 are needed"),
        (stored(readings("P-101"), next_start=NOW), "more than 4000 readings"),
    ],
    ids=["none", "too few", "too many"],
)
def test_history_that_cannot_be_learned_from_is_refused(client, platform, history, problem):
    if history is not None:
        platform.history.stretches["P-101"] = history
    answer = client.post("/api/v1/assets/P-101/baseline", json={"by": "anna", "history": RANGE})
    assert answer.status_code == 422
    assert problem in answer.json()["errors"][0]["detail"]
    assert platform.delivery.sent == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "nobody asks"}, 422),
        ({"by": "anna", "since": NOW.isoformat(), "history": RANGE}, 422),
        ({"by": "anna", "since": (NOW + timedelta(days=60)).isoformat()}, 422),
        ({"by": "anna", "history": {"from": RANGE["to"], "to": RANGE["from"]}}, 422),
    ],
)
def test_orders_that_make_no_sense_are_refused(client, platform, body, status):
    assert client.post("/api/v1/assets/P-101/baseline", json=body).status_code == status
    assert platform.delivery.sent == []


def test_an_order_the_broker_does_not_confirm_is_a_problem(client, platform):
    platform.delivery.away = True
    answer = client.post("/api/v1/assets/P-101/baseline", json={"by": "anna"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_assets_nobody_knows_have_no_twin(client):
    assert client.get("/api/v1/assets/nobody/twin").status_code == 404
    assert client.post("/api/v1/assets/nobody/what-if", json={"preset": "high_load"}).status_code == 404
    assert client.post("/api/v1/assets/nobody/baseline", json={"by": "anna"}).status_code == 404


def test_to_all_other_readers_an_order_is_a_frame_without_readings(client, platform):
    platform.history.stretches["P-101"] = stored(readings("P-101"))
    client.post("/api/v1/assets/P-101/baseline", json={"by": "anna", "history": RANGE})
    value = platform.delivery.sent[0].value
    frame = decode_frame(value, CATALOGUE, FrameKind.VALID)
    assert (frame.rows, frame.asset_class) == (0, PUMP_CLASS)
    assert FrameReader(CATALOGUE, FrameKind.VALID).open(value).newest == ()
    assert observe_frame({}, Seen(), frame).alerts == ()
    assert encode_frame(frame)
    assert {PUMP.asset_id, OTHER_PUMP.asset_id} == set(platform.registry.assets)
