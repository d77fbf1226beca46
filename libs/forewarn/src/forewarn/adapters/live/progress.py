"""Compares the committed offsets of consumer groups with the ends of their topics, to find stages that stand still."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import structlog

from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.contracts.answers.platform import StageState
from forewarn.contracts.topics import TOPIC_USE, TOPICS, TopicName, qualified
from forewarn.ports.clock import Clock
from forewarn.ports.progress import Progress, StageProgress
from forewarn.ports.store import Source

_log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 5.0
#: Far more than a stage needs for a turn, or to come back after a kill.
STANDS_AFTER_S: Final = 30.0
_ANSWER_S: Final = 5.0

#: Stages and the inputs of their consumer groups. Registry and commands have too little traffic.
_INPUTS: Final[Mapping[str, Sequence[TopicName]]] = {
    service: [
        name for name in TOPIC_USE[service].reads if TOPICS[name].cleanup == "delete" and name is not TopicName.COMMANDS
    ]
    for service in ("validator", "twin", "anomaly", "health", "alerting", "sink")
}
_READ: Final = {name for names in _INPUTS.values() for name in names}
_Bounds: TypeAlias = Mapping[Source, tuple[int, int]]


@dataclass(slots=True)
class _PartitionProgress:
    """A partition as one group reads it."""

    committed: int
    moved_s: float
    peeked_end: int = -1
    oldest: datetime | None = None


class KafkaProgress:
    """Implements ``forewarn.ports.progress.ProgressWatch`` with a thread that polls the broker."""

    def __init__(
        self, bootstrap_servers: str, prefix: str, clock: Clock, *, stands_after_s: float = STANDS_AFTER_S
    ) -> None:
        self._offsets = OffsetLookup(
            bootstrap_servers, f"{prefix}forewarn.progress", timeout_s=_ANSWER_S, is_quiet=True
        )
        self._prefix = prefix
        self._clock = clock
        self._stands_after_s = stands_after_s
        self._readers: dict[tuple[str, Source], _PartitionProgress] = {}
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
        self._offsets.close()

    def latest(self) -> Progress | None:
        """Return the latest result; None if it failed."""
        return self._latest

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._latest = self.look()
            except BrokerUnavailable as exc:
                self._latest = None
                _log.debug("progress_unknown", reason=str(exc))
            except Exception as exc:  # noqa: BLE001  # whatever it is, a monitor must go on
                self._latest = None
                _log.warning("progress_unknown", reason=str(exc))
            self._stop.wait(LOOK_EVERY_S)

    def look(self) -> Progress:
        """Ask the broker for the progress of every stage.

        Raises
        ------
        BrokerUnavailable
            If it does not answer.
        """
        bounds = self._offsets.bounds(
            [source for name in sorted(_READ) for source in self._sources(name)], committed_only=True
        )
        stages = [self._stage(service, names, bounds) for service, names in _INPUTS.items()]
        newest_ms = self._offsets.newest_ms(self._sources(TopicName.READINGS_RAW))
        return Progress(stages=stages, newest_input=None if newest_ms is None else _instant(newest_ms))

    def _sources(self, name: TopicName) -> list[Source]:
        topic = qualified(name, self._prefix)
        return [Source(topic, partition) for partition in range(TOPICS[name].partitions)]

    def _stage(self, service: str, names: Sequence[TopicName], bounds: _Bounds) -> StageProgress:
        sources = [source for name in names for source in self._sources(name)]
        committed = self._offsets.committed(group_id(service, self._prefix), sources)
        behind: list[tuple[_PartitionProgress, str, int]] = []
        for source in sources:
            # What retention has deleted cannot be read; a group without a commit has everything ahead of it.
            first, end = bounds[source]
            position = max(committed.get(source, 0), first)
            reader = self._reader(service, source, position)
            if position < end and self._oldest_unread(reader, source, position, end) is not None:
                behind.append((reader, source.topic, end - position))
        return self._judged(service, behind)

    def _judged(self, service: str, behind: list[tuple[_PartitionProgress, str, int]]) -> StageProgress:
        """Return the state of a stage from its partitions with unread messages."""
        if not behind:
            return StageProgress(service=service, state=StageState.OK, behind_messages=0)
        late = [(reader, topic) for reader, topic, _ in behind if self._age_s(reader) >= self._stands_after_s]
        now_s = self._clock.monotonic_s()
        standing = [one for one in late if now_s - one[0].moved_s >= self._stands_after_s]
        state = StageState.STANDS if standing else StageState.BEHIND if late else StageState.OK
        worst, topic = max(standing or late or [one[:2] for one in behind], key=lambda one: self._age_s(one[0]))
        messages = sum(count for *_, count in behind)
        return StageProgress(service=service, state=state, behind_messages=messages, since=worst.oldest, topic=topic)

    def _age_s(self, reader: _PartitionProgress) -> float:
        return 0.0 if reader.oldest is None else (self._clock.now() - reader.oldest).total_seconds()

    def _reader(self, service: str, source: Source, position: int) -> _PartitionProgress:
        now_s = self._clock.monotonic_s()
        reader = self._readers.setdefault((service, source), _PartitionProgress(position, now_s))
        if reader.committed != position:
            reader.committed, reader.moved_s = position, now_s
            reader.peeked_end, reader.oldest = -1, None
        return reader

    def _oldest_unread(self, reader: _PartitionProgress, source: Source, position: int, end: int) -> datetime | None:
        """Return when the first unread message was written; None if only transaction markers follow."""
        if reader.oldest is None and reader.peeked_end != end:
            written_ms = self._offsets.written_ms(source, position)
            reader.oldest = None if written_ms is None else _instant(written_ms)
            reader.peeked_end = end
        return reader.oldest


def _instant(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, tz=UTC)
