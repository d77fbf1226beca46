"""NaN and infinity never become an event, whichever way they come."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.event_codec import decode_event, encode_event
from forewarn.adapters.schema_export.events import event_contracts
from forewarn.ports.codec import InvalidEvent
from support.documents import replaced

EXAMPLES = Path(__file__).parents[2] / "schemas/examples"
CONTRACTS = event_contracts()
LITERALS = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999")


def _numbers(node, path=()):
    """Place of every number in a document."""
    if isinstance(node, dict | list):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for step, value in items:
            yield from _numbers(value, (*path, step))
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield path


def _places():
    for name in CONTRACTS:
        for file in sorted((EXAMPLES / name).glob("*.json")):
            document = json.loads(file.read_text(encoding="utf-8"))
            event = document[0] if isinstance(document, list) else document
            yield from ((name, event, path) for path in _numbers(event))


PLACES = list(_places())


def test_numbers_of_every_contract_that_has_any_are_tried():
    assert {name for name, _, _ in PLACES} >= {"reading.v1", "asset_health.v1", "alarm.v1", "alert.v1", "asset.v1"}


@given(place=st.sampled_from(PLACES), literal=st.sampled_from(LITERALS))
def test_decoding_refuses_a_number_that_is_not_finite(place, literal):
    name, event, path = place
    text = json.dumps(replaced(event, path, "@@")).replace('"@@"', literal)
    with pytest.raises(InvalidEvent):
        decode_event(CONTRACTS[name], text.encode())


@given(place=st.sampled_from(PLACES), value=st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_an_event_with_a_number_that_is_not_finite_cannot_be_built(place, value):
    name, event, path = place
    with pytest.raises(ValueError, match=r"finite|int"):
        CONTRACTS[name].model_validate(replaced(event, path, value))


@given(value=st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_even_an_event_that_escaped_validation_is_not_written_with_one(value):
    name, event, _ = next(place for place in PLACES if place[0] == "reading.v1")
    good = decode_event(CONTRACTS[name], json.dumps(event).encode())
    smuggled = good.model_copy(update={"metrics": {"flow_m3_h": value}})
    assert json.loads(encode_event(smuggled), parse_constant=pytest.fail)["metrics"] == {"flow_m3_h": None}
