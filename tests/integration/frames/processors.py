"""The three frame processors as the fault tests see them: what goes in, how to recompute what comes out."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.twin.settings import TwinSettings
from forewarn.ports.lanes import Lanes, Record
from forewarn_anomaly.lane import AnomalyConfig, AnomalyLanes
from forewarn_twin.lane import TwinLanes
from forewarn_validator.lane import ValidatorLanes
from support.plant import PUMPS, pump_messages
from support.wire import Message

CATALOGUE = load_catalogue()
ASSETS = {asset.asset_id: asset for asset in PUMPS}
LANES = 12
ENDLESS = 100_000  # rounds: the tests stop the feed
ROUNDS_A_FRAME = 5
BASELINE = 200  # readings: learned well before the feed ends


@dataclass(frozen=True, kw_only=True)
class Processor:
    """One service under test."""

    service: str
    source: TopicName
    checkpoint: TopicName
    output: TopicName
    kind: FrameKind
    make_lanes: Callable[[], Lanes]
    feed: Callable[[], Iterable[Message]]
    per_second: float

    @property
    def module(self) -> str:
        return f"forewarn_{self.service}"


def _validator() -> Lanes:
    return ValidatorLanes(CATALOGUE, find_asset=ASSETS.get, settings=GuardSettings())


def _frames(upstream: Sequence[tuple[TopicName, Callable[[], Lanes]]]) -> Iterator[Message]:
    """What the stages before a processor make of raw readings, as messages for its source topic."""
    place = {asset.asset_id.encode(): n % LANES for n, asset in enumerate(PUMPS)}
    stages = [(topic, make_lanes()) for topic, make_lanes in upstream]
    for _, lanes in stages:
        for partition in range(LANES):
            lanes.open(partition, None)
    readings = pump_messages(ENDLESS)
    for offset in itertools.count():
        raw = itertools.islice(readings, ROUNDS_A_FRAME * len(PUMPS))
        records = [_record(place[message.key], offset, message.value, message.key) for message in raw]
        for topic, lanes in stages:
            outputs = lanes.process(records).outputs
            records = [_record(o.partition, offset, o.value) for o in outputs if o.topic is topic]
        yield from (Message(key=None, value=record.value, partition=record.partition) for record in records)


def _record(partition: int, offset: int, value: bytes | None, key: bytes | None = None) -> Record:
    received_us = int(time.time() * 1e6)
    return Record(topic="made", partition=partition, offset=offset, received_us=received_us, key=key, value=value)


def _twin() -> Lanes:
    return TwinLanes(CATALOGUE, TwinSettings(baseline_readings=BASELINE))


def _anomaly() -> Lanes:
    return AnomalyLanes(AnomalyConfig(catalogue=CATALOGUE, settings=AnomalySettings()))


_VALID = (TopicName.READINGS_VALID, _validator)
_TWIN = (TopicName.TWIN_STATES, _twin)

VALIDATOR = Processor(
    service="validator",
    source=TopicName.READINGS_RAW,
    checkpoint=TopicName.VALIDATOR_CHECKPOINT,
    output=TopicName.READINGS_VALID,
    kind=FrameKind.VALID,
    make_lanes=_validator,
    feed=lambda: pump_messages(ENDLESS),
    per_second=2_000,
)
TWIN = Processor(
    service="twin",
    source=TopicName.READINGS_VALID,
    checkpoint=TopicName.TWIN_CHECKPOINT,
    output=TopicName.TWIN_STATES,
    kind=FrameKind.TWIN,
    make_lanes=_twin,
    feed=lambda: _frames([_VALID]),
    per_second=120,
)
ANOMALY = Processor(
    service="anomaly",
    source=TopicName.TWIN_STATES,
    checkpoint=TopicName.ANOMALY_CHECKPOINT,
    output=TopicName.ANOMALY_SCORES,
    kind=FrameKind.ANOMALY,
    make_lanes=_anomaly,
    feed=lambda: _frames([_VALID, _TWIN]),
    per_second=120,
)
PROCESSORS = (VALIDATOR, TWIN, ANOMALY)
