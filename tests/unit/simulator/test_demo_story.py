"""What a visitor of the demo sees: faults are found within minutes, healthy machines stay quiet.

One start time stands for all: noise depends on it, and other starts do give a rare false alarm (the
simulator's README has the rate). This guards against a change that makes the story wrong altogether.
"""

from collections.abc import Sequence

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.plant_document import PlantAsset, SimulatedSource
from forewarn.adapters.plant_file import load_plant
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step as score
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.guard.batch import GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step as judge
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.reading import SourceReading
from support.raw_batches import raw_batch, rows_of

CATALOGUE = load_catalogue()
T0 = 1_790_000_000.0
LIVE_S = 1200
DEMO = {entry.asset.asset_id: entry for entry in load_plant("demo").assets}


def played(entry: PlantAsset) -> list[SourceReading]:
    """The machine's history and its first twenty minutes."""
    assert isinstance(entry.source, SimulatedSource)
    asset = entry.asset
    machine = SimulatedMachine(
        asset.asset_id, asset.asset_class, entry.source, interval_s=1.0, registered_s=T0, start_s=T0
    )
    return [*machine.history(T0), *(reading for second in range(LIVE_S) for reading in machine.due(T0 + second))]


def batch_of(asset_class: AssetClass, rows: Sequence[SourceReading]) -> RawBatch:
    values = rows_of(asset_class, [row.metrics for row in rows])
    return raw_batch(asset_class, [row.ts_us for row in rows], values, [row.asset_id for row in rows])


def flagged_s(entry: PlantAsset) -> FloatArray:
    """Seconds after going live of all readings that the whole chain flags as anomalous."""
    asset_class = CATALOGUE[entry.asset.asset_class]
    rows, settings = played(entry), AnomalySettings()
    guard, twin = GuardState.empty(asset_class), TwinState.empty(asset_class)
    anomaly, flagged = AnomalyState.empty(asset_class, settings), [np.zeros(0)]
    for start in range(0, len(rows), 200):
        result = check(batch_of(asset_class, rows[start : start + 200]), guard, GuardSettings(), {})
        guard = result.state
        twin, frames, _ = judge(twin, result.frame, TwinSettings())
        for frame in frames:
            anomaly, scored = score(anomaly, frame, settings)
            flagged.append(scored.arrays["ts"][scored.arrays["flag"]] / 1e6 - T0)
    return np.concatenate(flagged)


# P-104's fault starts when the twenty minutes are over.
@pytest.mark.parametrize("asset_id", ["P-101", "P-103", "P-104", "P-105", "P-106", "CH-1"])
def test_a_healthy_machine_stays_quiet(asset_id):
    assert flagged_s(DEMO[asset_id]).size == 0


@pytest.mark.parametrize("asset_id", ["P-102", "CH-2"])
def test_a_growing_fault_is_found_within_minutes_and_not_before_it_starts(asset_id):
    entry = DEMO[asset_id]
    assert isinstance(entry.source, SimulatedSource)
    onset_s = entry.source.faults[0].after_s
    flagged = flagged_s(entry)
    assert onset_s < flagged.min() < onset_s + 300
