"""Whatever is wrong with bytes, a reader raises its one exception, with a problem that fits a line."""

import json

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.kafka.command_group import everything_of
from forewarn.contracts.assets import Asset, Command
from forewarn.contracts.frames import FrameKind
from forewarn.ports.codec import InvalidEvent, InvalidFrame, one_line
from forewarn.ports.lanes import Record
from forewarn.testing.examples import example_frame

CATALOGUE = load_catalogue()
FRAME = encode_frame(example_frame(FrameKind.VALID, CATALOGUE["centrifugal_pump"]))
COMMAND = {
    "command_id": "c-1",
    "asset_id": "P-101",
    "issued_at": "2026-11-20T20:12:30Z",
    "issued_by": "m.keller",
    "body": {"kind": "acknowledge_alarm", "alarm_id": "P-101/vibration_high", "occurrence_id": "o-1", "comment": ""},
}


@pytest.mark.parametrize(
    "error", [OverflowError, RecursionError, MemoryError, KeyError, UnicodeError, ZeroDivisionError]
)
def test_any_error_of_a_decoder_becomes_its_own(error):
    @decoder(InvalidFrame)
    def read(data):
        raise error(data)

    with pytest.raises(InvalidFrame, match=error.__name__):
        read("x")


def test_a_part_of_another_form_is_told_in_the_form_of_the_whole():
    @decoder(InvalidFrame)
    def read():
        raise InvalidEvent("asset_id: is missing")

    with pytest.raises(InvalidFrame, match="asset_id: is missing"):
        read()


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"]
)
def test_a_command_of_an_impossible_time_is_refused(moment):
    value = json.dumps({**COMMAND, "issued_at": moment}).encode()
    with pytest.raises(InvalidEvent, match=r"issued_at.*1970 to 2199"):
        decode_event(Command, value)
    good = json.dumps(COMMAND).encode()
    records = [Record("commands", 0, n, 0, b"P-101", each) for n, each in enumerate((good, value, good))]
    assert [each.command_id for each in everything_of(records) if isinstance(each, Command)] == ["c-1", "c-1"]


def test_a_problem_is_one_printable_line_of_bounded_length():
    with pytest.raises(InvalidEvent) as caught:
        decode_event(Asset, json.dumps({"a\x00\n" * 500_000: 1}).encode())
    problem = str(caught.value)
    assert len(problem) <= 1_000
    assert problem.isprintable()
    assert one_line("Grad °C – gut") == "Grad °C – gut"
    assert one_line("a\x00b\ud800\u2028") == "a\\x00b\\ud800\\u2028"
