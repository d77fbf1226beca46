"""The corpus of hostile messages is what it claims to be, and the published schema agrees with it."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from jsonschema import Draft202012Validator

from forewarn.contracts.readings import RejectionReason as Reason
from forewarn.testing.hostile import Target, good_message, hostile_cases

TARGET = Target(
    asset_id="P-101", metrics={"flow_m3_h": 120.5, "power_kw": 40.25}, now=datetime(2026, 11, 20, 20, tzinfo=UTC)
)
CASES = hostile_cases(TARGET)
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/events/reading.v1.schema.json").read_text(encoding="utf-8"))
NOT_FROM_BYTES = {Reason.NO_VALUE, Reason.PHYSICS, Reason.STRICT_MODE, Reason.BAD_FRAME, Reason.QUARANTINED}


def _readings(value):
    document = json.loads(value)
    return document if isinstance(document, list) else [document]


def test_names_are_unique():
    assert [name for name, count in Counter(c.name for c in CASES).items() if count > 1] == []


def test_every_reason_that_bytes_can_have_is_provoked():
    assert {reason for c in CASES for refusal in c.refusals for reason in refusal.reasons} == set(
        Reason
    ) - NOT_FROM_BYTES


def test_no_two_good_readings_share_an_event_time():
    """Otherwise a reader that drops duplicates would be blamed for it."""
    times = [
        reading["ts"]
        for case in CASES
        if case.survivors
        for index, reading in enumerate(_readings(case.value))
        if index not in {refusal.index for refusal in case.refusals}
    ]
    assert len(set(times)) == len(times)


def test_the_published_schema_accepts_what_must_survive(subtests):
    validator = Draft202012Validator(SCHEMA)
    for case in CASES:
        if case.survivors:
            with subtests.test(case.name):
                assert sum(validator.is_valid(reading) for reading in _readings(case.value)) >= case.survivors


def test_the_published_schema_refuses_what_has_a_bad_structure(subtests):
    validator = Draft202012Validator(SCHEMA)
    malformed = [case for case in CASES if [r.reasons for r in case.refusals] == [{Reason.BAD_STRUCTURE}]]
    # A JSON Schema sees the form of a time only with optional format checks.
    checked = [case for case in malformed if not case.name.startswith(("ts_", "document_is_[]"))]
    assert len(checked) >= 30
    for case in checked:
        with subtests.test(case.name):
            assert any(not validator.is_valid(reading) for reading in _readings(case.value))


def test_the_good_message_is_good():
    Draft202012Validator(SCHEMA).validate(json.loads(good_message(TARGET)))
