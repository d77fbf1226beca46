"""Reads a known stretch of a partition: records to replay, or the newest snapshot."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.errors import BrokerUnavailable, error_of, is_fatal, is_partition_end, passes
from forewarn.adapters.kafka.offsets import wait_for_metadata
from forewarn.adapters.kafka.records import records_of
from forewarn.adapters.kafka.snapshots import LaneSnapshot, SnapshotAssembly
from forewarn.adapters.retrying import retry
from forewarn.contracts.limits import KIB
from forewarn.ports.lanes import Record

_FIRST_LOOK_BACK: Final = 8  # a transaction leaves a marker behind each snapshot
_BATCH: Final = 5_000


class PartitionReader:
    """Reads stretches of partitions with committed data only, outside any consumer group."""

    def __init__(self, bootstrap_servers: str, *, client_id: str, patience_s: float = 30.0) -> None:
        # The broker reports a partition's end only after the fetch's wait: keep that short.
        own = {"enable.partition.eof": True, "fetch.wait.max.ms": 5, "fetch.message.max.bytes": 512 * KIB}
        self._consumer = Consumer(consumer_config(bootstrap_servers, group_id=client_id, client_id=client_id, **own))
        self._patience_s = patience_s
        self._is_connected = False

    def close(self) -> None:
        """Release the connection."""
        self._consumer.close()

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first retained offset and the one after the last committed message; blocks up to ``patience_s``.

        Raises
        ------
        BrokerUnavailable
            If the broker does not answer.
        """
        place = TopicPartition(topic, partition)

        def look() -> tuple[int, int]:
            if not self._is_connected:
                wait_for_metadata(self._consumer, self._patience_s)
                self._is_connected = True
            return self._consumer.get_watermark_offsets(place, timeout=self._patience_s)

        try:
            return retry(look, passes, patience_s=self._patience_s)  # a fresh topic has no leader for a moment
        except KafkaException as exc:
            if is_fatal(error_of(exc)):
                raise
            raise BrokerUnavailable(f"{topic}/{partition}: {exc}") from exc

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[Record]]:
        """Yield the retained records from ``start`` to before ``end``, in order, in batches of bounded size.

        Raises
        ------
        BrokerUnavailable
            If nothing comes for ``patience_s``.
        """
        low, high = self.bounds(topic, partition)
        start, end = max(start, low), min(end, high)
        if start >= end:
            return
        self._consumer.assign([TopicPartition(topic, partition, start)])
        try:
            while start < end:
                messages = self._next_messages(topic, partition)
                records = [r for r in records_of(messages) if r.offset < end]
                if records:
                    start = records[-1].offset + 1
                    yield records
                if any(is_partition_end(message) for message in messages):
                    return
        finally:
            self._consumer.unassign()

    def newest_snapshot(self, topic: str, partition: int) -> LaneSnapshot | None:
        """Return the newest complete snapshot of a lane: looks back from the end in growing steps."""
        low, high = self.bounds(topic, partition)
        look_back = _FIRST_LOOK_BACK
        while high > low:
            start = max(low, high - look_back)
            assembly = SnapshotAssembly()
            for records in self.read(topic, partition, start, high):
                for record in records:
                    assembly.take(record.value)
            if assembly.newest is not None:
                return assembly.newest
            if start == low:
                break
            look_back *= 8
        return None

    def _next_messages(self, topic: str, partition: int) -> list[Message]:
        # poll() returns with the first message; consume() alone would sit out its whole time limit.
        first = self._consumer.poll(self._patience_s)
        if first is None:
            raise BrokerUnavailable(f"{topic}/{partition}: nothing came for {self._patience_s} s")
        return [first, *self._consumer.consume(_BATCH, timeout=0)]
