"""A thread that follows topics without a consumer group: every process sees everything."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import structlog
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from forewarn.adapters.kafka.cluster import TopicMissingError
from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.errors import error_of, is_fatal
from forewarn.adapters.kafka.offsets import checked
from forewarn.adapters.kafka.records import poll_batch
from forewarn.adapters.retrying import retry
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.ports.clock import Clock

T = TypeVar("T")

_log = structlog.get_logger(__name__)
_BATCH: Final = 1_000
_RETRY_S: Final = 0.5
_BROKER_TIMEOUT_S: Final = 5.0

#: Where to start on a topic: None for its beginning, otherwise so many seconds before now (0: at its end).
Start = float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerConfig:
    """Settings of a follower.

    Messages that come within ``batch_wait_s`` are handed over together. With ``commits_as`` offsets are committed for
    that group after each batch, so that others can see the follower's progress; partitions are assigned by hand all the
    same. ``settings`` are the client library's.
    """

    bootstrap_servers: str
    client_id: str
    batch_wait_s: float
    commits_as: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


class TopicFollower(Generic[T]):
    """Hands every message of some topics to ``take``, converted by ``convert``, in the order of each partition.

    Survives a broker that is away or has no such topics yet; ``failure`` holds what ended the thread. ``caught_up`` is
    set once everything that was there at the start has been handed over, or the thread has ended.
    """

    def __init__(
        self,
        config: FollowerConfig,
        starts: Mapping[str, Start],
        convert: Callable[[Message], T],
        take: Callable[[Sequence[T]], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._starts = starts
        self._convert = convert
        self._take = take
        self._name = config.client_id
        self._clock = clock
        self._uncommitted = False
        self._consumer = Consumer(
            consumer_config(
                config.bootstrap_servers,
                group_id=config.commits_as or config.client_id,
                client_id=config.client_id,
                on_commit=self._on_commit,
                # A transaction at the end leaves a marker behind the last message: only this event reports its end.
                **{"enable.partition.eof": any(start != 0 for start in starts.values())},
                **config.settings,
            )
        )
        self.failure: Exception | None = None
        self.caught_up = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=config.client_id, daemon=True)

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
        def note_end(end: Message) -> None:
            waiting.pop((end.topic(), end.partition()), None)

        try:
            waiting = self._assign()
            while not self._stop.is_set():
                if not waiting:
                    self.caught_up.set()
                taken = poll_batch(
                    self._consumer,
                    self._convert,
                    max_messages=_BATCH,
                    max_bytes=MAX_TURN_BYTES,
                    timeout_s=self._config.batch_wait_s,
                    on_end=note_end,
                )
                if taken:
                    self._take(taken)
                self._commit(anything_new=bool(taken))
                if waiting and taken:
                    self._note_progress(waiting)
        except Exception as exc:  # noqa: BLE001  # the thread ends here either way; its owner must know
            if not self._stop.is_set():
                _log.exception("follower_failed", follower=self._name)
                self.failure = exc
                self.caught_up.set()

    def _assign(self) -> dict[tuple[str | None, int | None], int]:
        """Assign every partition as soon as possible; returns those whose present end is to be reached first."""

        def wait(problem: BaseException) -> None:
            _log.warning("follower_waiting", follower=self._name, reason=str(problem))

        partitions, ends = retry(self._partitions, _may_come, on_wait=wait, pause_s=_RETRY_S, stop=self._stop)
        self._consumer.assign(partitions)
        return ends

    def _partitions(self) -> tuple[list[TopicPartition], dict[tuple[str | None, int | None], int]]:
        """Return where to start on each partition, and the ends of those that are not started at the end."""
        known = self._consumer.list_topics(timeout=_BROKER_TIMEOUT_S).topics
        if missing := [topic for topic in self._starts if topic not in known or not known[topic].partitions]:
            raise TopicMissingError(f"no such topic: {', '.join(missing)}")
        starts: list[TopicPartition] = []
        ends: dict[tuple[str | None, int | None], int] = {}
        for topic, start in self._starts.items():
            numbers = sorted(known[topic].partitions)
            # Ends are numbers, not "the end": librdkafka would look that up at its first fetch, and miss what is
            # published until then.
            last = self._offsets([TopicPartition(topic, number, OFFSET_END) for number in numbers])
            if start is None:
                starts += [TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers]
            elif start == 0:
                starts += last
            else:
                since_ms = int((self._clock.now().timestamp() - start) * 1000)
                found = self._offsets([TopicPartition(topic, number, since_ms) for number in numbers])
                starts += [place if place.offset >= 0 else end for place, end in zip(found, last, strict=True)]
            if start != 0:
                ends |= {(end.topic, end.partition): end.offset for end in last if end.offset > 0}
        return starts, ends

    def _offsets(self, times: list[TopicPartition]) -> list[TopicPartition]:
        """Return the offsets of the first messages since these times; the end offset for the time ``OFFSET_END``."""
        return checked(self._consumer.offsets_for_times(times, timeout=_BROKER_TIMEOUT_S))

    def _note_progress(self, waiting: dict[tuple[str | None, int | None], int]) -> None:
        for place in self._consumer.position([TopicPartition(str(t), int(p or 0)) for t, p in waiting]):
            if place.offset >= waiting[place.topic, place.partition]:
                del waiting[place.topic, place.partition]

    def _commit(self, *, anything_new: bool) -> None:
        """Commit the position; what the broker did not take is committed again with the next batch."""
        self._uncommitted = self._config.commits_as is not None and (self._uncommitted or anything_new)
        if self._uncommitted:
            read = [place for place in self._consumer.position(self._consumer.assignment()) if place.offset >= 0]
            self._uncommitted = not read
            if read:
                self._consumer.commit(offsets=read, asynchronous=True)

    def _on_commit(self, error: KafkaError | None, _places: list[TopicPartition]) -> None:
        self._uncommitted = self._uncommitted or error is not None


def _may_come(problem: BaseException) -> bool:
    if isinstance(problem, KafkaException):
        return not is_fatal(error_of(problem))
    return isinstance(problem, TopicMissingError)
