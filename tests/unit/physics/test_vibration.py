"""Zones of ISO 10816-3 and 20816-3, and no zone where group or support is not known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.physics.vibration import (
    BOUNDARIES,
    Group,
    Support,
    Zone,
    displacement_zone,
    vibration_zone,
)

MACHINES = sorted(BOUNDARIES)


@pytest.mark.parametrize(
    ("group", "support", "edges"),
    [
        (Group.LARGE, Support.RIGID, (2.3, 4.5, 7.1)),
        (Group.LARGE, Support.FLEXIBLE, (3.5, 7.1, 11.0)),
        (Group.MEDIUM, Support.RIGID, (1.4, 2.8, 4.5)),
        (Group.MEDIUM, Support.FLEXIBLE, (2.3, 4.5, 7.1)),
    ],
)
def test_zones_change_at_the_boundaries_of_the_standard(group, support, edges):
    below, at = np.nextafter(edges, 0), np.array(edges)
    np.testing.assert_array_equal(vibration_zone(below, np.full(3, group), np.full(3, support)), [1, 2, 3])
    np.testing.assert_array_equal(vibration_zone(at, np.full(3, group), np.full(3, support)), [2, 3, 4])


@pytest.mark.parametrize(("group", "support"), [(0, 1), (3, 1), (1, 0), (2, 3), (np.nan, 1), (1, np.nan), (1.5, 1)])
def test_there_is_no_zone_without_group_and_support(group, support):
    assert np.isnan(vibration_zone(np.array([9.0]), np.array([group]), np.array([support]))).all()
    assert np.isnan(displacement_zone(np.array([90.0]), np.array([group]), np.array([support]))).all()


def test_a_negative_velocity_has_no_zone():
    assert np.isnan(vibration_zone(np.array([-0.1]), np.array([1]), np.array([1]))).all()


def test_the_first_zone_begins_at_rest():
    assert vibration_zone(np.array([0.0]), np.array([1]), np.array([1])) == [Zone.A]


@pytest.mark.parametrize(
    ("at", "change", "cap", "trip"),
    [
        ((Group.LARGE, Support.RIGID), 1.125, 5.625, 8.875),
        ((Group.LARGE, Support.FLEXIBLE), 1.775, 8.875, 13.75),
        ((Group.MEDIUM, Support.RIGID), 0.70, 3.50, 5.625),
        ((Group.MEDIUM, Support.FLEXIBLE), 1.125, 5.625, 8.875),
    ],
)
def test_limits_follow_from_the_boundaries(at, change, cap, trip):
    boundaries = BOUNDARIES[at]
    assert boundaries.significant_change_mm_s == pytest.approx(change)
    assert boundaries.alarm_mm_s(100.0) == pytest.approx(cap)
    assert boundaries.alarm_mm_s(1.0) == pytest.approx(1.0 + change)
    assert boundaries.trip_mm_s == pytest.approx(trip)


def test_displacement_has_boundaries_of_its_own():
    np.testing.assert_array_equal(displacement_zone(np.array([28.9, 29.0, 57.0, 90.0]), 1, 1), [1, 2, 3, 4])


@given(values=st.tuples(st.floats(0, 50), st.floats(0, 50)), at=st.sampled_from(MACHINES))
def test_more_vibration_is_never_a_better_zone(values, at):
    low, high = sorted(values)
    zones = vibration_zone(np.array([low, high]), *(np.full(2, part) for part in at))
    assert zones[0] <= zones[1]


@given(value=st.floats(0, 50), group=st.sampled_from(list(Group)))
def test_a_flexible_support_permits_at_least_as_much(value, group):
    rigid = vibration_zone(np.array([value]), group, Support.RIGID)
    flexible = vibration_zone(np.array([value]), group, Support.FLEXIBLE)
    assert flexible <= rigid
