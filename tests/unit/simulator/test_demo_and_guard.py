"""What the simulator sends is what the validator accepts."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.plant_document import SimulatedSource
from forewarn.adapters.plant_file import load_plant
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.guard.batch import GuardResult, GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.reading import SourceReading
from forewarn_simulator.replay import read_recording
from support.raw_batches import raw_batch, rows_of

CATALOGUE = load_catalogue()
DEMO = [entry for entry in load_plant("demo").assets if isinstance(entry.source, SimulatedSource)]
SKAB = Path(os.environ.get("SKAB_PATH") or Path(__file__).parents[3] / "../shared/data/skab") / "data"
T0 = 1_790_000_000.0


def guarded(asset_class: AssetClass, readings: Iterable[SourceReading]) -> GuardResult:
    rows = list(readings)
    values = rows_of(asset_class, [row.metrics for row in rows])
    batch = raw_batch(asset_class, [row.ts_us for row in rows], values, [row.asset_id for row in rows])
    return check(batch, GuardState.empty(asset_class), GuardSettings(), {})


def findings(result: GuardResult) -> set[str]:
    return {finding for finding in result.frame.strings["findings"].to_list() if finding}


@pytest.mark.parametrize("entry", DEMO, ids=lambda entry: entry.asset.asset_id)
def test_two_hours_of_history_and_twenty_live_minutes_of_the_demo_pass_without_a_warning(entry):
    machine = SimulatedMachine(
        entry.asset.asset_id,
        entry.asset.asset_class,
        entry.source,
        interval_s=1.0,
        registered_s=T0,
        start_s=T0,
    )
    past = list(machine.history(T0))
    live = [reading for second in range(1200) for reading in machine.due(T0 + second)]
    assert findings(guarded(CATALOGUE[entry.asset.asset_class], [*past, *live])) == set()
    assert len(past) == 720
    assert len(live) == 1200


@pytest.mark.skipif(not SKAB.is_dir(), reason="the SKAB recordings are not here (set SKAB_PATH)")
@pytest.mark.parametrize("name", ["valve1/15.csv", "valve2/0.csv", "other/12.csv", "anomaly-free/anomaly-free.csv"])
def test_skab_recordings_pass_without_a_warning(name):
    loop = CATALOGUE["pump_loop"]
    recording = read_recording(SKAB / name, loop, "datetime")
    readings = [
        SourceReading(asset_id="L", ts_us=int((T0 + offset) * 1e6), metrics=row)
        for offset, row in zip(recording.offsets_s, recording.rows, strict=True)
    ]
    result = guarded(loop, readings)
    assert findings(result) == set()
    assert result.counters.accepted == len(readings) > 900
