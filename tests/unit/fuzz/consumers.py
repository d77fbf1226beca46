"""Every consumer of every topic, fed with poison between good messages.

Each function takes poisonous messages of its topic and checks that only declared refusals leave, that what leaves can
be read by the next consumer, and that the neighbours pass as if the poison had not been there.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from unittest.mock import patch

import numpy as np
from prometheus_client import REGISTRY
from pydantic import TypeAdapter

from forewarn.adapters.baseline_orders import ORDER_KEY
from forewarn.adapters.event_codec import Envelope, decode_event, encode_event, topic_headers
from forewarn.adapters.faust.publisher import Outgoing
from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.kafka.command_group import everything_of
from forewarn.adapters.kafka.registry import change_of
from forewarn.adapters.kafka.snapshots import LaneSnapshot, SnapshotAssembly
from forewarn.adapters.live.feed import KafkaLiveFeed
from forewarn.adapters.plant_document import SimulatedSource
from forewarn.adapters.timescale.copy_binary import encode_frame_rows
from forewarn.adapters.timescale.event_rows import rows_of_event
from forewarn.adapters.timescale.tables import wide_table
from forewarn.contracts.assets import Asset, Command
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.topics import TOPICS, TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.frames.frame import Frame
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.health.asset import judge
from forewarn.domain.twin.settings import TwinSettings
from forewarn.ports.lanes import Lanes, Output, Record, StaleSnapshot
from forewarn.runtime.event_service import EventContext, EventLogic
from forewarn.runtime.metrics import EventMetrics
from forewarn.testing.examples import content
from forewarn.testing.fakes import FakePlatform, StillClock
from forewarn.testing.mutations import Message, damaged_bytes
from forewarn_alerting.app import AlertingLogic
from forewarn_anomaly.lane import AnomalyConfig, AnomalyLanes
from forewarn_api.present import latest_state, live_reading
from forewarn_api.twin_commands import TwinCommandHandler
from forewarn_health.app import HealthLogic
from forewarn_health.foresight import Foresight
from forewarn_health.pacing import Pacing
from forewarn_health.profiles import Profiles
from forewarn_health.state import AssetState, observe
from forewarn_simulator.fleet import SimulatedFleet
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.reading import encode_reading
from forewarn_simulator.registration import registered_times
from forewarn_sink.decoding import ItemDecoder
from forewarn_twin.lane import TwinLanes
from forewarn_validator.lane import ValidatorLanes
from unit.forecast.cases import simple_tune
from unit.fuzz.corpus import CATALOGUE, METRICS, NOW, NOW_US, POISON_ASSETS, PUMP, frame_of, messages, seeds

NEIGHBOUR = "N-1"
ASSETS = {
    name: Asset(asset_id=name, asset_class=PUMP.name, name=name, nameplate={"rated_power_kw": 45.0})
    for name in (*POISON_ASSETS, NEIGHBOUR)
}
_CHUNK = 250

Feed = Callable[[TopicName, Iterable[Message]], None]


def _chunks(messages: Iterable[Message]) -> Iterator[list[Message]]:
    iterator = iter(messages)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _record(topic: TopicName, number: int, message: Message, partition: int = 0) -> Record:
    return Record(topic.value, partition, number, NOW_US, message.key, message.value)


def _mixed(poison: Sequence[Record], good: Sequence[Record]) -> list[Record]:
    """Good records spread among the poison, each in its order."""
    every = max(len(poison) // (len(good) + 1), 1)
    mixed: list[Record] = []
    rest = list(good)
    for number, record in enumerate(poison):
        mixed.append(record)
        if rest and number % every == every - 1:
            mixed.append(rest.pop(0))
    return mixed + rest


# --- validator, twin, anomaly -------------------------------------------------------------------


def _good_reading(number: int) -> Message:
    ts = (NOW - timedelta(hours=2) + timedelta(seconds=number)).isoformat()
    return Message(NEIGHBOUR.encode(), json.dumps({"asset_id": NEIGHBOUR, "ts": ts, "metrics": METRICS}).encode())


def _good_frame(kind: FrameKind) -> Callable[[int], Message]:
    return lambda number: Message(b"1", encode_frame(frame_of(kind, NEIGHBOUR, 10, start_s=10.0 * number)))


def _feed_lanes(make: Callable[[], Lanes], good: Callable[[int], Message], most_outputs: int = 10_000) -> Feed:
    def feed(topic: TopicName, poison: Iterable[Message]) -> None:
        lanes, control = make(), make()
        for each in (lanes, control):
            each.open(0, None)
            each.open(1, None)
        offset = 0
        for turn, chunk in enumerate(_chunks(poison)):
            bad = [_record(topic, offset + n, message) for n, message in enumerate(chunk)]
            neighbours = [_record(topic, turn * 3 + n, good(turn * 3 + n), partition=1) for n in range(3)]
            offset += len(chunk)
            outputs = lanes.process(_mixed(bad, neighbours)).outputs
            assert len(outputs) < most_outputs
            assert _of_neighbour(outputs) == _of_neighbour(control.process(neighbours).outputs)
            _check_outputs(outputs)
            lanes.dump(0)
        assert lanes.dump(1) == control.dump(1)

    return feed


def _of_neighbour(outputs: Sequence[Output]) -> Mapping[str, list[object]]:
    """Rows of the neighbours' partition; how they are cut into frames may depend on what came between."""
    rows: dict[str, list[object]] = defaultdict(list)
    for output in outputs:
        if output.partition == 1:
            kind = TOPICS[output.topic].content
            assert isinstance(kind, FrameKind)
            for name, values in content(decode_frame(output.value or b"", CATALOGUE, kind)).items():
                rows[name] += values
    return rows


