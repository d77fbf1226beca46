"""How long it takes from sending a reading until the alarm it raises is on ``alerts``.

A few machines of the benchmark's own class have a threshold alarm without delays on a tag that toggles:
each change must give one transition, which carries the reading's time.
"""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from bench.figures import Latency
from forewarn.adapters.kafka.config import consumer_config, producer_config
from forewarn.adapters.kafka.records import records_of
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import format_utc
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from support.wire import Message, produce

PROBES = tuple(Asset(asset_id=f"PROBE-{n}", asset_class="bench_probe", name=f"Probe {n}") for n in range(6))
_BASELINE = 80
_EVERY_S = 0.15
_LOW, _HIGH = 10.0, 90.0
_SETTLE_S = 10.0
_RAW = qualified(TopicName.READINGS_RAW, "")


def send_baseline(bootstrap: str) -> None:
    """Readings of the last minutes, for the probes' twins to learn from."""
    rng = np.random.default_rng(5)
    begin = datetime.now(UTC) - timedelta(seconds=_BASELINE + 1)
    messages = []
    for number in range(_BASELINE):
        ts = begin + timedelta(seconds=number)
        messages += [_message(probe.asset_id, ts, _LOW, rng) for probe in PROBES]
    produce(bootstrap, _RAW, messages)


class AlertProbe:
    """Toggles the probes' signals in turn and times the transitions."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(producer_config(bootstrap, client_id="bench-probe", **{"linger.ms": 0}))
        self._consumer = Consumer(consumer_config(bootstrap, group_id="bench-alerts", client_id="bench-alerts"))
        topic = qualified(TopicName.ALERTS, "")
        partitions = range(TOPICS[TopicName.ALERTS].partitions)
        self._consumer.assign([TopicPartition(topic, p, OFFSET_END) for p in partitions])
        self._rng = np.random.default_rng(6)
        self._signals = dict.fromkeys((probe.asset_id for probe in PROBES), _LOW)
        self._turns = count()
        self._sent: dict[tuple[str, str], float] = {}
        self._ages_ms: list[float] = []
        self._lock = threading.Lock()
        self._pausing = threading.Event()
        self._pausing.set()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in (self._send, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def start(self) -> None:
        """Begin to toggle."""
        with self._lock:
            self._sent.clear()
            self._ages_ms.clear()
        self._pausing.clear()

    def finish(self) -> tuple[Latency, int]:
        """Stop toggling; ages of the transitions, and how many did not come."""
        self._pausing.set()
        deadline = time.monotonic() + _SETTLE_S
        while self._waiting and time.monotonic() < deadline:
            self._stop.wait(0.05)
        with self._lock:
            return Latency.of(self._ages_ms), len(self._sent)

    def close(self) -> None:
        """Stop for good."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._consumer.close()
        del self._producer  # it would complain when the broker stops

    @property
    def _waiting(self) -> int:
        if self._failure is not None:
            raise self._failure
        return len(self._sent)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as exc:  # noqa: BLE001  # raised where the ages are asked for
            self._failure = exc

    def _send(self) -> None:
        while not self._stop.wait(_EVERY_S):
            if self._pausing.is_set():
                continue
            asset_id = PROBES[next(self._turns) % len(PROBES)].asset_id
            signal = self._signals[asset_id] = _HIGH if self._signals[asset_id] == _LOW else _LOW
            ts = datetime.now(UTC)
            message = _message(asset_id, ts, signal, self._rng)
            with self._lock:
                self._sent[asset_id, format_utc(ts)] = time.time()
            self._producer.produce(_RAW, value=message.value, key=message.key)
            self._producer.poll(0)
        self._producer.flush(10)

    def _listen(self) -> None:
        while not self._stop.is_set():
            messages = self._consumer.consume(100, timeout=0.1)
            now_s = time.time()
            for record in records_of(messages):
                alert = json.loads(record.value or b"{}")
                with self._lock:
                    sent_s = self._sent.pop((alert["alarm"]["asset_id"], alert["at"]), None)
                    if sent_s is not None:
                        self._ages_ms.append((now_s - sent_s) * 1e3)


def _message(asset_id: str, ts: datetime, signal: float, rng: np.random.Generator) -> Message:
    load = float(rng.uniform(40, 100))
    answer = 1.5 * load + float(rng.normal(scale=0.5))
    reading = {
        "asset_id": asset_id,
        "ts": format_utc(ts),
        "metrics": {"load_pct": load, "answer_pct": answer, "signal_pct": signal},
        "source": "bench",
    }
    return Message(key=asset_id.encode(), value=json.dumps(reading).encode())
