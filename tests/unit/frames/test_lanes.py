"""Processing partitions together, in any portions, comes to the very same as processing each by itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.twin.settings import TwinSettings
from forewarn.ports.lanes import Lanes, Output, Record, StaleSnapshot
from forewarn_anomaly.lane import AnomalyConfig, AnomalyLanes
from forewarn_twin.lane import TwinLanes
from forewarn_validator.lane import ValidatorLanes
from support.plant import PUMPS, pump_messages
from support.wire import by_partition, rows_of

CATALOGUE = load_catalogue()
ASSETS = {asset.asset_id: asset for asset in PUMPS[:5]}
SPREAD = PUMPS[0].asset_id  # a careless producer writes its readings to two partitions
START_US = 1_790_000_000_000_000
ROUNDS = 150
PARTITIONS = (0, 1, 2)


@dataclass(frozen=True)
class Stage:
    """One processor, what it writes, and the records it is given."""

    make: Callable[[], Lanes]
    topic: TopicName
    kind: FrameKind


STAGES = {
    "validator": Stage(
        lambda: ValidatorLanes(CATALOGUE, find_asset=ASSETS.get, settings=GuardSettings()),
        TopicName.READINGS_VALID,
        FrameKind.VALID,
    ),
    "twin": Stage(
        lambda: TwinLanes(CATALOGUE, TwinSettings(baseline_readings=60)), TopicName.TWIN_STATES, FrameKind.TWIN
    ),
    "anomaly": Stage(
        lambda: AnomalyLanes(
            AnomalyConfig(catalogue=CATALOGUE, settings=AnomalySettings(), members=("zscore",)),
        ),
        TopicName.ANOMALY_SCORES,
        FrameKind.ANOMALY,
    ),
}


def raw_records() -> list[Record]:
    """Readings of five pumps in three partitions, with junk, late and doubled ones and a gap."""
    records = []
    for number, message in enumerate(pump_messages(ROUNDS, assets=PUMPS[:5], start_us=START_US)):
        round_, place = divmod(number, 5)
        partition = place % 3
        if message.key == SPREAD.encode() and round_ % 2 == 0:
            partition = 2
        value = b"junk" if number % 97 == 5 else message.value
        records += [_record(partition, number, value, message.key)] * (2 if number % 41 == 3 else 1)
    return [record._replace(offset=offset) for offset, record in enumerate(records)]


def _record(partition: int, offset: int, value: bytes | None, key: bytes | None = None) -> Record:
    received_us = START_US + 3_600_000_000
    return Record(topic="t", partition=partition, offset=offset, received_us=received_us, key=key, value=value)


def opened(stage: Stage, partitions: Iterable[int] = PARTITIONS) -> Lanes:
    lanes = stage.make()
    for partition in partitions:
        lanes.open(partition, None)
    return lanes


def run(lanes: Lanes, records: Sequence[Record], cuts: Iterable[int] = ()) -> list[Output]:
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(records)}), len(records)]
    return [output for start, stop in pairwise(edges) for output in lanes.process(records[start:stop]).outputs]


@pytest.fixture(scope="module")
def sources() -> dict[str, list[Record]]:
    """What each stage reads: raw readings, then what the stage before makes of them in small portions."""
    found, records = {}, raw_records()
    for name, stage in STAGES.items():
        found[name] = records
        outputs = run(opened(stage), records, range(0, len(records), 11))
        frames = [output for output in outputs if output.topic is stage.topic]
        records = [_record(output.partition, offset, output.value) for offset, output in enumerate(frames)]
        records.insert(len(records) // 2, _record(1, len(records), b"junk"))
    return found


@pytest.fixture(scope="module")
def alone(sources) -> dict[str, dict[int, tuple[Mapping[object, object], bytes]]]:
    """What comes of each partition when nothing else is there."""
    found: dict[str, dict[int, tuple[Mapping[object, object], bytes]]] = {}
    for name, stage in STAGES.items():
        found[name] = {}
        for partition, own in by_partition(sources[name]).items():
            lanes = opened(stage, [partition])
            found[name][partition] = content(stage, run(lanes, own), partition), lanes.dump(partition)
    return found


def content(stage: Stage, outputs: Sequence[Output], partition: int) -> Mapping[object, object]:
    """Rows and other messages of a partition in a form that can be compared."""
    frames = [o.value for o in outputs if o.topic is stage.topic and o.partition == partition]
    rows = rows_of(frames, stage.kind, CATALOGUE)
    assert rows.duplicated == []
    return rows.values


def others(stage: Stage, outputs: Sequence[Output]) -> list[tuple[bytes | None, bytes]]:
    """Rejections and model cards."""
    return sorted((o.key or b"", o.value) for o in outputs if o.topic is not stage.topic)


def interleaved(records: Sequence[Record], seed: int) -> list[Record]:
    """Partitions mixed at random, records of each in order."""
    own = {partition: iter(part) for partition, part in by_partition(records).items()}
    order = np.random.default_rng(seed).permutation([record.partition for record in records])
    return [next(own[int(partition)]) for partition in order]


@pytest.mark.parametrize("name", STAGES)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(1, 700), max_size=25))
@settings(max_examples=12, deadline=None)
def test_partitions_together_in_any_portions_come_to_the_same_as_each_alone(name, sources, alone, seed, cuts):
    stage, records = STAGES[name], interleaved(sources[name], seed)
    lanes = opened(stage)
    outputs = run(lanes, records, cuts)
    for partition, (rows, state) in alone[name].items():
        assert content(stage, outputs, partition) == rows
        assert lanes.dump(partition) == state


@pytest.mark.parametrize("name", STAGES)
@given(seed=st.integers(0, 10_000), handed_over=st.sampled_from(PARTITIONS))
@settings(max_examples=6, deadline=None)
def test_a_partition_that_moves_to_another_process_takes_its_state_along_and_no_more(
    name, sources, alone, seed, handed_over
):
    stage, records = STAGES[name], interleaved(sources[name], seed)
    half = len(records) // 2
    first, second = opened(stage), opened(stage, [])
    outputs = run(first, records[:half])
    second.open(handed_over, first.dump(handed_over))
    first.close(handed_over)
    outputs += run(first, [r for r in records[half:] if r.partition != handed_over])
    outputs += run(second, [r for r in records[half:] if r.partition == handed_over])
    for partition, (rows, state) in alone[name].items():
        assert content(stage, outputs, partition) == rows
        assert (second if partition == handed_over else first).dump(partition) == state
    assert first.dump(handed_over) == opened(stage, [handed_over]).dump(handed_over)


@pytest.mark.parametrize("name", STAGES)
def test_a_partition_replayed_beside_living_ones_is_what_it_was(name, sources, alone):
    stage, records = STAGES[name], sources[name]
    lanes = opened(stage)
    run(lanes, records)
    lanes.close(1)
    lanes.open(1, None)
    run(lanes, by_partition(records)[1], range(0, len(records), 7))
    assert {partition: lanes.dump(partition) for partition in PARTITIONS} == {
        partition: state for partition, (_, state) in alone[name].items()
    }


@pytest.mark.parametrize("name", STAGES)
def test_a_lane_opened_again_is_begun_anew(name, sources, alone):
    stage = STAGES[name]
    lanes = opened(stage)
    run(lanes, sources[name])
    lanes.open(0, lanes.dump(0))
    lanes.open(2, None)
    assert lanes.dump(0) == alone[name][0][1]
    assert lanes.dump(1) == alone[name][1][1]
    assert lanes.dump(2) == opened(stage, [2]).dump(2)


@pytest.mark.parametrize("name", STAGES)
def test_what_is_no_frame_or_reading_becomes_a_dead_letter_once(name, sources):
    stage, records = STAGES[name], sources[name]
    together = others(stage, run(opened(stage), interleaved(records, 3), [100, 101, 250]))
    apart = [other for p, own in by_partition(records).items() for other in others(stage, run(opened(stage, [p]), own))]
    assert together == sorted(apart)
    assert any(b"junk" in value or b"anVuaw" in value for _, value in together)


@pytest.mark.parametrize("name", STAGES)
def test_bytes_that_are_no_snapshot_are_stale_and_leave_the_lane_closed(name):
    lanes = STAGES[name].make()
    with pytest.raises(StaleSnapshot):
        lanes.open(0, b"something else")
    lanes.open(0, None)
    assert lanes.dump(0) == opened(STAGES[name], [0]).dump(0)


def test_the_material_of_these_tests_is_scored_and_holds_an_asset_in_two_partitions(alone):
    rows = {partition: found for partition, (found, _) in alone["anomaly"].items()}
    assert all(len(found) > 100 for found in rows.values())
    assert {SPREAD} == {asset for asset, _ in rows[0]} & {asset for asset, _ in rows[2]}


@pytest.mark.parametrize("name", ["twin", "anomaly"])
def test_a_turn_in_which_many_machines_learn_gives_signs_of_life(name, sources):
    signs: list[None] = []
    opened(STAGES[name]).process(sources[name], lambda: signs.append(None))
    assert len(signs) >= len(ASSETS)
