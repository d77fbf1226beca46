"""The shared types of times and human text."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from forewarn.contracts.base import Comment, Line, UtcDatetime

TIME = TypeAdapter(UtcDatetime)
LINE = TypeAdapter(Line)
COMMENT = TypeAdapter(Comment)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+05:00",  # before the first year once it is in UTC
        "9999-12-31T23:59:59-05:00",
        "1969-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
    ],
)
def test_a_time_outside_the_years_of_plants_is_refused(text):
    with pytest.raises(ValidationError, match="must lie in the years 1970 to 2199"):
        TIME.validate_python(text)


def test_the_first_and_the_last_time_are_kept():
    assert TIME.validate_python("1970-01-01T00:00:00Z") == datetime(1970, 1, 1, tzinfo=UTC)
    assert TIME.validate_python("2200-01-01T00:59:59.999999+01:00").year == 2199


@pytest.mark.parametrize("unfit", ["\x00", "\n", "\x1b", "\x7f", "\u2028", "\u202e", "\x85"])
def test_a_line_holds_no_control_characters(unfit):
    with pytest.raises(ValidationError, match="control characters"):
        LINE.validate_python(f"Pump{unfit}1")


def test_a_line_keeps_every_script_and_loses_blanks_around_it():
    assert LINE.validate_python("  Žerjav\xa01 – 冷却水 Δp ") == "Žerjav\xa01 – 冷却水 Δp"


def test_paragraphs_keep_line_breaks_only():
    assert COMMENT.validate_python("one\r\n\ttwo\n") == "one\n\ttwo"
    with pytest.raises(ValidationError, match="control characters"):
        COMMENT.validate_python("one\x00two")