def _check_outputs(outputs: Sequence[Output]) -> None:
    for output in outputs:
        topic = TOPICS[output.topic]
        if output.value is None:
            continue
        assert len(output.value) <= topic.max_message_bytes
        if isinstance(topic.content, FrameKind):
            decode_frame(output.value, CATALOGUE, topic.content)
        elif topic.content is not None:
            decode_event(topic.content, output.value)


def validator() -> Lanes:
    return ValidatorLanes(
        CATALOGUE,
        find_asset=ASSETS.get,
        settings=GuardSettings(),
    )


def twin() -> Lanes:
    return TwinLanes(CATALOGUE, TwinSettings(baseline_readings=60))


def anomaly() -> Lanes:
    return AnomalyLanes(AnomalyConfig(catalogue=CATALOGUE, settings=AnomalySettings()))


def snapshots(topic: TopicName, count: int) -> Iterator[Message]:
    """Damaged snapshots of a processor that has seen good and bad messages, always the same ones."""
    make, source = _SNAPSHOTS[topic]
    lanes = make()
    lanes.open(0, None)
    seen = [*seeds(source), *islice(messages(source, 300), 300)]
    whole = []
    for chunk in _chunks(seen):
        lanes.process([_record(source, number, message) for number, message in enumerate(chunk)])
        whole += [Message(*message) for message in LaneSnapshot(next_offset=7, state=lanes.dump(0)).messages(0)]
    return islice(damaged_bytes(whole, np.random.default_rng([1, list(TopicName).index(topic)])), count)


def feed_snapshots(make: Callable[[], Lanes]) -> Feed:
    """What a processor wrote itself, damaged: read, or declared stale."""

    def feed(_topic: TopicName, poison: Iterable[Message]) -> None:
        for message in poison:
            assembly = SnapshotAssembly()
            assembly.take(message.value)
            if assembly.newest is None:
                continue
            lanes = make()
            try:
                lanes.open(0, assembly.newest.state)
            except StaleSnapshot:
                lanes.open(0, None)

    return feed


_SNAPSHOTS: Mapping[TopicName, tuple[Callable[[], Lanes], TopicName]] = {
    TopicName.VALIDATOR_CHECKPOINT: (validator, TopicName.READINGS_RAW),
    TopicName.TWIN_CHECKPOINT: (twin, TopicName.READINGS_VALID),
    TopicName.ANOMALY_CHECKPOINT: (anomaly, TopicName.TWIN_STATES),
}


# --- health, alerting ---------------------------------------------------------------------------


