"""Which Kafka errors end the process, which pass by themselves."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException

#: Another instance has taken over, or the cluster forbids what we do: going on would do harm or nothing.
_FATAL_CODES: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001  # the library's own way to name client-side errors
        KafkaError._FATAL,  # noqa: SLF001  # as above
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)

#: The cluster is starting, moving a coordinator or out of reach: the same call will work later.
_PASSING_CODES: Final = frozenset(
    {
        KafkaError._TIMED_OUT,  # noqa: SLF001  # as above
        KafkaError._TRANSPORT,  # noqa: SLF001  # as above
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001  # as above
        KafkaError._WAIT_COORD,  # noqa: SLF001  # as above
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.REQUEST_TIMED_OUT,
    }
)


class BrokerUnavailable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The broker did not answer in time; the operation may be tried again."""


def is_fatal(error: KafkaError) -> bool:
    """Tell whether an error must end the process."""
    return error.fatal() or error.code() in _FATAL_CODES


def is_passing(error: KafkaError) -> bool:
    """Tell whether the same call will work once the cluster is back."""
    return error.code() in _PASSING_CODES


def error_of(exc: KafkaException) -> KafkaError:
    """The KafkaError inside an exception.

    Raises
    ------
    TypeError
        If there is none, which librdkafka's client never does.
    """
    error = exc.args[0]
    if not isinstance(error, KafkaError):
        raise TypeError(f"KafkaException without a KafkaError: {exc!r}") from exc
    return error
