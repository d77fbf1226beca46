"""What older versions wrote, with odd characters and odd times, is still an asset and still an alarm."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from forewarn.adapters.event_codec import decode_event, encode_event
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.assets import Asset, AssetRegistration, Command
from forewarn.contracts.baseline import BaselineOrder
from forewarn.ports.codec import InvalidEvent
from forewarn.testing.api_examples import alarm

AT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Pump\x00 1", "Pump\ufffd 1"),
        ("Pump\r\n1", "Pump 1"),
        ("\n ", "P-1"),
        ("\u202egnp", "\ufffdgnp"),
        ("Pump 1", "Pump 1"),
    ],
)
def test_a_stored_asset_is_readable_whatever_its_name(stored, shown):
    document = {"asset_id": "P-1", "asset_class": "centrifugal_pump", "name": stored}
    asset = decode_event(Asset, json.dumps(document).encode())
    assert asset.name == shown
    assert decode_event(Asset, encode_event(asset)) == asset


def test_a_registration_is_the_stored_asset():
    registration = AssetRegistration(
        asset_id="P-1",
        asset_class="centrifugal_pump",
        name=" Pump ",
        nameplate={"fluid_density_kg_m3": 998.0},
        economics={"energy_price_per_kwh": 0.3},
        health_weights={"components": {"twin": 0.0}},
    )
    entry = registration.entry()
    assert type(entry) is Asset
    assert entry.model_dump() == registration.model_dump()
    assert entry.name == "Pump"


def test_a_stored_alarm_keeps_its_comment_readably():
    document = json.loads(encode_event(alarm())) | {"comment": "seen\x00\non site", "acknowledged_by": "an\x1bna"}
    read = decode_event(Alarm, json.dumps(document).encode())
    assert (read.comment, read.acknowledged_by) == ("seen\ufffd\non site", "an\ufffdna")


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("0001-01-01T00:00:00+05:00", "1970-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-05:00", "2199-12-31T23:59:59.999999Z"),
        ("2026-11-20T20:00:00+01:00", "2026-11-20T19:00:00.000000Z"),
    ],
)
def test_a_stored_alarm_is_readable_whenever_it_was_acknowledged(stored, read):
    document = json.loads(encode_event(alarm())) | {"acknowledged_at": stored}
    assert json.loads(encode_event(decode_event(Alarm, json.dumps(document).encode())))["acknowledged_at"] == read


def test_a_stored_order_is_still_obeyed():
    order = BaselineOrder(order_id="o", asset_id="P-1", requested_at=AT, requested_by="anna\n", reason="a\x00")
    assert order.reason == "a\ufffd"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issued_by": "an\x00na"}, "issued_by"),
        ({"issued_by": " "}, "issued_by"),
        ({"issued_at": "0001-01-01T00:00:00+05:00"}, "issued_at"),
        ({"issued_at": "1795204800"}, "issued_at"),
        ({"body": {"kind": "acknowledge_alarm", "alarm_id": "P-1/a", "occurrence_id": "o\x00"}}, "occurrence_id"),
        ({"body": {"kind": "acknowledge_alarm", "alarm_id": "x" * 401, "occurrence_id": "o"}}, "alarm_id"),
        ({"body": {"kind": "run_scenario", "scenario": "../../etc/passwd", "asset_class": "fan"}}, "scenario"),
        (
            {"body": {"kind": "run_scenario", "scenario": "a", "asset_class": "fan", "interval_s": 5e-324}},
            "interval_s",
        ),
        ({"body": {"kind": "what_if", "changes": [{"column": "flow_m3_h", "factor": 5e-324}]}}, "factor"),
        ({"body": {"kind": "learn_anew", "since": "0001-01-01T00:00:00Z"}}, "since"),
    ],
)
def test_a_command_of_odd_values_is_refused_by_name(change, field):
    command = {
        "command_id": "c",
        "asset_id": "P-1",
        "issued_at": "2026-11-20T20:00:00Z",
        "issued_by": "anna",
        "body": {"kind": "acknowledge_alarm", "alarm_id": "P-1/a", "occurrence_id": "o"},
    }
    decode_event(Command, json.dumps(command).encode())
    with pytest.raises(InvalidEvent, match=field):
        decode_event(Command, json.dumps(command | change).encode())


def test_a_registration_of_a_blank_name_is_refused():
    with pytest.raises(ValidationError, match="at least 1 character"):
        AssetRegistration(asset_id="P-1", asset_class="centrifugal_pump", name="\t ")
