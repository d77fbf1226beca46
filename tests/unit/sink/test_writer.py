"""The sink's loop against a store and a consumer in memory: claims, fences, refusals, outages, revocations."""

import itertools
import threading
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from prometheus_client import REGISTRY

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.event_codec import encode_event
from forewarn.contracts.assets import Asset
from forewarn.contracts.readings import RejectedReading
from forewarn.ports.lanes import Record
from forewarn.ports.store import (
    Doubtful,
    Fenced,
    PartitionClaim,
    Retained,
    Source,
    StoreUnavailable,
    Tombstone,
    Unstorable,
    Written,
)
from forewarn.runtime.heartbeat import Heartbeat
from forewarn_sink.backoff import Backoff
from forewarn_sink.decoding import ItemDecoder
from forewarn_sink.metrics import SinkMetrics
from forewarn_sink.writer import Writer, WriterConfig


class Clock:
    """Moves on by itself with every look."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic_s(self):
        self.seconds += 0.01
        return self.seconds


class Broker:
    """Topics, and one member of the group that reads them; a turn without messages ends the run."""

    def __init__(self, stop):
        self.logs = {}
        self.ids = {}
        self.given = {}
        self.positions = {}
        self.commits = {}
        self.idle_turns = 30
        self.before_consume = []
        self._stop = stop
        self._numbers = itertools.count(1)

    def give(self, *sources):
        number = next(self._numbers)
        self.given |= dict.fromkeys(sources, number)

    def take(self, *sources):
        for source in sources:
            self.given.pop(source, None)
            self.positions.pop(source, None)

    def add(self, source, *values, key=b"A"):
        log = self.logs.setdefault(source, [])
        for value in values:
            log.append(
                Record(
                    topic=source.topic, partition=source.partition, offset=len(log), received_us=0, key=key, value=value
                )
            )

    def consume(self, max_messages, timeout_s):
        if self.before_consume:
            self.before_consume.pop(0)()
        out = []
        for source, position in list(self.positions.items()):
            batch = self.logs.get(source, [])[position : position + 2]
            self.positions[source] = position + len(batch)
            out += batch
        if not out:
            self.idle_turns -= 1
            if self.idle_turns <= 0:
                self._stop.set()
        return out[:max_messages]

    def read_from(self, positions):
        self.positions |= positions

    def halt(self):
        self.positions.clear()

    def topic_ids(self, topics, timeout_s):
        return {topic: self.ids[topic] for topic in topics if topic in self.ids}

    def recreate(self, source, *values):
        """Another topic of the same name, which reading goes on in as the client library does: from its beginning."""
        self.logs[source] = []
        self.ids[source.topic] = f"id-{len(self.ids)}-{next(self._numbers)}"
        self.add(source, *values)
        self.positions[source] = 0

    def bounds(self, sources, timeout_s):
        return {source: (0, len(self.logs.get(source, []))) for source in sources}

    def ends(self, sources):
        return {source: len(self.logs.get(source, [])) for source in sources}

    def past_markers(self, source, position):
        return position

    def commit(self, positions):
        self.commits |= positions


class MemoryStore:
    """Keeps items and offsets; ``failures`` are raised by the next writes, each after or before its effect."""

    def __init__(self):
        self.epochs = Counter()
        self.offsets = {}
        self.topic_ids = {}
        self.stalls = Counter()
        self.attempts = Counter()
        self.attempted = []
        self.released = []
        self.items = []
        self.failures = []
        self.transactions = []
        self.full = False

    def claim(self, sources):
        self._fail("claim")
        out = {}
        for source in sources:
            self.epochs[source] += 1
            out[source] = PartitionClaim(
                source=source,
                epoch=self.epochs[source],
                next_offset=self.offsets.get(source),
                topic_id=self.topic_ids.get(source),
                stalls=self.stalls[source],
                attempts=self.attempts[source],
            )
        return out

    def release(self, claims):
        self.released += claims

    def identify(self, topic_ids):
        self.topic_ids |= {claim.source: topic_id for claim, topic_id in topic_ids.items()}

    def rewind(self, claim, next_offset, topic_id):
        self.offsets[claim.source] = next_offset
        self.topic_ids[claim.source] = topic_id

    def attempt(self, claim):
        self.attempts[claim.source] += 1
        self.attempted.append(claim.source)

    def write(self, items, claims):
        self._fail("before")
        for item in items:
            if claims[item.source].epoch != self.epochs[item.source]:
                raise Fenced("claimed by another")
            if item.offset < self.offsets.get(item.source, 0):
                raise Fenced("stored before")
            if isinstance(item.content, Asset) and item.content.name == "poison":
                raise Unstorable("cannot be stored")
            if isinstance(item.content, Asset) and item.content.name == "odd":
                raise Doubtful("the server contradicts itself")
            if self.full and isinstance(item.content, RejectedReading):
                raise Unstorable("takes nothing")
        for item in items:
            self.offsets[item.source] = item.offset + 1
            self.attempts[item.source] = 0
        self.items += items
        self.transactions.append(len(items))
        self._fail("after")
        return Written(rows=Counter(asset=len(items)))

    def retain(self, now):
        return Retained(dropped=Counter(), complete=True)

    def _fail(self, moment):
        if self.failures and self.failures[0][0] == moment:
            raise self.failures.pop(0)[1]


def asset(number, name="Pump"):
    return encode_event(Asset(asset_id=f"A-{number}", asset_class="centrifugal_pump", name=name))


A, B = Source("assets", 0), Source("assets", 1)


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def broker(stop):
    return Broker(stop)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture(scope="module")
def metrics():
    made = SinkMetrics()
    yield made
    for metric in vars(made).values():
        REGISTRY.unregister(metric)


@pytest.fixture
def run(broker, store, stop, metrics):
    def run():
        clock = Clock()
        writer = Writer(
            broker,
            store,
            ItemDecoder(load_catalogue(), ""),
            config=WriterConfig(max_rows=4, linger_s=0.05, retention_interval_s=1e9),
            clock=clock,
            backoff=Backoff(np.random.default_rng(0), first_s=0.1, limit_s=1.0),
            metrics=metrics,
            heartbeat=Heartbeat(clock),
        )
        writer.run(stop)
        return writer

    return run


def stored(store, source):
    return [item.offset for item in store.items if item.source == source]


def test_every_message_is_stored_once_and_in_order(broker, store, run):
    broker.give(A, B)
    broker.add(A, *map(asset, range(9)))
    broker.add(B, *map(asset, range(5)))
    writer = run()
    assert (stored(store, A), stored(store, B)) == (list(range(9)), list(range(5)))
    assert max(store.transactions) <= 4
    assert writer.not_ready() is None
    assert broker.commits == {A: 9, B: 5}


def test_reading_goes_on_where_the_database_says(broker, store, run):
    broker.give(A)
    broker.add(A, *map(asset, range(9)))
    store.offsets[A] = 6
    run()
    assert stored(store, A) == [6, 7, 8]


@pytest.mark.parametrize("moment", ["claim", "before", "after"])
def test_after_an_outage_or_an_unknown_outcome_nothing_is_missing_or_twice(broker, store, run, moment):
    broker.give(A)
    broker.add(A, *map(asset, range(9)))
    store.failures = [(moment, StoreUnavailable("away"))] * 2
    run()
    assert stored(store, A) == list(range(9))
    assert not store.failures


def test_a_fenced_sink_claims_again_and_goes_on(broker, store, run):
    broker.give(A)
    broker.add(A, *map(asset, range(9)))
    broker.before_consume = [lambda: None, lambda: store.claim([A])]
    run()
    assert stored(store, A) == list(range(9))
    assert store.epochs[A] == 3


def test_a_partition_taken_away_and_given_back_within_one_poll_is_claimed_anew(broker, store, run):
    broker.give(A)
    broker.add(A, *map(asset, range(9)))

    def flicker():
        broker.take(A)
        broker.give(A)

    broker.before_consume = [lambda: None, flicker]
    run()
    assert stored(store, A) == list(range(9))
    assert store.epochs[A] == 2


def test_what_was_read_of_a_partition_that_was_lost_is_not_written(broker, store, run):
    broker.give(A, B)
    broker.add(A, *map(asset, range(9)))
    broker.add(B, *map(asset, range(9)))
    broker.before_consume = [lambda: broker.take(B)]
    run()
    assert stored(store, A) == list(range(9))
    assert stored(store, B) == []


def test_a_message_the_database_refuses_is_put_aside_and_its_neighbours_are_stored(broker, store, run):
    broker.give(A)
    broker.add(A, asset(0), asset(1, "poison"), b"no json", asset(3))
    run()
    kinds = [type(item.content) for item in store.items]
    assert kinds == [Asset, RejectedReading, RejectedReading, Asset]
    refused = [item.content for item in store.items if isinstance(item.content, RejectedReading)]
    assert [event.rejected_id for event in refused] == ["assets/0/1", "assets/0/2"]
    assert refused[0].original == asset(1, "poison")


def test_a_tombstone_removes_the_asset(broker, store, run):
    broker.give(A)
    broker.add(A, None, key=b"A-7")
    run()
    assert isinstance(store.items[0].content, Tombstone)
    assert store.items[0].content.key == "A-7"


def test_a_topic_that_ends_before_the_stored_offset_is_read_from_its_beginning(broker, store, run):
    broker.give(A)
    broker.add(A, *map(asset, range(3)))
    store.offsets[A] = 1000
    run()
    assert stored(store, A) == [0, 1, 2]


def test_another_topic_of_the_same_name_that_has_grown_past_the_stored_offset_is_read_from_its_beginning(
    broker, store, run, metrics
):
    """Its first messages were skipped: only the broker's id distinguishes it from the one before."""
    broker.ids = {"assets": "another"}
    broker.give(A)
    broker.add(A, *map(asset, range(9)))
    store.offsets[A], store.topic_ids[A] = 5, "the one before"
    before = REGISTRY.get_sample_value("forewarn_sink_partitions_recreated_total", {"topic": "assets"}) or 0
    run()
    assert stored(store, A) == list(range(9))
    assert store.topic_ids[A] == "another"
    assert REGISTRY.get_sample_value("forewarn_sink_partitions_recreated_total", {"topic": "assets"}) == before + 1


