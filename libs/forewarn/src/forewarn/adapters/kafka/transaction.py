"""Kafka transactions: outputs, snapshots and consumed offsets become visible together or not at all."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, Producer, TopicPartition

from forewarn.adapters.kafka.config import producer_config
from forewarn.adapters.kafka.errors import error_of, is_fatal
from forewarn.adapters.kafka.membership import GroupMember, Position
from forewarn.adapters.kafka.producing import produce
from forewarn.adapters.retrying import retry
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.lanes import Output

_STEP_TIMEOUT_S: Final = 10.0
_log = structlog.get_logger(__name__)


class TransactionAborted(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The transaction was rolled back: rebuild the state and process the records again."""


class OutputTooLarge(Exception):  # noqa: N818  # as above
    """A message does not fit into its topic; the transaction was rolled back."""


class TransactionalProducer:
    """Publishes batches in transactions.

    A process that was declared dead and replaced is fenced by the broker: its next call raises a fatal
    ``KafkaException`` and the process must end.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        transactional_id: str,
        prefix: str,
        on_wait: Callable[[], None],
        timeout_s: float = 60.0,
    ) -> None:
        self._prefix = prefix
        self._on_wait = on_wait
        self._producer = Producer(
            producer_config(
                bootstrap_servers,
                client_id=transactional_id,
                **{
                    "transactional.id": transactional_id,
                    "transaction.timeout.ms": int(timeout_s * 1000),
                    "linger.ms": 0,  # a commit flushes anyway
                    "queue.buffering.max.kbytes": 32 * 1024,
                },
            )
        )
        self._was_failed = False
        self._retry("init_transactions", lambda: self._producer.init_transactions(_STEP_TIMEOUT_S))

    def commit(
        self, outputs: Iterable[Output], positions: Sequence[Position], member: GroupMember | None
    ) -> Counter[TopicName]:
        """Publish outputs and the positions of a group's member in one transaction; waits out broker outages.

        Returns the number of outputs by topic. A generator of outputs needs memory for one of them at a time.

        Raises
        ------
        TransactionAborted
            If the transaction was rolled back.
        OutputTooLarge
            If it was rolled back because of an output that will never fit.
        KafkaException
            If the producer was fenced or may not write.
        """
        count: Counter[TopicName] = Counter()
        try:
            self._producer.begin_transaction()
            for output in outputs:
                self._produce(output)
                count[output.topic] += 1
            if member is not None and positions:
                places = [_place(position) for position in positions]
                self._producer.send_offsets_to_transaction(places, member.metadata, _STEP_TIMEOUT_S)
            self._retry("commit", lambda: self._producer.commit_transaction(_STEP_TIMEOUT_S))
        except KafkaException as exc:
            error = error_of(exc)
            if error.code() == KafkaError.MSG_SIZE_TOO_LARGE and not is_fatal(error):
                self._abort()
                raise OutputTooLarge(error.str()) from exc
            # A failed send_offsets may be repeated, says the documentation, but librdkafka 2.16 was seen to block
            # for good when the group's coordinator went away in between. Rolling back is always safe.
            can_go_on = error.txn_requires_abort() or error.retriable() or self._has_failed_before(error)
            if is_fatal(error) or not can_go_on:
                raise
            _log.warning("transaction_aborted", reason=error.str(), code=error.name())
            self._abort()
            raise TransactionAborted(error.str()) from exc
        except Exception:
            self._abort()  # making an output failed; the producer must be idle before it is used again
            raise
        self._was_failed = False
        return count

    def _has_failed_before(self, error: KafkaError) -> bool:
        """Return whether the transaction had failed before the call that raised this; False the second time in a row.

        After a roll-back, librdkafka may find a gap in the sequence numbers while the next transaction is open. Every
        call in that transaction then fails with "erroneous state", and rolling it back cures that.
        """
        was_failed, self._was_failed = self._was_failed, error.code() == KafkaError._STATE  # noqa: SLF001  # its own name
        return self._was_failed and not was_failed

    def _abort(self) -> None:
        self._retry("abort", lambda: self._producer.abort_transaction(_STEP_TIMEOUT_S))

    def _produce(self, output: Output) -> None:
        topic = qualified(output.topic, self._prefix)
        produce(self._producer, topic, output.value, key=output.key, partition=output.partition, headers=output.headers)

    def _retry(self, step: str, call: Callable[[], None]) -> None:
        """Repeat a step while the broker says that repeating is safe (it is away, or busy with the previous one)."""

        def wait(problem: BaseException) -> None:
            self._on_wait()
            code = error_of(problem).name() if isinstance(problem, KafkaException) else None
            _log.warning("transaction_waiting", step=step, reason=str(problem), code=code)

        retry(call, _is_retriable, on_wait=wait, pause_s=0.05)


def _is_retriable(problem: BaseException) -> bool:
    if not isinstance(problem, KafkaException):
        return False
    error = error_of(problem)
    return error.retriable() and not is_fatal(error)


def _place(position: Position) -> TopicPartition:
    source, offset = position.source, position.next_offset
    return TopicPartition(source.topic, source.partition, OFFSET_INVALID if offset is None else offset, position.note)
