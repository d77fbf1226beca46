"""Sends history to ``readings.raw`` and watches how far the platform is with it."""

from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from forewarn.adapters.disk import DiskSpace, DiskState
from forewarn.adapters.kafka.config import group_id, producer_config
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.publisher import DeliveryError
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.clock import Clock

#: Messages the validator may be behind before sending pauses: live readings of the partition wait behind them.
_BACKLOG_MESSAGES: Final = 250
_FLUSH_S: Final = 60.0
_ANSWER_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.2


class HistorySender:
    """Sends messages in order; keeps the platform's backlog short."""

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        clock: Clock,
        pause: Callable[[float], None],
        *,
        disk: DiskSpace | None = None,
    ) -> None:
        self._disk = disk
        self._producer = Producer(producer_config(bootstrap_servers, client_id="forewarn.import"))
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
        self._topic = qualified(TopicName.READINGS_RAW, prefix)
        self._group = group_id("validator", prefix)
        self._place = bootstrap_servers
        self._clock = clock
        self._pause = pause
        self._ends: dict[int, int] = {}
        self._failure: str | None = None

    def cluster_id(self) -> str:
        """Id of the cluster, which is another one after its data were removed.

        Raises
        ------
        BrokerUnavailable
            If no broker answers, or the platform's topics are not there.
        """
        try:
            found = self._admin.list_topics(timeout=_ANSWER_S)
        except KafkaException as exc:
            raise BrokerUnavailable(f"no Kafka answers at {self._place}: does the platform run?") from exc
        if self._topic not in found.topics:
            raise BrokerUnavailable(f"Kafka at {self._place} has no topic {self._topic}: does the platform run?")
        return str(found.cluster_id)

    def send(self, asset_id: str, message: bytes) -> None:
        """Queue a message; blocks while the queue is full."""
        while True:
            try:
                self._producer.produce(self._topic, value=message, key=asset_id.encode(), on_delivery=self._on_delivery)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until the broker has everything.

        Raises
        ------
        DeliveryError
            If it refused a message.
        BrokerUnavailable
            If it does not answer.
        """
        waiting = self._producer.flush(_FLUSH_S)
        if self._failure is not None:
            raise DeliveryError(self._failure)
        if waiting:
            raise BrokerUnavailable(f"{waiting} messages not confirmed within {_FLUSH_S:g} s: is the broker up?")

    def backlog(self) -> int:
        """Messages of ours that the validator has not taken yet.

        Raises
        ------
        BrokerUnavailable
            If Kafka does not tell.
        """
        if not self._ends:
            return 0
        wanted = [TopicPartition(self._topic, partition) for partition in self._ends]
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(self._group, wanted)])
        try:
            taken = {p.partition: max(0, p.offset) for p in asked[self._group].result(_ANSWER_S).topic_partitions}
        except KafkaException as exc:
            raise BrokerUnavailable(f"Kafka at {self._place} does not tell how far the validator is: {exc}") from exc
        return sum(max(0, end - taken.get(partition, 0)) for partition, end in self._ends.items())

    def wait_for_backlog(self, limit: int, patience_s: float, on_wait: Callable[[int], None]) -> None:
        """Wait until the validator is at most ``limit`` messages behind.

        Raises
        ------
        BrokerUnavailable
            If it takes nothing for ``patience_s``, Kafka does not say how far it is, or its disk is full.
        """
        if self._disk is not None and self._disk.state() is DiskState.FULL:
            raise BrokerUnavailable(
                f"the disk of broker and database has less than {self._disk.reserve_gb:g} GB free (DISK_RESERVE_GB): "
                "free some and run the same command again, it goes on where it stopped"
            )
        least, since_s = self.backlog(), self._clock.monotonic_s()
        while (left := self.backlog()) > limit:
            on_wait(left)
            now_s = self._clock.monotonic_s()
            if left < least:
                least, since_s = left, now_s
            elif now_s - since_s > patience_s:
                raise BrokerUnavailable(
                    f"the validator has taken nothing for {patience_s:g} s ({left} messages wait): does it run?"
                )
            self._pause(_LOOK_EVERY_S)
        on_wait(self.backlog())

    @property
    def room(self) -> int:
        """Backlog up to which sending goes on."""
        return _BACKLOG_MESSAGES

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = self._failure or f"{message.topic()}: {error.str()}"
            return
        partition, offset = message.partition(), message.offset()
        if partition is not None and offset is not None:
            self._ends[partition] = max(offset + 1, self._ends.get(partition, 0))


def assets_at(names: Sequence[str]) -> str:
    """Names for a message, shortened."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"  # the five shown
