"""Reads and writes whole topics for tests, and compares what is on them with an offline recomputation."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from forewarn.adapters.frames.codec import decode_frame
from forewarn.adapters.kafka.config import consumer_config, producer_config
from forewarn.adapters.kafka.errors import error_of, is_passing
from forewarn.adapters.kafka.records import records_of
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.domain.frames.frame import Frame
from forewarn.ports.lanes import Lanes, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to produce; without a partition the key chooses it."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None


def produce(bootstrap: str, topic: str, messages: Iterable[Message]) -> int:
    """Send messages and wait until all are stored; returns how many."""
    feed = Feed(bootstrap, topic, messages, per_second=None)
    feed.run()
    return feed.sent


@dataclass
class Feed:
    """Produces messages at a steady pace, in a thread of its own when started as a context."""

    bootstrap: str
    topic: str
    messages: Iterable[Message]
    per_second: float | None
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _enough: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def finish(self) -> None:
        """Send no more; what is under way arrives."""
        self._enough.set()

    def join(self) -> None:
        """Wait until all is sent and confirmed."""
        assert self._thread is not None
        self._thread.join()
        assert not self.failures, self.failures[:3]

    def run(self) -> None:
        producer = Producer(producer_config(self.bootstrap, client_id="test-feed"))
        begin = time.monotonic()
        for number, message in enumerate(self.messages):
            if self._enough.is_set():
                break
            if self.per_second is not None and number % 50 == 0:
                ahead_s = number / self.per_second - (time.monotonic() - begin)
                producer.poll(max(0.0, ahead_s))
                time.sleep(max(0.0, number / self.per_second - (time.monotonic() - begin)))
            self._send(producer, message)
        assert producer.flush(60) == 0, "the broker did not take all messages"

    def _send(self, producer: Producer, message: Message) -> None:
        where = {} if message.partition is None else {"partition": message.partition}
        while True:
            try:
                producer.produce(self.topic, value=message.value, key=message.key, on_delivery=self._delivered, **where)
            except BufferError:
                producer.poll(0.05)
            else:
                producer.poll(0)
                return

    def _delivered(self, error: KafkaError | None, _message: object) -> None:
        if error is None:
            self.sent += 1
        else:
            self.failures.append(error.str())


def read_topic(bootstrap: str, topic: TopicName, prefix: str, *, patience_s: float = 20.0) -> list[Record]:
    """Everything committed on a topic right now, in partition and offset order."""
    name = qualified(topic, prefix)
    config = consumer_config(
        bootstrap, group_id="test-reader", client_id="test-reader", **{"enable.partition.eof": True}
    )
    consumer = Consumer(config)
    try:
        partitions = range(TOPICS[topic].partitions)
        consumer.assign([TopicPartition(name, p, 0) for p in partitions])
        ended: set[int] = set()
        records: list[Record] = []
        deadline = time.monotonic() + patience_s
        while len(ended) < len(partitions):
            assert time.monotonic() < deadline, f"{name} could not be read to its end"
            messages = consumer.consume(2000, timeout=0.2)
            for message in messages:
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
            records += records_of(messages)
    finally:
        consumer.close()
    return sorted(records, key=lambda r: (r.partition, r.offset))


def by_partition(records: Iterable[Record]) -> dict[int, list[Record]]:
    """Split records by partition, order kept."""
    split: dict[int, list[Record]] = {}
    for record in records:
        split.setdefault(record.partition, []).append(record)
    return split


@dataclass(frozen=True)
class Rows:
    """Readings of frames as comparable rows, with how often each (asset, time) occurs."""

    values: Mapping[tuple[str, int], tuple[object, ...]]
    counts: Counter[tuple[str, int]]

    @property
    def duplicated(self) -> list[tuple[str, int]]:
        return [key for key, count in self.counts.items() if count > 1]


def rows_of(values: Iterable[bytes], kind: FrameKind, catalogue: Mapping[str, AssetClass]) -> Rows:
    """Flatten encoded frames."""
    flat: dict[tuple[str, int], tuple[object, ...]] = {}
    counts: Counter[tuple[str, int]] = Counter()
    for value in values:
        frame = decode_frame(value, catalogue, kind)
        for key, row in _rows(frame):
            flat[key] = row
            counts[key] += 1
    return Rows(flat, counts)


def _rows(frame: Frame) -> Iterable[tuple[tuple[str, int], tuple[object, ...]]]:
    columns = [
        frame.strings[c.name].to_list() if c.dtype == "string" else _comparable(frame.arrays[c.name])
        for c in frame.columns
    ]
    for row in zip(*columns, strict=True):
        yield (str(row[0]), int(row[1])), row


def _comparable(values: np.ndarray) -> list[object]:
    """NaN becomes None: it equals itself then."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124  # only NaN is not


def assert_same_rows(
    found: Mapping[tuple[str, int], tuple[object, ...]], wanted: Mapping[tuple[str, int], tuple[object, ...]]
) -> None:
    """Compare rows; floats may differ in the last bits, as sums over batches of other sizes do."""
    for key, row in wanted.items():
        for have, want in zip(found[key], row, strict=True):
            same = have == want or (isinstance(want, float) and math.isclose(have, want, rel_tol=1e-4, abs_tol=1e-4))
            assert same, f"{key}: {found[key]} instead of {row}"


def consumed(bootstrap: str, group: str, topic: str, partitions: int = 12) -> tuple[float, float]:
    """Return how many records of a topic a group has behind it, and how many there are (markers included).

    The second is infinite while the group's coordinator cannot say.
    """
    consumer = Consumer(consumer_config(bootstrap, group_id=group, client_id="test-lag"))
    try:
        places = [TopicPartition(topic, p) for p in range(partitions)]
        committed = {p.partition: p.offset for p in consumer.committed(places, timeout=20)}
        done = total = 0
        for place in places:
            low, high = consumer.get_watermark_offsets(place, timeout=20)
            total += high - low
            done += max(0, committed[place.partition] - low)
    except KafkaException as exc:
        if not is_passing(error_of(exc)):
            raise
        return 0, math.inf
    finally:
        consumer.close()
    return done, total


@dataclass(frozen=True)
class Recomputation:
    """What a processor should have published, and the state it should have ended in."""

    outputs: Mapping[TopicName, Sequence[bytes]]
    states: Mapping[int, bytes]


def recompute(records: Iterable[Record], make_lanes: Callable[[], Lanes], *, batch: int = 700) -> Recomputation:
    """Process records offline, each partition all by itself, in batches unlike those of the real run."""
    outputs: dict[TopicName, list[bytes]] = {}
    states: dict[int, bytes] = {}
    for partition, own in by_partition(records).items():
        lanes = make_lanes()
        lanes.open(partition, None)
        for start in range(0, len(own), batch):
            for output in lanes.process(own[start : start + batch]).outputs:
                outputs.setdefault(output.topic, []).append(output.value)
        states[partition] = lanes.dump(partition)
    return Recomputation(outputs, states)
