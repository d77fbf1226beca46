"""The twin's part of the API: what it knows, what if, retraining."""

from datetime import timedelta

import numpy as np
import pytest

from forewarn.adapters.baseline_orders import MAX_HISTORY, ORDER_KEY, decode_order
from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.frames.rows import FrameRows
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.alarms.rows import observe_frame
from forewarn.domain.alarms.seen import Seen
from forewarn.ports.history import History, RollUp, Series
from forewarn.testing.api_examples import CATALOGUE, NOW, OTHER_PUMP, PUMP, PUMP_CLASS, judged_rows, valid_rows
from support.api_twins import ROWS, card, learn, measure, readings, stored

THIRD_PUMP = Asset(asset_id="P-103", asset_class="centrifugal_pump", name="New pump")


def test_the_newest_state_tells_between_which_values_a_healthy_machine_measures(client, platform):
    learn(platform, "P-101")
    interval = card("P-101", 0).regimes[0].intervals["power_kw"]
    judged = {"expected_power_kw": 30.0, "residual_power_kw": 2.0, "model_version": 1, "phase": 1}
    measured = {"power_kw": 30.0 + 2.0 * interval.scale}
    platform.live.take_readings(valid_rows(["P-101"], NOW, **measured))
    platform.live.take_judgements(judged_rows(["P-101"], NOW, **judged, **measured))
    power = newest(client)["power_kw"]
    assert power["expected_low"] == pytest.approx(30.0 + interval.low)
    assert power["expected_high"] == pytest.approx(30.0 + interval.high)
    with client.websocket_connect("/api/v1/live") as socket:
        pushed = socket.receive_json()["readings"][0]["judgement"]
    assert pushed["expected_low"]["power_kw"] == pytest.approx(30.0 + interval.low)


def test_the_interval_of_a_reading_outside_of_what_was_learned_is_wider_by_what_the_model_widened(client, platform):
    learn(platform, "P-101")
    interval = card("P-101", 0).regimes[0].intervals["power_kw"]
    measured = {"power_kw": 30.0 + 8.0 * 2.0 * interval.scale}  # a residual of 2 at eight times the scale
    judged = {"expected_power_kw": 30.0, "residual_power_kw": 2.0, "model_version": 1, "regime": 1}
    platform.live.take_readings(valid_rows(["P-101"], NOW, **measured))
    platform.live.take_judgements(judged_rows(["P-101"], NOW, **judged, **measured))
    assert newest(client)["power_kw"]["expected_low"] == pytest.approx(30.0 + 8.0 * interval.low)


def test_another_model_than_the_one_that_judged_tells_no_interval(client, platform):
    learn(platform, "P-101")
    platform.live.take_readings(valid_rows(["P-101"], NOW, power_kw=30.0))
    platform.live.take_judgements(judged_rows(["P-101"], NOW, expected_power_kw=30.0, power_kw=30.0, model_version=2))
    assert newest(client)["power_kw"]["expected_low"] is None


def newest(client):
    return {value["name"]: value for value in client.get("/api/v1/assets/P-101/latest").json()["values"]}


@pytest.mark.parametrize(("roll_up", "judges"), [(RollUp.RAW, ((1, 1, 2), (0, 1, 0))), (RollUp.HOUR, ((), ()))])
def test_the_past_comes_with_the_interval_of_the_model_that_judged_it(client, platform, roll_up, judges):
    own = card("P-101")
    platform.history.model_cards = (own,)
    power = Series(column="power_kw", unit="kW", values=(30.0,) * 3, expected=(30.0, 30.0, 31.0))
    platform.history.stretches["P-101"] = History(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        roll_up=roll_up,
        ts=tuple(NOW + timedelta(seconds=i) for i in range(3)),
        count=(1,) * 3,
        series=(power, Series(column="flow_m3_h", unit="m3/h", values=(70.0,) * 3)),
        score=(1.0,) * 3,
        deviation=(1.0,) * 3,
        flag=(False,) * 3,
        next_start=None,
        model_version=judges[0],
        regime=judges[1],
    )
    columns = client.get("/api/v1/assets/P-101/history").json()["columns"]
    low = own.regimes[0].intervals["power_kw"].low
    known = [30.0 + low, None, None] if roll_up is RollUp.RAW else [30.0 + low, 30.0 + low, 31.0 + low]
    assert columns["power_kw"]["expected_low"] == pytest.approx(known)
    assert columns["flow_m3_h"]["expected_low"] == []
    text = client.get("/api/v1/assets/P-101/history", params={"format": "csv"}).text
    assert "P5 power_kw [kW],P95 power_kw [kW]" in text.splitlines()[0]


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
        (None, "no reading of this asset is stored"),
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
    assert FrameRows.read(value, CATALOGUE, FrameKind.VALID).newest == ()
    assert observe_frame({}, Seen(), frame).alerts == ()
    assert encode_frame(frame)
    assert {PUMP.asset_id, OTHER_PUMP.asset_id} == set(platform.registry.assets)
