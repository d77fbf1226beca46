"""Sends readings to ``readings.raw``: at least once, in order, with a bounded buffer."""

import threading
from typing import Final

import structlog

from forewarn.adapters.kafka.producing import QueuedProducer
from forewarn.contracts.topics import TopicName, qualified
from forewarn.runtime.heartbeat import Heartbeat
from forewarn_simulator.metrics import SimulatorMetrics
from forewarn_simulator.reading import SourceReading, encode_reading

_log = structlog.get_logger(__name__)

#: Readings kept while the broker is away; a plant of ten machines at one reading a second: half an hour.
_QUEUE_READINGS: Final = 20_000


class RawProducer:
    """Idempotent producer of readings, acknowledged by all replicas.

    While the broker is away, readings wait in the buffer for any length of time; when it is full, ``send`` blocks.
    A reading leaves the buffer stored, or refused by the broker; refusals are counted and logged.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        stop: threading.Event,
        metrics: SimulatorMetrics,
        heartbeat: Heartbeat,
    ) -> None:
        self._producer = QueuedProducer(
            bootstrap_servers,
            qualified(TopicName.READINGS_RAW, prefix),
            client_id="forewarn.simulator",
            on_stored=lambda _partition, _offset: self._metrics.readings.labels(outcome="stored").inc(),
            on_refused=self._note_refused,
            settings={"queue.buffering.max.messages": _QUEUE_READINGS, "message.timeout.ms": 0},
        )
        self._stop = stop
        self._metrics = metrics
        self._heartbeat = heartbeat
        self._counters: dict[str, int] = {}
        self._is_full = False
        self._is_closing = False

    def send(self, reading: SourceReading) -> bool:
        """Send a reading; block while the buffer is full. Return False if ``stop`` was set before there was room.

        Raises ``KafkaException`` if the producer can never send again.
        """
        if self._stop.is_set():
            return False
        seq = self._counters.get(reading.asset_id, 0)
        value, key = encode_reading(reading, seq), reading.asset_id.encode()
        if not self._producer.send(key, value, on_full=self._wait):
            return False
        if self._is_full:
            _log.info("buffer_has_room")
        self._is_full = False
        self._counters[reading.asset_id] = seq + 1
        return True

    def poll(self) -> None:
        """Handle delivery reports; raise like ``send``."""
        self._producer.poll()
        self._metrics.waiting.set(len(self._producer))

    def close(self, timeout_s: float) -> None:
        """Send what is buffered; log what could not be sent in time."""
        waiting = self._producer.flush(timeout_s)
        if waiting:
            _log.warning("readings_not_sent", readings=waiting, reason="the broker did not take them in time")
            self._is_closing = True
            self._producer.purge()

    def _wait(self) -> bool:
        if not self._is_full:
            _log.warning("buffer_full", readings=len(self._producer), action="waiting for the broker")
        self._is_full = True
        self._heartbeat.beat()
        return not self._stop.is_set()

    def _note_refused(self, key: bytes | str | None, reason: str) -> None:
        self._metrics.readings.labels(outcome="refused").inc()
        if not self._is_closing:
            _log.error("reading_refused", key=key, reason=reason)