@dataclass
class _Engine:
    """States in memory; whatever is stored must fit into a message and be readable again."""

    codec: TypeAdapter
    states: dict = field(default_factory=dict)
    partitions: dict = field(default_factory=dict)
    dirty: set = field(default_factory=set)

    def put(self, asset_id, state, partition):
        self.states[asset_id] = state
        self.partitions[asset_id] = partition
        self.dirty.add(asset_id)

    def partition_of(self, asset_id):
        return self.partitions[asset_id]

    def remove(self, asset_id):
        self.states.pop(asset_id, None)
        self.dirty.discard(asset_id)

    async def store(self, asset_ids):
        for asset_id in asset_ids:
            data = self.codec.dump_json(self.states[asset_id])
            assert len(data) < TOPICS[TopicName.ASSETS].max_message_bytes
            self.codec.validate_json(data)
            self.dirty.discard(asset_id)


@dataclass
class _Publisher:
    sent: list = field(default_factory=list)

    async def send(self, item: Outgoing):
        if item.event is not None:
            envelope = Envelope(id=item.event_id, source="/fuzz", time=item.at, partition_key=item.key)
            topic_headers(item.topic, item.event, envelope)
            value = encode_event(item.event)
            assert len(value) <= TOPICS[item.topic].max_message_bytes
            decode_event(type(item.event), value)
        self.sent.append(item)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@contextmanager
def _own_metrics() -> Iterator[None]:
    """Counters are global; a second service in one process needs them again."""
    before = set(REGISTRY._collector_to_names)
    try:
        yield
    finally:
        for collector in set(REGISTRY._collector_to_names) - before:
            REGISTRY.unregister(collector)


@dataclass
class Plane:
    """One service of the event plane, in memory."""

    state: type
    logic: Callable[[EventContext], EventLogic]

    def make(self):
        self.engine, self.publisher = _Engine(TypeAdapter(self.state)), _Publisher()
        with _own_metrics():
            context = EventContext(
                engine=self.engine, publisher=self.publisher, clock=StillClock(NOW), metrics=EventMetrics()
            )
            self.service = self.logic(context)
        return self

    async def take(self, topic: TopicName, batch: Sequence[Record]) -> None:
        await self.service.handlers[topic](batch)

    async def end_turn(self) -> None:
        for _, action in self.service.timers:
            await action()
        await self.engine.store(list(self.engine.dirty))

    def of(self, asset_id: str):
        """What this service holds and has said of an asset."""
        said = [item for item in self.publisher.sent if item.key.startswith(asset_id)]
        return self.engine.states.get(asset_id), said


def health() -> Plane:
    def logic(context):
        foresight = Foresight(_Simple(), CATALOGUE, 0.0)
        return HealthLogic(context, CATALOGUE, Profiles(ASSETS.get), Pacing(0.0, 0.0), foresight)

    return Plane(AssetState, logic).make()


class _Simple:
    tune = staticmethod(simple_tune)


def alerting() -> Plane:
    from forewarn.domain.alarms.asset import AssetAlarms

    return Plane(AssetAlarms, lambda context: AlertingLogic(context, CATALOGUE)).make()


def _feed_plane(make: Callable[[], Plane], good: Callable[[int], Message]) -> Feed:
    def feed(topic: TopicName, poison: Iterable[Message]) -> None:
        asyncio.run(_taken(make(), make(), good, topic, poison))

    return feed


async def _taken(
    plane: Plane, control: Plane, good: Callable[[int], Message], topic: TopicName, poison: Iterable[Message]
) -> None:
    offset = 0
    alarm = _alarming_frame()
    for each in (plane, control):
        if TopicName.READINGS_VALID in each.service.handlers:
            await each.take(TopicName.READINGS_VALID, [_record(TopicName.READINGS_VALID, 0, alarm, 1)])
    for turn, chunk in enumerate(_chunks(poison)):
        bad = [_record(topic, offset + n, message) for n, message in enumerate(chunk)]
        neighbours = [_record(topic, turn * 3 + n, good(turn * 3 + n), partition=1) for n in range(3)]
        offset += len(chunk)
        await plane.take(topic, _mixed(bad, neighbours))
        await plane.end_turn()
        await control.take(topic, neighbours)
        await control.end_turn()
    (state, said), expected = plane.of(NEIGHBOUR), control.of(NEIGHBOUR)
    assert (state, said) == expected
    assert state is not None
    assert offset


def _alarming_frame() -> Message:
    frame = frame_of(FrameKind.VALID, NEIGHBOUR, 600, start_s=-700.0)
    frame.arrays["vibration_mm_s"][:] = 30.0
    return Message(b"1", encode_frame(frame))


