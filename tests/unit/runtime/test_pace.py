"""Turns are far apart while little comes, quick in between, and large when thousands come."""

import pytest

from forewarn.runtime.pace import Pace, PaceConfig

CONFIG = PaceConfig(linger_s=0.05, idle_linger_s=0.1, crowded_linger_s=0.2, busy_records=50, crowded_records=4_000)


@pytest.mark.parametrize(
    ("gathered", "later_s", "wait_s"),
    [
        (49, 0.0, 0.1),
        (49, 0.07, 0.05),
        (50, 0.0, 0.05),
        (3_999, 0.0, 0.05),
        (4_000, 0.0, 0.2),
        (4_000, 5.0, 0.2),
    ],
)
def test_how_long_a_turn_waits_depends_on_what_the_last_one_gathered(gathered, later_s, wait_s):
    pace = Pace(CONFIG)
    pace.note(gathered, 1_000.0)
    assert pace.wait_s(1_000.0 + later_s) == pytest.approx(wait_s)


def test_the_first_turn_waits_as_in_ordinary_times():
    assert Pace(CONFIG).wait_s(1_000.0) == 0.05
