"""What the tests of the event plane share: frames on the topic in real transactions, and readers of what comes out."""

import itertools
import json
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

import numpy as np
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.kafka.config import consumer_config, group_id, producer_config
from forewarn.contracts.alarms import Alarm, Alert
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.frames.frame import Frame
from forewarn.testing.frames import anomaly_frame, timestamps_us
from support.stack import ServiceProcess, wait_until
from support.wire import consumed, read_topic

CATALOGUE = load_catalogue()
PUMP = CATALOGUE["centrifugal_pump"]
ASSETS_PER_PARTITION = 2
PARTITIONS = 12
PUMPS = tuple(f"P-{number:03d}" for number in range(PARTITIONS * ASSETS_PER_PARTITION))


def partition_of(asset_id: str) -> int:
    """Any fixed place: what matters is that an asset stays in it."""
    return int(asset_id.removeprefix("P-")) % PARTITIONS


def environment(bootstrap: str, prefix: str, instance: str = "1") -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC_PREFIX": prefix,
        "SERVICE_INSTANCE": instance,
        "CHECKPOINT_INTERVAL_S": "0.5",
        "LOG_FORMAT": "console",
    }


def ready(service: ServiceProcess) -> bool:
    """Whether the readiness probe answers 200; the port stands in the log."""
    for line in service.log.splitlines():
        if "probes_listening" in line:
            port = line.split("port=")[1].split()[0]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                    return answer.status == 200
            except OSError:
                continue
    return False


def start(
    spawn: Callable[..., ServiceProcess], module: str, bootstrap: str, prefix: str, instance: str = "1"
) -> ServiceProcess:
    """Start a service and wait until its states are restored."""
    service = spawn(module, environment(bootstrap, prefix, instance))
    wait_until(lambda: ready(service), 60, lambda: f"{module} is not ready")
    return service


class Feed:
    """Publishes frames as the anomaly stage does: several in a transaction, each in its assets' partition."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        config = producer_config(bootstrap, client_id="test", **{"transactional.id": f"test-{uuid.uuid4().hex[:8]}"})
        self._producer = Producer(config)
        self._producer.init_transactions(30)
        self._topic = qualified(TopicName.ANOMALY_SCORES, prefix)
        self.rows = 0

    def send(self, frames: Iterable[Frame], *, abort: bool = False) -> None:
        """Publish in one transaction; an aborted one was never there for who reads committed data."""
        self._producer.begin_transaction()
        for frame in frames:
            asset = frame.assets.categories[0]
            self._producer.produce(self._topic, value=encode_frame(frame), partition=partition_of(asset))
            self.rows += 0 if abort else frame.rows
        self._producer.flush(30)
        if abort:
            self._producer.abort_transaction(30)
        else:
            self._producer.commit_transaction(30)


class Stream:
    """Sends one portion of frames after the other in a thread, at a pace, until stopped."""

    def __init__(self, feed: Feed, portions: Iterable[Iterable[Frame]], per_second: float) -> None:
        self.feed = feed
        self._portions = portions
        self._interval_s = 1 / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for frames in self._portions:
            self.feed.send(frames)
            if self._stop.wait(self._interval_s):
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def send_event(bootstrap: str, prefix: str, topic: TopicName, key: str, value: bytes, partition: int) -> None:
    producer = Producer(producer_config(bootstrap, client_id="test"))
    producer.produce(qualified(topic, prefix), key=key.encode(), value=value, partition=partition)
    assert producer.flush(30) == 0


def frames_of(assets: Sequence[str], count: int, start_s: float, columns: dict, step_s: float = 1.0) -> list[Frame]:
    """One frame a partition: ``count`` readings of each asset; columns are scalars or one value a reading."""
    by_partition = itertools.groupby(sorted(assets, key=partition_of), key=partition_of)
    frames = []
    for _, group in by_partition:
        names = list(group)
        times = timestamps_us(count, start_s=start_s, step_s=step_s)
        repeated = {name: np.tile(np.broadcast_to(value, count), len(names)) for name, value in columns.items()}
        frames.append(
            anomaly_frame(
                PUMP,
                [name for name in names for _ in range(count)],
                np.tile(times, len(names)),
                {"speed_rpm": 1480.0, **repeated},
            )
        )
    return frames


def drained(service: str, bootstrap: str, prefix: str, topic: TopicName = TopicName.ANOMALY_SCORES) -> bool:
    """Whether the group has committed all that is on the topic, up to the markers at the end of partitions."""
    done, total = consumed(bootstrap, group_id(service, prefix), qualified(topic, prefix))
    return total - done <= trailing_markers(topic)


def trailing_markers(topic: TopicName) -> int:
    return PARTITIONS if topic is TopicName.ANOMALY_SCORES else 0


def alerts_on(bootstrap: str, prefix: str) -> list[Alert]:
    return [decode_event(Alert, record.value) for record in read_topic(bootstrap, TopicName.ALERTS, prefix)]


def active_on(bootstrap: str, prefix: str) -> dict[str, Alarm]:
    """What a compacted reader of ``alerts.active`` is left with."""
    latest: dict[str, Alarm] = {}
    for record in read_topic(bootstrap, TopicName.ALERTS_ACTIVE, prefix):
        if record.value:
            latest[record.key.decode()] = decode_event(Alarm, record.value)
        else:
            latest.pop(record.key.decode(), None)
    return latest


def health_on(bootstrap: str, prefix: str) -> list[AssetHealth]:
    return [decode_event(AssetHealth, record.value) for record in read_topic(bootstrap, TopicName.ASSET_HEALTH, prefix)]


def rejected_on(bootstrap: str, prefix: str) -> list[dict]:
    return [json.loads(record.value) for record in read_topic(bootstrap, TopicName.READINGS_REJECTED, prefix)]


def messages_of(bootstrap: str, prefix: str, topic: TopicName, partition: int) -> list[Message]:
    """Whole messages of one partition, headers included."""
    consumer = Consumer(consumer_config(bootstrap, group_id="test-headers", client_id="test-headers"))
    place = TopicPartition(qualified(topic, prefix), partition, 0)
    try:
        consumer.assign([place])
        _, end = consumer.get_watermark_offsets(place, timeout=20)
        return consumer.consume(end, timeout=20)
    finally:
        consumer.close()


def source_frames(bootstrap: str, prefix: str) -> Iterator[Frame]:
    """Committed frames, in partition and offset order."""
    for record in read_topic(bootstrap, TopicName.ANOMALY_SCORES, prefix):
        yield decode_frame(record.value, CATALOGUE, FrameKind.ANOMALY)
