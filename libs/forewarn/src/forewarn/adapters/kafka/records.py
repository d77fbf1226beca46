"""Messages of the client library become records, its error events are sorted out."""

from collections.abc import Iterable, Sequence

import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from forewarn.adapters.kafka.errors import is_fatal
from forewarn.ports.lanes import Record

_log = structlog.get_logger(__name__)


def records_of(messages: Sequence[Message]) -> list[Record]:
    """Keep the messages that carry data; log passing errors.

    Raises
    ------
    KafkaException
        If one of the events is an error that ends the process.
    """
    errors = [error for message in messages if (error := message.error()) is not None]
    if errors:
        _sort_out(errors)
        messages = [message for message in messages if message.error() is None]
    # Every raw reading passes here: without the call of Record.__new__ it takes half the time.
    return [
        tuple.__new__(Record, (m.topic(), m.partition(), m.offset(), m.timestamp()[1] * 1000, m.key(), m.value()))
        for m in messages
    ]


def _sort_out(errors: Iterable[KafkaError]) -> None:
    for error in errors:
        if is_fatal(error):
            raise KafkaException(error)
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # the library's own name for it
            _log.warning("kafka_event", reason=error.str(), code=error.name())
