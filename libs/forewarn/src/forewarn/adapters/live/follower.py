"""A thread that follows topics without a consumer group: every API process sees everything."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, TopicPartition

from forewarn.adapters.kafka.config import consumer_config, read_ahead
from forewarn.adapters.kafka.errors import error_of, is_fatal
from forewarn.adapters.kafka.polling import poll_records
from forewarn.contracts.limits import KIB, MAX_TURN_BYTES
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Record

_log = structlog.get_logger(__name__)
_BATCH: Final = 1_000
_RETRY_S: Final = 0.5
_BROKER_TIMEOUT_S: Final = 5.0

#: Where to start on a topic: None for its beginning, otherwise so many seconds before now (0: at its end).
Start = float | None


class TopicFollower:
    """Hands every record of some topics to ``take``, in batches, in the order of each partition.

    Survives a broker that is away or has no such topics yet; what ends the thread stands in ``failure``.
    ``caught_up`` is set once everything that was there at the start has been handed over.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        starts: Mapping[str, Start],
        take: Callable[[Sequence[Record]], None],
        *,
        client_id: str,
        clock: Clock,
        batch_wait_s: float,
    ) -> None:
        self._starts = starts
        self._take = take
        self._name = client_id
        self._clock = clock
        self._batch_wait_s = batch_wait_s
        wait_ms = max(int(batch_wait_s * 1000), 10)
        # The group is only a name: partitions are assigned by hand and nothing is committed.
        self._consumer = Consumer(
            consumer_config(
                bootstrap_servers,
                group_id=client_id,
                client_id=client_id,
                # Few large fetches cost the broker less than many small ones; nothing needs them sooner.
                **{"fetch.wait.max.ms": wait_ms, "fetch.min.bytes": 64 * KIB},
                **read_ahead(MAX_TURN_BYTES // 2),
                # Ends show that a topic has been read; positions do not, as transactions end with a marker.
                **{"enable.partition.eof": any(start != 0 for start in starts.values())},
            )
        )
        self.failure: Exception | None = None
        self.caught_up = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        try:
            waiting = self._assign_when_possible()
            while not self._stop.is_set():
                if not waiting:
                    self.caught_up.set()
                records = poll_records(
                    self._consumer,
                    max_messages=_BATCH,
                    max_bytes=MAX_TURN_BYTES,
                    timeout_s=self._batch_wait_s,
                    on_end=lambda end: waiting.discard((end.topic(), end.partition())),
                )
                if records:
                    self._take(records)
        except Exception as exc:  # noqa: BLE001  # the thread ends here either way, its owner must know
            _log.exception("follower_failed", follower=self._name)
            self.failure = exc

    def _assign_when_possible(self) -> set[tuple[str | None, int | None]]:
        """Assign every partition; returns those whose present end must be reached first."""
        while not self._stop.is_set():
            try:
                partitions = self._partitions()
            except KafkaException as exc:
                if is_fatal(error_of(exc)):
                    raise
                _log.warning("follower_waiting", follower=self._name, reason=str(exc))
                partitions = []
            if partitions:
                self._consumer.assign(partitions)
                return {(p.topic, p.partition) for p in partitions if self._starts[p.topic] != 0}
            self._stop.wait(_RETRY_S)
        return set()

    def _partitions(self) -> list[TopicPartition]:
        """All partitions with the offset to start from; none while a topic does not exist yet."""
        known = self._consumer.list_topics(timeout=_BROKER_TIMEOUT_S).topics
        missing = [topic for topic in self._starts if topic not in known or not known[topic].partitions]
        if missing:
            _log.warning("follower_waiting", follower=self._name, reason=f"no such topic: {', '.join(missing)}")
            return []
        partitions: list[TopicPartition] = []
        for topic, start in self._starts.items():
            numbers = sorted(known[topic].partitions)
            if start is None:
                partitions += [TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers]
            else:
                since_ms = int((self._clock.now().timestamp() - start) * 1000) if start else OFFSET_END
                partitions += self._offsets([TopicPartition(topic, number, since_ms) for number in numbers])
        return partitions

    def _offsets(self, times: list[TopicPartition]) -> list[TopicPartition]:
        """Offsets of the first records since these times; where there is none, or for the time ``OFFSET_END``, the end.

        Ends are numbers, not "the end": librdkafka would look for that when it first fetches, and what is
        published until then would never be seen.
        """
        found = self._asked(times)
        ends = [place for place in found if place.offset == OFFSET_END]
        return [place for place in found if place.offset != OFFSET_END] + (self._asked(ends) if ends else [])

    def _asked(self, times: list[TopicPartition]) -> list[TopicPartition]:
        found = self._consumer.offsets_for_times(times, timeout=_BROKER_TIMEOUT_S)
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        return found
