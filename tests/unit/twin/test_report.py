"""What a baseline was like: where the machine was operated, which stretches look unlike the rest."""

import numpy as np
import pytest

from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.twin.deviation import band_of
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from unit.simulation.cases import CATALOGUE, guarded, simulate
from unit.twin.cases import T0, S, coupled, driven, run_twin

ROWS = 400


def report(whole):
    _, _, (card,) = run_twin([whole], TwinSettings(baseline_readings=ROWS))
    return card.report


def test_the_learned_range_is_where_the_drivers_were():
    whole = driven(ROWS)
    span = report(whole).operating["load"]
    load = whole.arrays["load"]
    assert (span.low, span.middle, span.high) == (load.min(), np.median(load), load.max())


@pytest.mark.parametrize("name", sorted(KINDS))
def test_healthy_machines_have_no_suspicious_stretch(name):
    asset_class = CATALOGUE[name]
    rows = asset_class.twin.baseline_readings
    valid = guarded(asset_class, simulate(name, {}, steps=rows, seed=5), 10.0).frame
    _, _, (card,) = step(TwinState.empty(asset_class), valid, TwinSettings())
    assert card.report.stretches == ()


@pytest.mark.parametrize("rows", [20, 60, 100])
@pytest.mark.parametrize(("make", "tag", "offset"), [(driven, "power", 10), (driven, "power", 200), (coupled, "b", 8)])
def test_a_stretch_with_a_fault_is_named_with_tag_time_and_side(rows, make, tag, offset):
    values = make(ROWS).arrays[tag].copy()
    values[150 : 150 + rows] += offset
    found = report(make(ROWS, **{tag: values}))
    (stretch,) = [item for item in found.stretches if item.tag == tag]
    assert abs(stretch.from_us - (T0 + 150 * S)) <= 3 * S
    assert abs(stretch.to_us - (T0 + (149 + rows) * S)) <= 3 * S
    assert stretch.distance > 5
    assert rows / ROWS * 0.8 <= found.suspicious_share <= rows / ROWS * 3


def test_single_spikes_are_no_stretch():
    power = driven(ROWS).arrays["power"].copy()
    power[::50] += 80
    assert report(driven(ROWS, power=power)).stretches == ()


@pytest.mark.parametrize(
    ("deviation", "band"), [(0, "low"), (9.99, "low"), (10, "medium"), (25, "medium"), (25.1, "high")]
)
def test_bands_of_deviation(deviation, band):
    assert band_of(deviation) == band
