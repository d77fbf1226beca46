"""The anomaly service's lane: detectors beside the residual score survive snapshots and change nothing else."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import decode_frame
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.frames.frame import concat
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.twin.settings import TwinSettings
from forewarn.ports.lanes import Record, StaleSnapshot
from forewarn_anomaly.lane import AnomalyConfig, AnomalyLanes
from forewarn_twin.lane import TwinLanes
from forewarn_validator.lane import ValidatorLanes
from support.plant import PUMPS, pump_messages

CATALOGUE = load_catalogue()
ASSETS = {asset.asset_id: asset for asset in PUMPS[:3]}


def record(offset: int, value: bytes | None, key: bytes | None = None) -> Record:
    received_us = 1_800_000_000_000_000
    return Record(topic="t", partition=0, offset=offset, received_us=received_us, key=key, value=value)


def opened(lanes, snapshot: bytes | None = None):
    lanes.open(0, snapshot)
    return lanes


def through(lanes, records: list[Record], topic: TopicName, batch: int) -> list[Record]:
    lane = opened(lanes)
    starts = range(0, len(records), batch)
    outputs = [o for start in starts for o in lane.process(records[start : start + batch]).outputs]
    return [record(offset, o.value) for offset, o in enumerate(outputs) if o.topic is topic]


@pytest.fixture(scope="module")
def twin_states() -> list[Record]:
    """Twin states of three healthy pumps: 200 readings of baseline, 100 live."""
    begin_us = 1_800_000_000_000_000 - 3_600_000_000
    messages = pump_messages(300, assets=PUMPS[:3], start_us=begin_us)
    raw = [record(offset, message.value, message.key) for offset, message in enumerate(messages)]
    guard = ValidatorLanes(CATALOGUE, find_asset=ASSETS.get, settings=GuardSettings())
    valid = through(guard, raw, TopicName.READINGS_VALID, batch=30)
    return through(TwinLanes(CATALOGUE, TwinSettings(baseline_readings=200)), valid, TopicName.TWIN_STATES, batch=1)


def lanes(*members: str) -> AnomalyLanes:
    return AnomalyLanes(AnomalyConfig(catalogue=CATALOGUE, settings=AnomalySettings(), members=members))


def scored(outputs):
    return concat([decode_frame(o.value, CATALOGUE, FrameKind.ANOMALY) for o in outputs])


def test_a_snapshot_in_mid_stream_changes_nothing(twin_states):
    straight, cut = opened(lanes("zscore")), opened(lanes("zscore"))
    half = len(twin_states) - 4
    expected = scored(straight.process(twin_states).outputs)

    before = cut.process(twin_states[:half]).outputs
    restored = opened(lanes("zscore"), cut.dump(0))
    found = scored([*before, *restored.process(twin_states[half:]).outputs])

    assert restored.dump(0) == straight.dump(0)
    order = [np.lexsort((f.arrays["ts"], f.assets.to_list())) for f in (expected, found)]
    for name in ("score", "p_value", "flag"):
        assert np.array_equal(
            expected.arrays[name][order[0]], found.arrays[name][order[1]], equal_nan=name != "flag"
        ), name


def test_a_member_has_its_say_in_the_p_value_of_live_readings(twin_states):
    alone = scored(opened(lanes()).process(twin_states).outputs)
    together = scored(opened(lanes("zscore")).process(twin_states).outputs)

    live = alone.arrays["phase"] == 1
    assert live.sum() >= 250
    assert not np.array_equal(alone.arrays["p_value"][live], together.arrays["p_value"][live], equal_nan=True)
    assert np.array_equal(alone.arrays["p_value"][~live], together.arrays["p_value"][~live], equal_nan=True)


def test_a_snapshot_of_other_members_is_stale(twin_states):
    lane = opened(lanes("zscore"))
    lane.process(twin_states)

    with pytest.raises(StaleSnapshot, match="zscore"):
        lanes("zscore", "adwin").open(0, lane.dump(0))


def test_bytes_that_are_no_snapshot_are_stale():
    with pytest.raises(StaleSnapshot):
        lanes().open(0, b"something else")
