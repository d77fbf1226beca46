"""A removal travels behind the last reading of its asset, whatever the portions, and takes all state with it."""

from datetime import UTC, datetime

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.removals import REMOVAL_KEY, raw_removal, read_removal
from forewarn.contracts.removal import AssetRemoval
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.twin.settings import TwinSettings
from forewarn.ports.lanes import Record
from forewarn.testing.fakes import StillClock
from forewarn_anomaly.lane import AnomalyConfig, AnomalyLanes
from forewarn_twin.lane import TwinLanes
from forewarn_validator.lane import ValidatorLanes
from forewarn_validator.removals import Removals
from support.plant import PUMPS, pump_messages

CATALOGUE = load_catalogue()
START_US = 1_790_000_000_000_000
ROUNDS = 150
GONE, STAYS = PUMPS[0], PUMPS[1]
REMOVAL = AssetRemoval(
    removal_id="r-1",
    asset_id=GONE.asset_id,
    asset_class=GONE.asset_class,
    removed_at=datetime(2026, 11, 20, tzinfo=UTC),
    removed_by="Ada",
    history="purge",
)


def record(offset, value, key):
    return Record("t", 0, offset, START_US + offset, key, value)


def raw_records(*, removed=True):
    """Readings of two pumps; one of them is removed half-way and is heard of no more."""
    messages = list(pump_messages(ROUNDS, assets=PUMPS[:2], start_us=START_US))
    gone, half = GONE.asset_id.encode(), len(messages) // 2
    records = [record(n, m.value, m.key) for n, m in enumerate(messages) if not (n >= half and m.key == gone)]
    removal = record(half, raw_removal(REMOVAL), REMOVAL_KEY)
    return [*records[:half], *([removal] if removed else []), *records[half:]]


def through(lanes, records, batch):
    """What a stage makes of records, as the records of the next stage."""
    lanes.open(0, None)
    outputs = [o for i in range(0, len(records), batch) for o in lanes.process(records[i : i + batch]).outputs]
    return [record(n, o.value, o.key) for n, o in enumerate(outputs) if o.topic in KEPT]


KEPT = {TopicName.READINGS_VALID, TopicName.TWIN_STATES, TopicName.ANOMALY_SCORES}


def stages(gone=lambda _: True):
    assets = {asset.asset_id: asset for asset in PUMPS[:2]}
    return (
        ValidatorLanes(CATALOGUE, find_asset=assets.get, settings=GuardSettings(), is_gone=gone),
        TwinLanes(CATALOGUE, TwinSettings(baseline_readings=50)),
        AnomalyLanes(AnomalyConfig(catalogue=CATALOGUE, settings=AnomalySettings(), members=("zscore",))),
    )


def run(records, batch):
    made, streams = stages(), [records]
    for lanes in made:
        streams.append(through(lanes, streams[-1], batch))
    return made, streams


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_every_stage_forgets_the_asset_and_passes_the_removal_on(batch):
    made, streams = run(raw_records(), batch)
    for lanes, stream in zip(made, streams[1:], strict=True):
        assert [read_removal(r) for r in stream if r.key == REMOVAL_KEY] == [REMOVAL]
        assert GONE.asset_id.encode() not in lanes.dump(0)
        assert STAYS.asset_id.encode() in lanes.dump(0)


def test_the_state_does_not_depend_on_how_records_are_cut():
    dumps = [[lanes.dump(0) for lanes in run(raw_records(), batch)[0]] for batch in (3, 50, 1000)]
    assert dumps[0] == dumps[1] == dumps[2]


def test_a_removal_that_the_registry_does_not_know_is_refused_as_a_reading():
    validator = stages(gone=lambda _: False)[0]
    validator.open(0, None)
    result = validator.process(raw_records())
    assert result.counts["rejected"] == 1
    assert GONE.asset_id.encode() in validator.dump(0)
    assert not any(output.key == REMOVAL_KEY for output in result.outputs)


def test_forged_removals_do_not_stall_the_stream():
    patience = []

    class Registry:
        def knows_removal(self, _asset_id, _mark, patience_s):
            patience.append(patience_s)
            return False

    removals = Removals(Registry(), StillClock())
    assert not any(removals.are_true(REMOVAL) for _ in range(3))
    assert patience == [1.0, 0.0, 0.0]
