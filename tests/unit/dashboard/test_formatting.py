"""Numbers, times and addresses as people read them."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn_dashboard import formatting as f


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_unknown_is_a_dash_and_never_zero(value):
    shown = [f.number(value), f.whole(value), f.quantity(value, "bar"), f.duration(value), f.life_days(value)]
    assert shown == ["–"] * 5
    assert f.signed(value) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12.3456, "12.35"), (1234.5, "1\u202f234"), (-0.00123, "−0.001230"), (99999.9, "100\u202f000")],
)
def test_numbers_keep_four_significant_digits(value, text):
    assert f.number(value) == text


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_can_be_shown(value):
    assert f.number(value)
    assert f.signed(value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d"), (-3, "0 s")]
)
def test_durations_use_their_largest_unit(seconds, text):
    assert f.duration(seconds).replace("\u00a0", " ") == text


def test_units_are_written_as_engineers_write_them():
    assert f.quantity(12, "m3/h") == "12.00\u00a0m³/h"
    assert f.quantity(12, "1") == "12.00"


def test_an_unknown_or_hostile_zone_name_is_utc():
    assert [f.zone(name) for name in (None, "", "Mars/Olympus", "../../etc/passwd", "Europe", "a\0b")] == [UTC] * 6
    assert str(f.zone("Europe/Berlin")) == "Europe/Berlin"


def test_a_time_of_another_day_carries_its_date():
    now = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    assert f.clock_time(now - timedelta(minutes=1), UTC, now) == "00:59:00"
    assert f.clock_time(now - timedelta(hours=2), UTC, now) == "2026-11-19 23:00:00"
    assert f.clock_time(None, UTC, now) == "–"


def test_zones_are_labelled_with_their_offset():
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert f.zone_label(UTC, at) == "UTC"
    assert f.zone_label(f.zone("Asia/Kolkata"), at) == "IST (UTC+05:30)"
    assert f.zone_label(f.zone("America/Sao_Paulo"), at) == "UTC-03:00"


@pytest.mark.parametrize(
    ("days", "text"), [(0.01, "14 min"), (0.5, "12 h"), (12.4, "12 d"), (900.0, "2.5 years"), (0.0, "0 min")]
)
def test_remaining_life_has_the_unit_that_fits(days, text):
    assert f.life_days(days).replace("\u00a0", " ") == text
