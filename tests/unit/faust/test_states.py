"""Stored states that cannot be read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from forewarn.adapters.faust.engine import StateUnreadableError, read_states
from forewarn.adapters.faust.table import Entry

NUMBERS = TypeAdapter(dict[str, int])


def decode(entry):
    try:
        return NUMBERS.validate_json(entry.value)
    except ValidationError as exc:
        raise StateUnreadableError("cannot be read") from exc


def test_a_corrupt_state_is_set_aside_and_its_neighbours_are_kept():
    entries = [Entry(b"P-1", 0, b'{"n": 1}'), Entry(b"P-2", 0, b"\xff{"), Entry(b"\xff", 1, b'{"n": 2}')]
    assert read_states(entries, decode) == {"P-1": {"n": 1}}


def test_states_of_another_version_are_not_thrown_away():
    with pytest.raises(StateUnreadableError, match="cannot be read"):
        read_states([Entry(b"P-1", 0, b"[]"), Entry(b"P-2", 0, b"[]")], decode)


def test_no_state_at_all_is_a_beginning():
    assert read_states([], decode) == {}
