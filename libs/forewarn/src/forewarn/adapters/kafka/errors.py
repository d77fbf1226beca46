"""The one table of Kafka errors: which end the process, which pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message

# ruff: noqa: SLF001  # codes with an underscore are the library's names of client-side errors

#: Another process has taken over our name.
_FENCED_CODES: Final = frozenset({KafkaError._FENCED, KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID})

#: Another instance has taken over, or the cluster forbids it: going on would do harm or nothing.
_FATAL_CODES: Final = _FENCED_CODES | {
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
}

#: The cluster is starting, moving a coordinator or out of reach: the same call will work later.
_PASSING_CODES: Final = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._RESOLVE,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._WAIT_COORD,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_CONTROLLER,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.REQUEST_TIMED_OUT,
    }
)


class BrokerUnavailable(Exception):  # noqa: N818  # a state of the broker, not a mistake
    """The broker did not answer in time; the operation may be tried again."""


class BrokerRefused(Exception):  # noqa: N818  # as above
    """The broker answered and refuses: trying again does not help."""


@contextmanager
def refusals() -> Iterator[None]:
    """Raise ``BrokerRefused`` for an error of the client, for programs that report it to a person and end."""
    try:
        yield
    except KafkaException as exc:
        raise BrokerRefused(error_of(exc).str()) from exc


def is_fatal(error: KafkaError) -> bool:
    """Return whether an error must end the process."""
    return error.fatal() or error.code() in _FATAL_CODES


def is_fenced(error: KafkaError) -> bool:
    """Return whether the broker has given our name in a group to another process."""
    return error.code() in _FENCED_CODES


def is_passing(error: KafkaError) -> bool:
    """Return whether the same call will work once the cluster is back."""
    return error.code() in _PASSING_CODES


def passes(problem: BaseException) -> bool:
    """Return whether an exception is worth another attempt: no answer in time, or an error that passes."""
    return isinstance(problem, TimeoutError) or (isinstance(problem, KafkaException) and is_passing(error_of(problem)))


def is_partition_end(message: Message) -> bool:
    """Return whether an event marks the end of a partition."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def error_of(exc: KafkaException) -> KafkaError:
    """Return the KafkaError inside an exception.

    Raises
    ------
    TypeError
        There is no error, which librdkafka's client never passes.
    """
    error = exc.args[0]
    if not isinstance(error, KafkaError):
        raise TypeError(f"KafkaException without a KafkaError: {exc!r}") from exc
    return error
