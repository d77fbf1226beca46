"""The three frame processors as the fault tests see them: what goes in, how to recompute what comes out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings
from forewarn.ports.lanes import LaneFactory, Record
from forewarn_validator.lane import ValidatorLanes
from support.plant import PUMPS, pump_messages
from support.wire import Message

CATALOGUE = load_catalogue()
ASSETS = {asset.asset_id: asset for asset in PUMPS}
LANES = 12


@dataclass(frozen=True, kw_only=True)
class Processor:
    """One service under test."""

    service: str
    source: TopicName
    checkpoint: TopicName
    output: TopicName
    kind: FrameKind
    factory: LaneFactory
    feed: Callable[[int], Iterable[Message]]
    per_second: float

    @property
    def module(self) -> str:
        return f"forewarn_{self.service}"


def _validator_lanes() -> LaneFactory:
    return ValidatorLanes(CATALOGUE, find_asset=ASSETS.get, nameplates=dict, settings=GuardSettings())


def _frames(rounds: int, upstream: Iterable[tuple[TopicName, LaneFactory]]) -> Iterator[Message]:
    """What the stages before a processor make of raw readings, as messages for its source topic."""
    lanes: dict[int, list[Record]] = {p: [] for p in range(LANES)}
    place = {asset.asset_id.encode(): n % LANES for n, asset in enumerate(PUMPS)}
    for offset, message in enumerate(pump_messages(rounds)):
        partition = place[message.key]
        lanes[partition].append(_record(partition, offset, message.value))
    for topic, factory in upstream:
        lanes = {p: _through(factory, p, records, topic) for p, records in lanes.items()}
    longest = max(len(records) for records in lanes.values())
    for turn in range(longest):
        for partition, records in lanes.items():
            if turn < len(records):
                yield Message(key=None, value=records[turn].value, partition=partition)


def _through(factory: LaneFactory, partition: int, records: list[Record], topic: TopicName) -> list[Record]:
    lane = factory(partition, None)
    values: list[bytes] = []
    for start in range(0, len(records), 20):
        values += [o.value for o in lane.process(records[start : start + 20]).outputs if o.topic is topic]
    return [_record(partition, offset, value) for offset, value in enumerate(values)]


def _record(partition: int, offset: int, value: bytes | None) -> Record:
    asset = next((a for a in PUMPS if value and a.asset_id.encode() in value[:60]), None)
    received_us = 1_800_000_000_000_000
    key = asset.asset_id.encode() if asset else None
    return Record(topic="t", partition=partition, offset=offset, received_us=received_us, key=key, value=value)


VALIDATOR = Processor(
    service="validator",
    source=TopicName.READINGS_RAW,
    checkpoint=TopicName.VALIDATOR_CHECKPOINT,
    output=TopicName.READINGS_VALID,
    kind=FrameKind.VALID,
    factory=_validator_lanes(),
    feed=pump_messages,
    per_second=4000,
)

PROCESSORS = (VALIDATOR,)