def _good_health(number: int) -> Message:
    document = json.loads(seeds(TopicName.ASSET_HEALTH)[0].value)
    ts = (NOW + timedelta(seconds=number)).isoformat()
    return Message(NEIGHBOUR.encode(), json.dumps({**document, "asset_id": NEIGHBOUR, "ts": ts}).encode())


def _good_command(number: int) -> Message:
    document = json.loads(seeds(TopicName.COMMANDS)[0].value)
    body = {**document["body"], "alarm_id": f"{NEIGHBOUR}/vibration_high", "occurrence_id": str(number)}
    return Message(NEIGHBOUR.encode(), json.dumps({**document, "asset_id": NEIGHBOUR, "body": body}).encode())


# --- sink ---------------------------------------------------------------------------------------


def feed_sink(topic: TopicName, poison: Iterable[Message]) -> None:
    """What the sink would send to the database, short of sending it."""
    decoder = ItemDecoder(CATALOGUE, "")
    good = seeds(topic)[0]
    for number, message in enumerate(poison):
        content = decoder.decode(_record(topic, number, message)).content
        _pack(content)
        if number % 50 == 0:
            neighbour = decoder.decode(_record(topic, number, good)).content
            assert topic is TopicName.READINGS_REJECTED or not isinstance(neighbour, RejectedReading)


def _pack(content) -> None:
    if isinstance(content, Frame):
        keys = np.zeros(len(content.assets.categories), dtype=np.int32)
        for _ in encode_frame_rows(content, wide_table(content.kind, content.asset_class).columns, keys):
            pass
    elif content is not None:
        rows_of_event(content, {getattr(content, "asset_id", ""): 1})


# --- api ----------------------------------------------------------------------------------------


def feed_live(topic: TopicName, poison: Iterable[Message]) -> None:
    """The live view, read by the routes after every batch."""
    with patch("forewarn.adapters.live.feed.TopicFollower"):  # nothing is followed: records are handed over here
        feed = KafkaLiveFeed("", "", CATALOGUE, client_id="fuzz", clock=StillClock(NOW))
    good = [_renamed(topic, message) for message in seeds(topic) if message.key != ORDER_KEY]
    version = 0
    for chunk in _chunks(poison):
        records = [_record(topic, number, message) for number, message in enumerate(chunk)]
        neighbours = [_record(topic, number, message, partition=1) for number, message in enumerate(good)]
        feed._take(_mixed(records, neighbours))
        version, before = feed.view.version, version
        for asset_id in feed.view.changed_since(before):
            _show(feed.view, asset_id)
        [model.model_dump_json() for model in feed.view.models()]
        [alarm.model_dump_json() for alarm in feed.view.alarms()]
        feed.view.newest()
        shown = feed.view.asset(NEIGHBOUR)
        assert feed.view.model(NEIGHBOUR, "twin") if topic is TopicName.MODELS else shown is not None


def _renamed(topic: TopicName, message: Message) -> Message:
    """A good message about the neighbour."""
    content = TOPICS[topic].content
    value, key = message.value or b"", message.key or b""
    if isinstance(content, FrameKind):
        return Message(key, encode_frame(frame_of(content, NEIGHBOUR, 2)))
    old = key.partition(b"/")[0]
    return Message(key.replace(old, NEIGHBOUR.encode()), value.replace(old, NEIGHBOUR.encode()))


def _show(view, asset_id: str) -> None:
    live = view.asset(asset_id)
    card = view.model(asset_id, "twin") or next(iter(view.models()), None)
    reading = live_reading(live, card)
    if reading is not None:
        reading.model_dump_json()
    asset = Asset(asset_id="any", asset_class=PUMP.name, name="any")
    asset_class = CATALOGUE.get(live.asset_class or "", PUMP)
    latest_state(asset, asset_class, live, card, NOW).model_dump_json()


def feed_twin_commands(topic: TopicName, poison: Iterable[Message]) -> None:
    """Commands to twins."""
    platform = FakePlatform()
    asyncio.run(_with_handler(platform, topic, list(poison)))


class _Basket:
    def __init__(self, commands):
        self.waiting = commands
        self.finished = False

    def take(self, timeout_s):
        taken, self.waiting = self.waiting[:100], self.waiting[100:]
        return taken

    def done(self):
        self.finished = not self.waiting

    def close(self):
        pass


