"""Converts a consumer's messages to records, and sorts out its error events."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import structlog
from confluent_kafka import Consumer, KafkaException, Message

from forewarn.adapters.kafka.errors import is_fatal, is_partition_end
from forewarn.ports.lanes import Record

T = TypeVar("T")

_log = structlog.get_logger(__name__)


def record_of(message: Message) -> Record:
    """Return a message that carries data as a record."""
    return records_of((message,))[0]


def records_of(messages: Sequence[Message]) -> list[Record]:
    """Return the messages that carry data; log passing errors.

    Raises
    ------
    KafkaException
        If one of the events is an error that ends the process.
    """
    events = [message for message in messages if message.error() is not None]
    if events:
        _sort_out(events)
        messages = [message for message in messages if message.error() is None]
    # Every raw reading passes here: without the call of Record.__new__ it takes half the time.
    return [
        tuple.__new__(Record, (m.topic(), m.partition(), m.offset(), m.timestamp()[1] * 1000, m.key(), m.value()))
        for m in messages
    ]


def poll_batch(
    consumer: Consumer,
    convert: Callable[[Message], T],
    *,
    max_messages: int,
    max_bytes: int,
    timeout_s: float,
    on_end: Callable[[Message], None] = lambda _end: None,
) -> list[T]:
    """Wait for a message, then take what has been fetched already; returns the converted messages.

    Ends with the message that reaches ``max_bytes`` of keys and values. Messages are taken one by one: the client
    library bounds a batch by number alone (64 messages may be 1 GB), and what is not converted, headers above all, is
    freed at once.

    Parameters
    ----------
    on_end
        Called with each end-of-partition event, if the consumer asked for those.

    Raises
    ------
    KafkaException
        If an event is an error that ends the process.
    """
    taken: list[T] = []
    size_bytes = 0
    message = consumer.poll(timeout_s)
    while message is not None:
        if message.error() is None:
            taken.append(convert(message))
            size_bytes += len(message.key() or b"") + len(message.value() or b"")
        elif is_partition_end(message):
            on_end(message)
        else:
            _sort_out((message,))
        message = None if len(taken) >= max_messages or size_bytes >= max_bytes else consumer.poll(0)
    return taken


def _sort_out(events: Iterable[Message]) -> None:
    for event in events:
        error = event.error()
        if error is None or is_partition_end(event):
            continue
        if is_fatal(error):
            raise KafkaException(error)
        _log.warning("kafka_event", reason=error.str(), code=error.name())
