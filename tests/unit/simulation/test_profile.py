import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.simulation.machine import accelerating
from forewarn.domain.simulation.profile import FaultCourse, Profile


@given(t=st.floats(0, 2e9), base=st.floats(0.3, 0.7), swing=st.floats(0, 0.3))
def test_demand_stays_within_base_and_swing_and_repeats_daily(t, base, swing):
    profile = Profile(base=base, swing=swing)
    demand = profile.at(t).demand
    assert base - swing - 1e-9 <= demand <= base + swing + 1e-9
    np.testing.assert_allclose(profile.at(t + 86_400).demand, demand, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"period_s": 0}, {"base": 0.9, "swing": 0.2}, {"base": 0.1, "swing": 0.2}])
def test_an_impossible_profile_is_refused(wrong):
    with pytest.raises(ValueError, match="demand"):
        Profile(**wrong)


def test_a_fault_grows_holds_is_repaired_and_returns():
    course = FaultCourse(fault="f", onset_s=100, duration_s=10, hold_s=5, healthy_s=20, severity=0.8)
    assert [course.at(t) for t in (0, 100, 105, 110, 115, 116, 134, 140)] == pytest.approx(
        [0, 0, 0.4, 0.8, 0.8, 0, 0, 0.4]
    )


def test_a_fault_that_nobody_repairs_stays():
    assert FaultCourse(fault="f", onset_s=0, duration_s=10).at(1e9) == 1.0


@pytest.mark.parametrize("wrong", [{"duration_s": 0}, {"severity": 1.5}, {"severity": 0}, {"hold_s": -1}])
def test_an_impossible_course_is_refused(wrong):
    with pytest.raises(ValueError, match="a fault needs"):
        FaultCourse(**({"fault": "f", "onset_s": 0, "duration_s": 1} | wrong))


def test_accelerating_growth_runs_from_zero_to_one_and_speeds_up():
    grown = accelerating(np.linspace(0, 1, 11))
    assert grown[[0, -1]].tolist() == [0.0, 1.0]
    assert (np.diff(np.diff(grown)) > 0).all()