def test_a_topic_whose_id_was_not_known_keeps_its_place_and_gets_its_id(broker, store, run):
    """A database of an older version."""
    broker.ids = {"assets": "its id"}
    broker.give(A)
    broker.add(A, *map(asset, range(9)))
    store.offsets[A] = 5
    run()
    assert stored(store, A) == list(range(5, 9))
    assert store.topic_ids[A] == "its id"


def test_a_topic_that_is_created_again_while_it_is_read_is_read_from_its_beginning(broker, store, run):
    broker.ids = {"assets": "the first"}
    broker.give(A)
    broker.add(A, *map(asset, range(7)))
    broker.before_consume = [*[lambda: None] * 6, lambda: broker.recreate(A, *map(asset, range(10, 13)))]
    run()
    assert stored(store, A) == [*range(7), 0, 1, 2]
    assert [item.content.asset_id for item in store.items[7:]] == ["A-10", "A-11", "A-12"]


def test_bytes_bound_a_transaction_as_rows_do_and_a_larger_message_makes_its_own(broker, store, run, monkeypatch):
    monkeypatch.setattr("forewarn_sink.writer.MAX_TURN_BYTES", 2 * len(asset(0)) + 10)
    broker.give(A)
    broker.add(A, *map(asset, range(6)), asset(6, "x" * 200), *map(asset, range(7, 9)))
    run()
    assert stored(store, A) == list(range(9))
    assert max(store.transactions) <= 2
    assert 1 in store.transactions


