"""What a tile shows of an alarm's message."""

import pytest

from forewarn_dashboard.pages.overview.viewmodel import tile_text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("High vibration", "High vibration"),
        (
            "Discharge valve cover temperature 124.3 °C, 6.6 K above expected; probably the machine",
            "Discharge valve cover temperature 124.3 °C, 6.6 K above expected",
        ),
        (
            "Remaining useful life likely below one week: bearing wear in 4 days to 11 days",
            "Bearing wear in 4 days to 11 days",
        ),
        ("Health is low: fouled tubes in 14 days", "Health is low: fouled tubes in 14 days"),
        ("", ""),
    ],
)
def test_a_tile_shows_the_finding_in_two_lines(message, shown):
    assert tile_text(message) == shown
