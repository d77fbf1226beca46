"""Confirmed delivery to Kafka from asyncio: a send returns when the broker has confirmed."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as SentMessage

from forewarn.adapters.event_codec import Envelope, Headers, encode_event, topic_headers
from forewarn.adapters.kafka.config import producer_config
from forewarn.adapters.kafka.errors import error_of
from forewarn.contracts.base import Contract
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.delivery import BrokerSilent, DeliveryOverloaded, OutgoingMessage, Undelivered

_POLL_S: Final = 0.2
_PING_TIMEOUT_S: Final = 2.0
_BY_KEY: Final = -1  # librdkafka's PARTITION_UA: the key chooses the partition
_log = structlog.get_logger(__name__)


class _Batch:
    """Counts down the delivery reports of one list and wakes its sender once."""

    def __init__(self, size: int, loop: asyncio.AbstractEventLoop) -> None:
        self.failures: list[Undelivered] = []
        self.done: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._open = size
        self._lock = threading.Lock()

    def settle(self, index: int, reason: str | None) -> None:
        """Note the fate of one more message."""
        with self._lock:
            if reason is not None:
                self.failures.append(Undelivered(index=index, reason=reason))
            self._open -= 1
            last = self._open == 0
        if last and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self.done.done():  # the client may have gone away meanwhile
            self.done.set_result(None)


class KafkaDelivery:
    """Implements ``forewarn.ports.delivery.ConfirmedDelivery`` with one idempotent producer.

    ``timeout_s`` bounds how long a message may be in flight, ``max_under_way`` how many may be and ``max_bytes`` their
    total size: beyond that, lists are refused instead of kept in memory.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        *,
        source: str,
        timeout_s: float,
        max_under_way: int,
        max_bytes: int = 2 * MAX_TURN_BYTES,
    ) -> None:
        self._max_bytes = max_bytes
        self._bytes_under_way = 0
        self._prefix = prefix
        self._source = source
        self._timeout_s = timeout_s
        self._max_under_way = max_under_way
        self._under_way = 0
        self._lock = threading.Lock()
        self._producer = Producer(
            producer_config(
                bootstrap_servers,
                client_id=f"forewarn{source}",
                **{"message.timeout.ms": int(timeout_s * 1000), "queue.buffering.max.messages": max_under_way},
            )
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="delivery-reports", daemon=True)
        self._thread.start()

    async def send(self, messages: Sequence[OutgoingMessage]) -> tuple[Undelivered, ...]:
        """Send in order; returns those that failed, usually none."""
        places = [_BY_KEY if message.partition is None else message.partition for message in messages]
        return await self._send([(message, [], place) for message, place in zip(messages, places, strict=True)])

    async def broadcast(self, message: OutgoingMessage) -> tuple[Undelivered, ...]:
        """Send to every partition of the topic, whatever the key; returns those that failed."""
        topic = qualified(message.topic, self._prefix)
        try:
            found = await asyncio.to_thread(self._producer.list_topics, topic, _PING_TIMEOUT_S)
        except KafkaException as exc:
            raise BrokerSilent(error_of(exc).str()) from exc
        partitions = sorted(found.topics[topic].partitions)
        return await self._send([(message, [], partition) for partition in partitions])

    async def publish(
        self, topic: TopicName, key: str, event: Contract, *, event_id: str, at: datetime
    ) -> Undelivered | None:
        """Send one event; returns why it failed, or None."""
        failed = await self.publish_all(topic, [(key, event, event_id)], at=at)
        return failed[0] if failed else None

    async def publish_all(
        self, topic: TopicName, events: Sequence[tuple[str, Contract, str]], *, at: datetime
    ) -> tuple[Undelivered, ...]:
        """Send events, each with its key and id, in order; returns those that failed."""
        return await self._send([self._addressed(topic, *event, at) for event in events])

    async def retract(self, topic: TopicName, key: str, *, headers: Mapping[str, str]) -> Undelivered | None:
        """Send the tombstone of an entry of a compacted topic; returns why it failed, or None."""
        marks: Headers = [(name, text.encode()) for name, text in headers.items()]
        failed = await self._send([(OutgoingMessage(topic=topic, key=key.encode(), value=None), marks, _BY_KEY)])
        return failed[0] if failed else None

    def _addressed(
        self, topic: TopicName, key: str, event: Contract, event_id: str, at: datetime
    ) -> tuple[OutgoingMessage, Headers, int]:
        headers = topic_headers(topic, event, Envelope(id=event_id, source=self._source, time=at, partition_key=key))
        return OutgoingMessage(topic=topic, key=key.encode(), value=encode_event(event)), headers, _BY_KEY

    async def ping(self) -> None:
        """Ask the broker for its metadata; raises ``BrokerSilent`` if it does not answer."""
        try:
            await asyncio.to_thread(self._producer.list_topics, timeout=_PING_TIMEOUT_S)
        except KafkaException as exc:
            raise BrokerSilent(error_of(exc).str()) from exc

    def close(self) -> None:
        """Wait for what is in flight, then stop."""
        waiting = self._producer.flush(self._timeout_s)
        if waiting:
            _log.warning("messages_abandoned", messages=waiting)
        self._stop.set()
        self._thread.join()

    async def _send(self, messages: Sequence[tuple[OutgoingMessage, Headers, int]]) -> tuple[Undelivered, ...]:
        if not messages:
            return ()
        sizes = [len(message.key or b"") + len(message.value or b"") for message, _, _ in messages]
        self._reserve(len(messages), sum(sizes))
        batch = _Batch(len(messages), asyncio.get_running_loop())
        for index, (message, headers, partition) in enumerate(messages):
            try:
                self._producer.produce(
                    qualified(message.topic, self._prefix),
                    value=message.value,
                    key=message.key,
                    headers=headers,
                    partition=partition,
                    on_delivery=partial(self._report, batch, index, sizes[index]),
                )
            except BufferError:
                self._settle(batch, index, sizes[index], "the send buffer is full")
            except KafkaException as exc:
                self._settle(batch, index, sizes[index], error_of(exc).str())
        await batch.done
        return tuple(sorted(batch.failures, key=lambda failure: failure.index))

    def _reserve(self, count: int, size_bytes: int) -> None:
        with self._lock:
            if self._under_way + count > self._max_under_way:
                raise DeliveryOverloaded(
                    f"{self._under_way} messages wait for the broker, {count} more would exceed {self._max_under_way}"
                )
            # A message above the limit may be sent alone.
            if self._under_way and self._bytes_under_way + size_bytes > self._max_bytes:
                raise DeliveryOverloaded(
                    f"{self._bytes_under_way} bytes wait for the broker, {size_bytes} more would exceed "
                    f"{self._max_bytes}"
                )
            self._under_way += count
            self._bytes_under_way += size_bytes

    def _report(
        self, batch: _Batch, index: int, size_bytes: int, error: KafkaError | None, _message: SentMessage
    ) -> None:
        self._settle(batch, index, size_bytes, None if error is None else error.str())

    def _settle(self, batch: _Batch, index: int, size_bytes: int, reason: str | None) -> None:
        with self._lock:
            self._under_way -= 1
            self._bytes_under_way -= size_bytes
        batch.settle(index, reason)

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(_POLL_S)
