"""Every class that ships goes through guard and twin as it is: nothing on the way knows classes by name."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.frames import Phase, frame_columns, residual_column
from forewarn.domain.frames.frame import Frame
from forewarn.domain.guard.batch import GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from support.raw_batches import columns_of, raw_batch
from unit.catalogue.operating_points import HEALTHY

CATALOGUE = load_catalogue()
EVERY_US = 60_000_000
LIVE_ROWS = 40


def readings(name: str) -> RawBatch:
    """A machine at its operating point; what drives it swings, and at the end its first response is 8 % too high."""
    asset_class = CATALOGUE[name]
    rows = asset_class.twin.baseline_readings + 2 * LIVE_ROWS
    rng = np.random.default_rng(5)
    ts = 1_790_000_000_000_000 + np.arange(rows) * EVERY_US
    swing = 1.0 + 0.01 * np.sin(np.arange(rows) / 9.0)
    columns = {}
    for tag in asset_class.tag_names:
        values = HEALTHY[name][tag] * (1.0 + 0.002 * rng.standard_normal(rows))
        columns[tag] = values * swing if tag in asset_class.twin.drivers else values
    columns[asset_class.twin.responses[0]][-LIVE_ROWS:] *= 1.08
    return raw_batch(asset_class, ts, columns_of(asset_class, columns))


def judged(name: str) -> Frame:
    """The live part of the readings as the twin sees it."""
    asset_class = CATALOGUE[name]
    accepted = check(readings(name), GuardState.empty(asset_class), GuardSettings(max_age_s=1e12), {})
    assert accepted.counters.rejected == 0
    _, frames, models = step(TwinState.empty(asset_class), accepted.frame, TwinSettings())
    assert len(models) == 1
    assert sum(frame.rows for frame in frames) == accepted.frame.rows
    live = [frame for frame in frames if (frame.arrays["phase"] == Phase.LIVE).all()]
    assert sum(frame.rows for frame in live) == 2 * LIVE_ROWS
    return live[-1]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_twin_learns_the_class_and_sees_a_change_of_a_response(name):
    frame = judged(name)

    assert [column.name for column in frame.columns] == [c.name for c in frame_columns(frame.kind, frame.asset_class)]
    residual = np.abs(frame.arrays[residual_column(frame.asset_class.twin.responses[0])])
    assert np.median(residual[:LIVE_ROWS]) < 2
    assert np.median(residual[-LIVE_ROWS:]) > 5
    deviation = frame.arrays["deviation"]
    assert np.median(deviation[-LIVE_ROWS:]) > np.median(deviation[:LIVE_ROWS]) + 5
