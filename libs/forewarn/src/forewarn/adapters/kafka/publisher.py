"""Publishes JSON events, with CloudEvents headers where the topic's contract asks for them."""

from datetime import datetime

from confluent_kafka import KafkaError, Message, Producer

from forewarn.adapters.event_codec import Envelope, Headers, encode_event, topic_headers
from forewarn.adapters.kafka.config import producer_config
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.producing import produce
from forewarn.contracts.base import Contract
from forewarn.contracts.topics import TopicName, qualified


class DeliveryError(Exception):
    """The broker refused an event; the message names topic, key and reason."""


class EventPublisher:
    """Sends events of one service; ``flush`` confirms that all arrived.

    ``source`` names the sender in CloudEvents (a URI reference such as ``/forewarn/api``).
    """

    def __init__(self, bootstrap_servers: str, prefix: str, *, source: str) -> None:
        self._producer = Producer(producer_config(bootstrap_servers, client_id=f"forewarn{source}"))
        self._prefix = prefix
        self._source = source
        self._failures: list[str] = []

    def publish(self, topic: TopicName, key: str, event: Contract, *, event_id: str, at: datetime) -> None:
        """Queue an event; blocks while the queue is full.

        Raises
        ------
        TypeError
            If the topic does not carry such events.
        """
        envelope = Envelope(id=event_id, source=self._source, time=at, partition_key=key)
        self._produce(topic, key, encode_event(event), topic_headers(topic, event, envelope))

    def flush(self, timeout_s: float) -> None:
        """Wait until every event is stored.

        Raises
        ------
        DeliveryError
            If the broker refused one.
        BrokerUnavailable
            If some are still under way after ``timeout_s``; they stay queued.
        """
        waiting = self._producer.flush(timeout_s)
        if self._failures:
            failures, self._failures = self._failures, []
            raise DeliveryError("; ".join(failures))
        if waiting:
            raise BrokerUnavailable(f"{waiting} events not confirmed within {timeout_s} s: is the broker up?")

    def _produce(self, topic: TopicName, key: str, value: bytes | None, headers: Headers) -> None:
        name = qualified(topic, self._prefix)
        produce(self._producer, name, value, key=key.encode(), headers=headers, on_delivery=self._on_delivery)
        self._producer.poll(0)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            key = message.key()
            shown = key.decode(errors="replace") if isinstance(key, bytes) else key
            self._failures.append(f"{message.topic()} [{shown}]: {error.str()}")
