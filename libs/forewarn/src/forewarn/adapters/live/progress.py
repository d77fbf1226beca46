"""Compares what consumer groups have committed with the ends of their topics: a stage that stands is named."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import structlog
from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not among what it declares

from forewarn.adapters.kafka.acquaintance import get_acquainted
from forewarn.adapters.kafka.config import consumer_config, group_id
from forewarn.contracts.answers.platform import StageState
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.ports.clock import Clock
from forewarn.ports.progress import Progress, StageProgress

_log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 5.0
#: Far beyond what a stage needs for a turn, or to come back after it was killed.
STANDS_AFTER_S: Final = 30.0
_ANSWER_S: Final = 5.0
_PEEK_S: Final = 2.0

_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library leaves it untyped
_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # as above
_MAX_TIMESTAMP: Final = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]  # as above

#: Stages and what they read through their consumer group. Registry and commands come seldom and are left out.
_INPUTS: Final[Mapping[str, tuple[TopicName, ...]]] = {
    "validator": (TopicName.READINGS_RAW,),
    "twin": (TopicName.READINGS_VALID,),
    "anomaly": (TopicName.TWIN_STATES,),
    "health": (TopicName.ANOMALY_SCORES,),
    "alerting": (TopicName.READINGS_VALID, TopicName.ANOMALY_SCORES, TopicName.ASSET_HEALTH),
    "sink": (
        TopicName.READINGS_VALID,
        TopicName.ANOMALY_SCORES,
        TopicName.ASSET_HEALTH,
        TopicName.ALERTS,
        TopicName.READINGS_REJECTED,
    ),
}
_READ: Final = {name for names in _INPUTS.values() for name in names}
_Offsets: TypeAlias = Mapping[tuple[str, int], int]


@dataclass(slots=True)
class _Reader:
    """What is known of one partition as one group reads it."""

    committed: int
    moved_s: float
    peeked_end: int = -1
    oldest: datetime | None = None


class KafkaProgress:
    """Implements ``forewarn.ports.progress.ProgressWatch`` with a thread that asks the broker every few seconds."""

    def __init__(
        self, bootstrap_servers: str, prefix: str, clock: Clock, *, stands_after_s: float = STANDS_AFTER_S
    ) -> None:
        self._servers = bootstrap_servers
        self._prefix = prefix
        self._clock = clock
        self._stands_after_s = stands_after_s
        self._admin: AdminClient | None = None
        self._readers: dict[tuple[str, str, int], _Reader] = {}
        self._groups: dict[str, Consumer] = {}
        self._latest: Progress | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Start looking."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._forget_clients()

    def latest(self) -> Progress | None:
        """What the last look found; None if it failed."""
        return self._latest

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._latest = self.look()
            except (KafkaException, TimeoutError) as exc:
                self._latest = None
                self._forget_clients()
                _log.debug("progress_unknown", reason=str(exc))
            self._stop.wait(LOOK_EVERY_S)

    def look(self) -> Progress:
        """Ask the broker how far every stage is.

        Raises
        ------
        KafkaException, TimeoutError
            If it does not answer.
        """
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self._servers, "log_level": 0})
            get_acquainted(self._admin, _ANSWER_S)
        admin = self._admin
        places = [place for name in sorted(_READ) for place in self._places(name)]
        ends = _offsets(admin, places, _LATEST)
        firsts = _offsets(admin, places, _EARLIEST)
        stages = [self._stage(service, names, firsts, ends) for service, names in _INPUTS.items()]
        raw = _listed(admin, self._places(TopicName.READINGS_RAW), _MAX_TIMESTAMP)
        newest_ms = max(timestamp_ms for _, (_, timestamp_ms) in raw)
        return Progress(stages=stages, newest_input=_instant(newest_ms) if newest_ms > 0 else None)

    def _places(self, name: TopicName) -> list[Place]:
        topic = qualified(name, self._prefix)
        return [Place(topic, partition) for partition in range(TOPICS[name].partitions)]

    def _stage(self, service: str, names: Sequence[TopicName], firsts: _Offsets, ends: _Offsets) -> StageProgress:
        places = [place for name in names for place in self._places(name)]
        committed = self._committed(service, places)
        behind: list[tuple[_Reader, str, int]] = []
        for place in places:
            key = (place.topic, place.partition)
            # What retention has deleted cannot be read; a group without a commit has everything before it.
            position, end = max(committed.get(key, 0), firsts[key]), ends[key]
            reader = self._reader(service, *key, position)
            if position < end and self._oldest_unread(reader, Place(*key, position), end) is not None:
                behind.append((reader, place.topic, end - position))
        return self._judged(service, behind)

    def _committed(self, service: str, places: list[Place]) -> dict[tuple[str, int], int]:
        """Ask as a member of the group would, without joining it.

        The admin client's own question for it crashes the process (confluent-kafka 2.16.1) while the group's
        coordinator is not there.
        """
        if service not in self._groups:
            group = group_id(service, self._prefix)
            client_id = f"{self._prefix}forewarn.progress"
            self._groups[service] = Consumer(
                consumer_config(self._servers, group_id=group, client_id=client_id, log_level=0)
            )
        found = self._groups[service].committed(places, timeout=_ANSWER_S)
        return {(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

    def _forget_clients(self) -> None:
        """Clients that lived through a broker's restart may ask with the old epoch for good."""
        self._admin = None
        while self._groups:
            self._groups.popitem()[1].close()

    def _judged(self, service: str, behind: list[tuple[_Reader, str, int]]) -> StageProgress:
        """Say what the partitions that are not read to their end amount to."""
        if not behind:
            return StageProgress(service=service, state=StageState.OK, behind_messages=0)
        late = [(reader, topic) for reader, topic, _ in behind if self._age_s(reader) >= self._stands_after_s]
        now_s = self._clock.monotonic_s()
        standing = [one for one in late if now_s - one[0].moved_s >= self._stands_after_s]
        state = StageState.STANDS if standing else StageState.BEHIND if late else StageState.OK
        worst, topic = max(standing or late or [one[:2] for one in behind], key=lambda one: self._age_s(one[0]))
        messages = sum(count for *_, count in behind)
        return StageProgress(service=service, state=state, behind_messages=messages, since=worst.oldest, topic=topic)

    def _age_s(self, reader: _Reader) -> float:
        return 0.0 if reader.oldest is None else (self._clock.now() - reader.oldest).total_seconds()

    def _reader(self, service: str, topic: str, partition: int, position: int) -> _Reader:
        now_s = self._clock.monotonic_s()
        reader = self._readers.setdefault((service, topic, partition), _Reader(position, now_s))
        if reader.committed != position:
            reader.committed, reader.moved_s = position, now_s
            reader.peeked_end, reader.oldest = -1, None
        return reader

    def _oldest_unread(self, reader: _Reader, place: Place, end: int) -> datetime | None:
        """When the first unread message was written; None if only marks of transactions follow."""
        if reader.oldest is None and reader.peeked_end != end:
            reader.oldest, reader.peeked_end = self._peek(place), end
        return reader.oldest

    def _peek(self, place: Place) -> datetime | None:
        name = f"{self._prefix}forewarn.progress"
        # A group in name only: the partition is assigned by hand and nothing is committed.
        settings = consumer_config(self._servers, group_id=name, client_id=name)
        consumer = Consumer(settings | {"enable.partition.eof": True, "log_level": 0})
        try:
            consumer.assign([place])
            message = consumer.poll(_PEEK_S)
            if message is None:
                raise TimeoutError(f"{place.topic}/{place.partition} could not be read within {_PEEK_S:g} s")
            if (error := message.error()) is None:
                return _instant(message.timestamp()[1])
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # the library's own name
                return None
            raise KafkaException(error)
        finally:
            consumer.close()


def _offsets(admin: AdminClient, places: list[Place], spec: OffsetSpec) -> dict[tuple[str, int], int]:
    return {place: offset for place, (offset, _) in _listed(admin, places, spec)}


def _listed(admin: AdminClient, places: list[Place], spec: OffsetSpec) -> list[tuple[tuple[str, int], tuple[int, int]]]:
    """Offset and timestamp [ms] of each partition."""
    asked = admin.list_offsets(
        dict.fromkeys(places, spec), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_ANSWER_S
    )
    answers = ((place, answer.result(_ANSWER_S)) for place, answer in asked.items())
    return [((place.topic, place.partition), (found.offset, found.timestamp)) for place, found in answers]


def _instant(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, tz=UTC)
