"""Takes messages off a consumer, as many as are there, bounded in number and in bytes."""

from collections.abc import Callable

from confluent_kafka import Consumer, KafkaError, Message

from forewarn.adapters.kafka.records import records_of
from forewarn.ports.lanes import Record


def poll_records(
    consumer: Consumer,
    *,
    max_messages: int,
    max_bytes: int,
    timeout_s: float,
    on_end: Callable[[Message], None] = lambda _end: None,
) -> list[Record]:
    """Wait for a message, then take what has been fetched already.

    Ends with the message that reaches ``max_bytes`` of keys and values. Messages are taken one by one, because a
    batch of the client library is bounded by its number alone: 64 messages may be 1 GB.

    Parameters
    ----------
    on_end
        Called with the event that says that the end of a partition was reached, if the consumer asked for those.

    Raises
    ------
    KafkaException
        If an event is an error that ends the process.
    """
    records: list[Record] = []
    size_bytes = 0
    message = consumer.poll(timeout_s)
    while message is not None:
        if message.error() is None or not _is_end(message):
            records += (taken := records_of([message]))
            size_bytes += sum(size_of(record) for record in taken)
        else:
            on_end(message)
        # Message by message: what it holds beside the record, its headers above all, is free again at once.
        message = None if len(records) >= max_messages or size_bytes >= max_bytes else consumer.poll(0)
    return records


def size_of(record: Record) -> int:
    """Bytes of key and value."""
    return len(record.key or b"") + len(record.value or b"")


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  # the library's own name
