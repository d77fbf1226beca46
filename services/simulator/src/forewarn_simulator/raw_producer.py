"""Sends readings to ``readings.raw``: at least once, in order, with a bounded buffer."""

import threading
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from forewarn.adapters.kafka.config import producer_config
from forewarn.adapters.kafka.errors import is_fatal
from forewarn.contracts.topics import TopicName, qualified
from forewarn_simulator.metrics import SimulatorMetrics
from forewarn_simulator.reading import SourceReading, encode_reading

_log = structlog.get_logger(__name__)

#: Readings kept while the broker is away; a plant of ten machines at one reading a second: half an hour.
_QUEUE_READINGS: Final = 20_000


class RawProducer:
    """Idempotent producer of readings, acknowledged by all replicas.

    While the broker is away readings wait in the buffer without limit of time; when it is full,
    ``send`` blocks. A reading leaves the buffer stored, or refused by the broker: those are counted
    and logged.
    """

    def __init__(self, bootstrap_servers: str, prefix: str, stop: threading.Event, metrics: SimulatorMetrics) -> None:
        self._producer = Producer(
            producer_config(
                bootstrap_servers,
                client_id="forewarn.simulator",
                **{"queue.buffering.max.messages": _QUEUE_READINGS, "message.timeout.ms": 0},
            )
        )
        self._topic = qualified(TopicName.READINGS_RAW, prefix)
        self._stop = stop
        self._metrics = metrics
        self._counters: dict[str, int] = {}
        self._fatal: KafkaError | None = None

    def send(self, reading: SourceReading) -> bool:
        """Queue a reading; blocks while the buffer is full. False if ``stop`` came before there was room.

        Raises
        ------
        KafkaException
            If the producer can never send again.
        """
        seq = self._counters.get(reading.asset_id, 0)
        value, key = encode_reading(reading, seq), reading.asset_id.encode()
        full = False
        while not self._stop.is_set():
            self._check()
            try:
                self._producer.produce(self._topic, value=value, key=key, on_delivery=self._on_delivery)
            except BufferError:
                if not full:
                    _log.warning("buffer_full", readings=len(self._producer), action="waiting for the broker")
                full = True
                self._producer.poll(0.2)
            else:
                if full:
                    _log.info("buffer_has_room")
                self._counters[reading.asset_id] = seq + 1
                return True
        return False

    def poll(self) -> None:
        """Take delivery reports.

        Raises
        ------
        KafkaException
            If the producer can never send again.
        """
        self._producer.poll(0)
        self._metrics.waiting.set(len(self._producer))
        self._check()

    def close(self, timeout_s: float) -> None:
        """Send what is buffered; say what could not be sent in time."""
        waiting = self._producer.flush(timeout_s)
        if waiting:
            _log.warning("readings_not_sent", readings=waiting, reason="the broker did not take them in time")
            self._producer.purge()
            self._producer.poll(0)

    def _check(self) -> None:
        if self._fatal is not None:
            raise KafkaException(self._fatal)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._metrics.readings.labels(outcome="stored").inc()
            return
        self._metrics.readings.labels(outcome="refused").inc()
        if is_fatal(error):
            self._fatal = error
        elif error.code() != KafkaError._PURGE_QUEUE:  # noqa: SLF001  # the library's own name for it
            _log.error("reading_refused", key=message.key(), reason=error.str(), code=error.name())
