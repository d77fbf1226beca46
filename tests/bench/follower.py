"""Follows ``anomaly.scores`` as any read_committed reader does, and notes when each reading arrives."""

import threading
import time

import numpy as np
import pyarrow as pa
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from bench.figures import Latency
from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.records import records_of
from forewarn.contracts.topics import TOPICS, TopicName, qualified

_US_PER_MS = 1e3


class ScoreFollower:
    """Counts scored readings of one class and measures how old they are on arrival.

    Ages are those of the wall clock at arrival: against ``received_at``, the broker's time of the raw
    message, and against the event time. Only readings received since the last ``restart`` count.
    """

    def __init__(self, bootstrap: str, asset_class: str) -> None:
        self._class = asset_class.encode()
        self._consumer = Consumer(consumer_config(bootstrap, group_id="bench-follower", client_id="bench-follower"))
        topic = qualified(TopicName.ANOMALY_SCORES, "")
        partitions = range(TOPICS[TopicName.ANOMALY_SCORES].partitions)
        self._consumer.assign([TopicPartition(topic, p, OFFSET_END) for p in partitions])
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._restart(0)
        self._thread = threading.Thread(target=self._run, name="score-follower", daemon=True)
        self._thread.start()

    @property
    def rows(self) -> int:
        """Readings seen since the last restart."""
        if self._failure is not None:
            raise self._failure
        return self._rows

    def restart(self, since_us: int) -> None:
        """Forget everything; count what the broker received at ``since_us`` or later."""
        with self._lock:
            self._restart(since_us)

    def latencies(self) -> tuple[Latency, Latency]:
        """From the broker's receipt, and from the event, to arrival."""
        with self._lock:
            return Latency.of(_joined(self._since_received)), Latency.of(_joined(self._since_event))

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _restart(self, since_us: int) -> None:
        self._since_us = since_us
        self._rows = 0
        self._since_received: list[np.ndarray] = []
        self._since_event: list[np.ndarray] = []

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                messages = self._consumer.consume(500, timeout=0.1)
                arrived_us = time.time() * 1e6
                for record in records_of(messages):
                    self._take(record.value or b"", arrived_us)
        except Exception as exc:  # noqa: BLE001  # raised where the rows are asked for
            self._failure = exc

    def _take(self, value: bytes, arrived_us: float) -> None:
        with pa.ipc.open_stream(value) as reader:
            if reader.schema.metadata[b"forewarn.asset_class"] != self._class:
                return
            batch = reader.read_next_batch()
        received = _micros(batch, "received_at")
        with self._lock:
            counts = received >= self._since_us
            self._rows += int(np.count_nonzero(counts))
            self._since_received.append(((arrived_us - received[counts]) / _US_PER_MS).astype(np.float32))
            ages = (arrived_us - _micros(batch, "ts")[counts]) / _US_PER_MS
            self._since_event.append(ages.astype(np.float32))


def _micros(batch: pa.RecordBatch, name: str) -> np.ndarray:
    return batch.column(batch.schema.get_field_index(name)).view(pa.int64()).to_numpy()


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)
