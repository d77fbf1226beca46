"""The one way to produce with backpressure: the caller waits while the queue is full."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from forewarn.adapters.kafka.config import producer_config
from forewarn.adapters.kafka.errors import is_fatal

_ANY_PARTITION: Final = -1  # librdkafka's PARTITION_UA: the key decides
_WAIT_S: Final = 0.1

OnDelivery = Callable[[KafkaError | None, Message], None]


def produce(
    producer: Producer,
    topic: str,
    value: bytes | None,
    *,
    key: bytes | None,
    partition: int | None = None,
    headers: Sequence[tuple[str, str | bytes | None]] = (),
    on_delivery: OnDelivery | None = None,
    on_full: Callable[[], bool] = lambda: True,
) -> bool:
    """Queue a message; blocks while the queue is full.

    Meanwhile ``on_full`` is called about ten times a second; if it returns False, the message is given up and False is
    returned.
    """
    while True:
        try:
            producer.produce(
                topic,
                value=value,
                key=key,
                headers=list(headers),
                partition=_ANY_PARTITION if partition is None else partition,
                on_delivery=on_delivery,
            )
        except BufferError:  # let deliveries make room
            producer.poll(_WAIT_S)
            if not on_full():
                return False
        else:
            return True


class QueuedProducer:
    """Sends messages to a topic in order, at least once; one thread.

    While something is sent, polled or flushed, ``on_stored`` is called with partition and offset of each message
    that was stored, ``on_refused`` with key and reason of each that was not. Without ``on_stored`` only failures are
    reported, which is cheaper.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        *,
        client_id: str,
        on_refused: Callable[[bytes | str | None, str], None],
        on_stored: Callable[[int, int], None] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        reports = {"delivery.report.only.error": on_stored is None}
        config = producer_config(bootstrap_servers, client_id=client_id, **reports, **(settings or {}))
        self._producer = Producer(config)
        self._topic = topic
        self._on_stored = on_stored
        self._on_refused = on_refused
        self._fatal: KafkaError | None = None

    def __len__(self) -> int:
        return len(self._producer)

    def send(self, key: bytes, value: bytes, *, on_full: Callable[[], bool] = lambda: True) -> bool:
        """Queue a message; blocks and returns like ``produce``, raises like ``poll``."""

        def go_on() -> bool:
            self._check()
            return on_full()

        self._check()
        return produce(self._producer, self._topic, value, key=key, on_delivery=self._settle, on_full=go_on)

    def send_all(self, messages: Sequence[dict[str, Any]]) -> None:
        """Queue many messages (``key`` and ``value``) at once; blocks while the queue is full, raises like ``poll``."""
        waiting = list(messages)
        while waiting:
            queued = self._producer.produce_batch(self._topic, waiting, on_delivery=self._settle)
            is_full = queued < len(waiting)
            waiting = [message for message in waiting if message.pop("_error", None) is not None] if is_full else []
            self._producer.poll(0.01 if is_full else 0)
            self._check()

    def poll(self) -> None:
        """Take delivery reports.

        Raises
        ------
        KafkaException
            If the producer can never send again.
        """
        self._producer.poll(0)
        self._check()

    def flush(self, timeout_s: float) -> int:
        """Wait for all delivery reports; returns how many are still missing."""
        return self._producer.flush(timeout_s)

    def purge(self) -> None:
        """Drop what is queued; it counts as refused."""
        self._producer.purge()
        self._producer.poll(0)

    def _check(self) -> None:
        if self._fatal is not None:
            raise KafkaException(self._fatal)

    def _settle(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            partition, offset = message.partition(), message.offset()
            if self._on_stored is not None and partition is not None and offset is not None:
                self._on_stored(partition, offset)
            return
        if is_fatal(error):
            self._fatal = error
        self._on_refused(message.key(), error.str())
