"""Decoding refuses what the published JSON Schema refuses: a value of another type than it names."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.schema_export.events import event_contracts
from forewarn.contracts.alarms import Alarm
from forewarn.ports.codec import InvalidEvent
from support.documents import replaced

SCHEMAS = Path(__file__).parents[2] / "schemas"
CONTRACTS = event_contracts()
COMPUTED = set(Alarm.model_computed_fields)  # written for readers, worked out again and not read by us


def _leaves(node, path=()):
    """Place and value of every number, boolean and text of a document."""
    if isinstance(node, dict | list):
        for step, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(value, (*path, step))
    elif node is not None:
        yield path, node


def _of_another_type(value):
    """The same value as a careless writer would send it."""
    if isinstance(value, bool):
        return [str(value).lower(), int(value)]
    return [str(value)] if isinstance(value, int | float) else [17, True]


def _cases():
    for name in CONTRACTS:
        schema = json.loads((SCHEMAS / f"events/{name}.schema.json").read_text(encoding="utf-8"))
        validator = Draft202012Validator(schema)
        for file in sorted((SCHEMAS / "examples" / name).glob("*.json")):
            document = json.loads(file.read_text(encoding="utf-8"))
            for event in document if isinstance(document, list) else [document]:
                for path, value in _leaves(event):
                    for wrong in _of_another_type(value) if path[-1] not in COMPUTED else ():
                        changed = replaced(event, path, wrong)
                        if not validator.is_valid(changed):
                            yield f"{name} {file.stem} {path}: {wrong!r}", CONTRACTS[name], changed


def test_a_value_of_another_type_is_refused():
    cases = {what: (contract, event) for what, contract, event in _cases()}
    assert len(cases) > 200
    assert [what for what, (contract, event) in cases.items() if _accepted(contract, event)] == []


def _accepted(contract, event):
    try:
        decode_event(contract, json.dumps(event).encode())
    except InvalidEvent:
        return False
    return True


def test_a_time_as_a_number_is_refused():
    alarm = json.loads((SCHEMAS / "examples/alarm.v1/unacknowledged.json").read_text(encoding="utf-8"))
    decode_event(Alarm, json.dumps(alarm).encode())
    with pytest.raises(InvalidEvent, match="raised_at"):
        decode_event(Alarm, json.dumps({**alarm, "raised_at": 1_780_000_000}).encode())
