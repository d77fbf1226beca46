"""Sensor or machine: what the hint of flagged rows says."""

import numpy as np
import pytest

from forewarn.contracts.frames import Hint, Phase
from unit.anomaly.cases import RESPONSES, WATCHED, judged, residuals, run_anomaly
from unit.twin.cases import COUPLED

ROWS = 200


def hints(asset_class=WATCHED, **courses):
    """Hints of the flagged rows of a machine whose residuals are shifted by these courses."""
    values = residuals(ROWS, 5)
    for name, course in courses.items():
        values[:, RESPONSES.index(name)] += course
    learned = judged(residuals(400), phase=Phase.BASELINE, asset_class=asset_class)
    _, out = run_anomaly([learned, judged(values, start=400, asset_class=asset_class)])
    found = out.arrays["hint"][out.arrays["flag"]]
    assert found.size > 100
    return found


def drift(to):
    return np.linspace(0, to, ROWS)


def share_of_sensor(found):
    return np.mean(found == Hint.SENSOR_FAULT)


@pytest.mark.parametrize(("tag", "size"), [("c", 12.0), ("c", -12.0), ("b", -12.0)])
def test_a_tag_that_jumps_alone_hints_at_its_sensor(tag, size):
    assert share_of_sensor(hints(**{tag: size})) > 0.95


def test_a_tag_that_jumps_alone_to_its_bad_side_hints_at_the_machine():
    assert share_of_sensor(hints(b=12.0)) == 0.0


@pytest.mark.parametrize(("tag", "to"), [("c", 20.0), ("c", -20.0), ("b", -20.0)])
def test_a_tag_that_drifts_far_alone_hints_at_its_sensor(tag, to):
    found = hints(**{tag: drift(to)})
    assert found[0] == Hint.ASSET_FAULT, "near the threshold other tags may be about to follow"
    assert (found[-50:] == Hint.SENSOR_FAULT).all()


def test_a_tag_that_drifts_to_its_bad_side_hints_at_the_machine():
    assert share_of_sensor(hints(b=drift(20.0))) == 0.0


@pytest.mark.parametrize("course", [12.0, drift(20.0)])
def test_without_drivers_a_tag_that_leaves_alone_may_have_been_moved_by_the_process(course):
    assert share_of_sensor(hints(COUPLED, c=course)) == 0.0


@pytest.mark.parametrize("courses", [{"a": 12.0, "c": 10.0}, {"a": drift(20.0), "c": drift(-15.0)}])
def test_several_tags_hint_at_the_machine(courses):
    assert share_of_sensor(hints(**courses)[5:]) == 0.0, "as soon as the smoothing has seen them all"


def test_a_fault_that_makes_its_tag_noisier_too_hints_at_the_machine():
    loud = np.random.default_rng(3).normal(60, 12, ROWS)
    assert share_of_sensor(hints(b=loud)[15:]) == 0.0


def test_a_tag_that_leaps_both_ways_alone_hints_at_its_sensor_even_on_its_bad_side():
    noise = np.random.default_rng(3).normal(12, 15, ROWS)
    assert share_of_sensor(hints(b=noise)) > 0.9
