"""Messages of the client library become records, its error events are sorted out."""

from collections.abc import Iterable

import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from forewarn.adapters.kafka.errors import is_fatal
from forewarn.ports.lanes import Record

_log = structlog.get_logger(__name__)


def records_of(messages: Iterable[Message]) -> list[Record]:
    """Keep the messages that carry data; log passing errors.

    Raises
    ------
    KafkaException
        If one of the events is an error that ends the process.
    """
    records = []
    for message in messages:
        error = message.error()
        if error is None:
            records.append(_record(message))
        elif is_fatal(error):
            raise KafkaException(error)
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # the library's own name for it
            _log.warning("kafka_event", reason=error.str(), code=error.name())
    return records


def _record(message: Message) -> Record:
    return Record(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1] * 1000,
        message.key(),
        message.value(),
    )