async def _with_handler(platform: FakePlatform, topic: TopicName, poison: Sequence[Message]) -> None:
    good = next(message for message in seeds(topic) if b"what_if" in (message.value or b""))
    good = Message(good.key, json.dumps({**json.loads(good.value), "command_id": "neighbour"}).encode())
    basket = _Basket(everything_of([_record(topic, n, message) for n, message in enumerate((*poison, good))]))
    async with TwinCommandHandler(platform.backend, basket) as handler:
        async with asyncio.timeout(60):
            while not basket.finished:
                assert handler.failure() is None
                await asyncio.sleep(0.005)
    answered = [event.command_id for said, _, event in platform.delivery.events if said is TopicName.COMMANDS_ANSWERS]
    assert answered[-1] == "neighbour"


# --- simulator ----------------------------------------------------------------------------------


def feed_simulator(topic: TopicName, poison: Iterable[Message]) -> None:
    """Faults and scenarios; the neighbour's readings do not change."""
    start_s = datetime.fromisoformat("2026-11-20T19:00:00+00:00").timestamp()  # when the examples were issued
    fleet, control = SimulatedFleet(CATALOGUE, start_s), SimulatedFleet(CATALOGUE, start_s)
    for each in (fleet, control):
        each.add(NEIGHBOUR, _machine(NEIGHBOUR, start_s), start_s, is_new=False)
    fleet.add(POISON_ASSETS[0], _machine(POISON_ASSETS[0], start_s), start_s, is_new=False)
    sent, expected = [], []
    now_s = start_s
    for chunk in _chunks(poison):
        for command in everything_of([_record(topic, number, message) for number, message in enumerate(chunk)]):
            if isinstance(command, Command):
                fleet.obey(command, now_s)
        for _ in range(4):
            now_s += 1.0
            readings = list(fleet.due(now_s))
            [encode_reading(reading, 1) for reading in readings]
            sent += [reading for reading in readings if reading.asset_id == NEIGHBOUR]
            expected += list(control.due(now_s))
    assert sent == expected


def _machine(asset_id: str, start_s: float) -> SimulatedMachine:
    return SimulatedMachine(
        asset_id, PUMP.name, SimulatedSource(), interval_s=1.0, registered_s=start_s, start_s=start_s
    )


# --- asset registry -----------------------------------------------------------------------------