def test_after_a_process_that_stored_nothing_messages_are_taken_one_by_one(broker, store, run):
    broker.give(A, B)
    broker.add(A, *map(asset, range(4)))
    broker.add(B, *map(asset, range(4)))
    store.stalls[A] = 1
    run()
    assert (stored(store, A), stored(store, B)) == (list(range(4)), list(range(4)))
    assert store.attempted == [A] * 4
    assert store.transactions.count(1) >= 4
    assert {claim.source for claim in store.released} == {A, B}


def test_a_message_over_which_processes_ended_is_set_aside_unread_and_the_next_ones_are_stored(broker, store, run):
    broker.give(A)
    broker.add(A, *map(asset, range(4)))
    store.stalls[A], store.attempts[A] = 3, 2
    run()
    assert stored(store, A) == list(range(4))
    assert [type(item.content) for item in store.items] == [RejectedReading, Asset, Asset, Asset]
    refused = store.items[0].content
    assert (refused.reason, refused.original) == ("quarantined", asset(0))
    assert "2 processes ended" in refused.explanation


def test_what_fails_for_no_clear_reason_is_tried_again_before_it_is_set_aside(broker, store, run):
    broker.give(A)
    broker.add(A, asset(0), asset(1, "odd"), asset(2))
    run()
    assert [type(item.content) for item in store.items] == [Asset, RejectedReading, Asset]
    assert store.epochs[A] == 3, "claimed at the start and after each of two attempts"


def test_a_database_that_takes_not_even_a_refusal_is_waited_for(broker, store, run):
    broker.give(A)
    broker.add(A, asset(0), b"no json", asset(2))
    store.full = True
    writer = run()
    assert stored(store, A) == [0]
    assert "not even a refusal" in writer.not_ready()


@pytest.mark.parametrize("received_us", [-1, -(2**63), 2**63 - 1])
def test_a_time_stamp_that_is_none_does_not_keep_a_message_from_being_set_aside(broker, store, run, received_us):
    broker.give(A)
    broker.add(A, b"no json")
    broker.logs[A][0] = broker.logs[A][0]._replace(received_us=received_us)
    run()
    assert stored(store, A) == [0]
    assert isinstance(store.items[0].content, RejectedReading)


def test_while_the_database_is_away_nothing_is_read(broker, store, run, metrics):
    broker.give(A)
    broker.add(A, *map(asset, range(9)))
    store.failures = [("claim", StoreUnavailable("connection refused"))] * 100
    broker.idle_turns = 60
    writer = run()
    assert broker.positions == {}
    assert writer.not_ready() == "connection refused"
    assert REGISTRY.get_sample_value("forewarn_sink_lag_messages", {"topic": "assets"}) == 9
    assert REGISTRY.get_sample_value("forewarn_sink_database_up") == 0


def test_waits_grow_up_to_the_limit_with_jitter_and_start_small_again():
    backoff = Backoff(np.random.default_rng(1), first_s=0.2, limit_s=3.0)
    waits = [backoff.next_s() for _ in range(200)]
    for number, wait in enumerate(waits):
        step = min(3.0, 0.2 * 2.0 ** min(number, 30))
        assert step / 2 <= wait <= step
    assert len(set(waits[10:])) > 100
    backoff.reset()
    assert backoff.next_s() <= 0.2
