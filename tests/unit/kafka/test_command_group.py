"""Which commands the group reads, and which it leaves out."""

import json

import pytest

from forewarn.adapters.kafka.command_group import everything_of
from forewarn.contracts.assets import Command
from forewarn.ports.commands import UnreadableCommand
from forewarn.ports.lanes import Record

GOOD = {
    "command_id": "c-1", "asset_id": "P-101", "issued_at": "2026-11-20T20:00:00Z", "issued_by": "ada",
    "body": {"kind": "learn_anew"},
}  # fmt: skip


def records(*values):
    return [Record("commands", 0, n, 0, b"P-101", value) for n, value in enumerate(values)]


def test_a_command_is_read_and_one_with_a_fault_keeps_its_sender():
    faulty = GOOD | {"command_id": "c-2", "issued_by": 7}
    read, unreadable = everything_of(records(json.dumps(GOOD).encode(), json.dumps(faulty).encode()))
    assert isinstance(read, Command)
    assert unreadable == UnreadableCommand(
        command_id="c-2", asset_id="P-101", problem="issued_by: Input should be a valid string"
    )


@pytest.mark.parametrize(
    "value",
    [
        *(None, b"", b"{no json", b"\xff\xfe", b"[]", b"[" * 100_000),
        b'{"command_id": "c-2"}',
        b'{"command_id": 2, "asset_id": "P"}',
        b'{"command_id": "no spaces please", "asset_id": "P"}',
    ],
)
def test_what_nobody_can_be_answered_for_is_left_out(value):
    assert everything_of(records(value)) == []