class _FromBroker:
    """A message as the client library hands it over."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def key(self):
        return self._message.key

    def value(self):
        return self._message.value

    def headers(self):
        return None


def _registered(poison: Iterable[Message]) -> Iterator[Mapping[str, Asset]]:
    known: dict[str, Asset | None] = {}
    good = Message(NEIGHBOUR.encode(), encode_event(ASSETS[NEIGHBOUR]))
    for chunk in _chunks(poison):
        for message in (*chunk, good):
            if (change := change_of(_FromBroker(message))) is not None:
                known[change.asset_id] = change.asset
        assets = {name: asset for name, asset in known.items() if asset is not None}
        assert assets[NEIGHBOUR] == ASSETS[NEIGHBOUR]
        yield assets


def feed_registry_of_validator(_topic: TopicName, poison: Iterable[Message]) -> None:
    """Readings of machines with absurd nameplates."""
    for assets in _registered(poison):
        pumps = {name: asset.model_copy(update={"asset_class": PUMP.name}) for name, asset in assets.items()}
        lanes = ValidatorLanes(
            CATALOGUE,
            find_asset=pumps.get,
            settings=GuardSettings(),
        )
        lanes.open(0, None)
        records = [_record(TopicName.READINGS_RAW, n, _reading_of(name)) for n, name in enumerate(pumps)]
        outputs = lanes.process(records).outputs
        _check_outputs(outputs)
        assert sum(output.topic is TopicName.READINGS_VALID for output in outputs) > 0


def _reading_of(asset_id: str) -> Message:
    document = {"asset_id": asset_id, "ts": NOW.isoformat(), "metrics": METRICS}
    return Message(asset_id.encode(), json.dumps(document).encode())


def feed_registry_of_health(_topic: TopicName, poison: Iterable[Message]) -> None:
    """Judgements of machines with absurd nameplates and weights."""
    for assets in _registered(poison):
        profiles = Profiles(assets.get)
        for name in assets:
            state = observe({}, frame_of(FrameKind.ANOMALY, name, 3), partial(profiles.of, PUMP))
            for asset_id, after in state.states.items():
                judged = judge(after.health, PUMP, profiles.of(PUMP, asset_id))
                assert judged is None or encode_event(judged)


def feed_registry_of_api(_topic: TopicName, poison: Iterable[Message]) -> None:
    """The registry as the routes show it."""
    from fastapi.testclient import TestClient

    from forewarn_api.app import make_app

    platform = FakePlatform()
    with TestClient(make_app(platform.backend)) as client:
        for assets in _registered(poison):
            platform.registry.assets = dict(assets)
            assert client.get("/api/v1/assets").status_code == 200
            for name in list(assets)[:20]:
                response = client.get(f"/api/v1/assets/{name}/latest")
                assert response.status_code < 500


def feed_registry_of_import(_topic: TopicName, poison: Iterable[Message]) -> None:
    """The classes of assets that rows of a file belong to."""
    for assets in _registered(poison):
        assert {asset.asset_class for asset in assets.values()}


def feed_registry_of_simulator(topic: TopicName, poison: Iterable[Message]) -> None:
    """Times of entries: when the life of each machine began."""
    good = Message(NEIGHBOUR.encode(), encode_event(ASSETS[NEIGHBOUR]))
    records = [_record(topic, n, message) for n, message in enumerate((*poison, good))]

    class Reader:
        def bounds(self, _topic, _partition):
            return 0, len(records)

        def read(self, _topic, _partition, _start, _end):
            yield records

    assert registered_times(Reader(), topic.value)[NEIGHBOUR] == NOW_US / 1e6


#: Every consumer of every topic of ``contracts.topics``; the test table fails when one is missing.
CONSUMERS: Mapping[tuple[TopicName, str], Feed] = {
    (TopicName.READINGS_RAW, "validator"): _feed_lanes(validator, _good_reading),
    (TopicName.READINGS_VALID, "twin"): _feed_lanes(twin, _good_frame(FrameKind.VALID)),
    (TopicName.READINGS_VALID, "alerting"): _feed_plane(alerting, _good_frame(FrameKind.VALID)),
    (TopicName.READINGS_VALID, "sink"): feed_sink,
    (TopicName.READINGS_VALID, "api"): feed_live,
    (TopicName.READINGS_REJECTED, "sink"): feed_sink,
    (TopicName.TWIN_STATES, "anomaly"): _feed_lanes(anomaly, _good_frame(FrameKind.TWIN)),
    (TopicName.ANOMALY_SCORES, "health"): _feed_plane(health, _good_frame(FrameKind.ANOMALY)),
    (TopicName.ANOMALY_SCORES, "alerting"): _feed_plane(alerting, _good_frame(FrameKind.ANOMALY)),
    (TopicName.ANOMALY_SCORES, "sink"): feed_sink,
    (TopicName.ANOMALY_SCORES, "api"): feed_live,
    (TopicName.ASSET_HEALTH, "alerting"): _feed_plane(alerting, _good_health),
    (TopicName.ASSET_HEALTH, "sink"): feed_sink,
    (TopicName.ASSET_HEALTH, "api"): feed_live,
    (TopicName.ALERTS, "sink"): feed_sink,
    (TopicName.ALERTS_ACTIVE, "api"): feed_live,
    (TopicName.COMMANDS, "alerting"): _feed_plane(alerting, _good_command),
    (TopicName.COMMANDS, "simulator"): feed_simulator,
    (TopicName.COMMANDS, "api"): feed_twin_commands,
    (TopicName.ASSETS, "validator"): feed_registry_of_validator,
    (TopicName.ASSETS, "health"): feed_registry_of_health,
    (TopicName.ASSETS, "sink"): feed_sink,
    (TopicName.ASSETS, "api"): feed_registry_of_api,
    (TopicName.ASSETS, "import"): feed_registry_of_import,
    (TopicName.ASSETS, "simulator"): feed_registry_of_simulator,
    (TopicName.MODELS, "api"): feed_live,
    (TopicName.MODELS, "sink"): feed_sink,
    (TopicName.VALIDATOR_CHECKPOINT, "validator"): feed_snapshots(validator),
    (TopicName.TWIN_CHECKPOINT, "twin"): feed_snapshots(twin),
    (TopicName.ANOMALY_CHECKPOINT, "anomaly"): feed_snapshots(anomaly),
}
