"""Reads the topic ``commands``; a command that keeps ending the process is put aside (ADR 0027).

Before a service works on commands, it notes them beside the group's offset. A process that finds such a note works on
the noted commands in smaller and smaller pieces, until the one that ended its predecessors is alone.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, Consumer, KafkaException, Producer, TopicPartition
from pydantic import BaseModel, ValidationError

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.config import consumer_config, group_id, producer_config
from forewarn.adapters.kafka.lane_note import Attempt, LaneNote, Suspicion, judged
from forewarn.adapters.kafka.membership import committed_positions
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.adapters.kafka.producing import produce
from forewarn.adapters.kafka.records import poll_batch, record_of
from forewarn.adapters.rejections import quarantined
from forewarn.contracts.assets import Command
from forewarn.contracts.base import Identifier
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.ports.codec import InvalidEvent
from forewarn.ports.commands import UnreadableCommand
from forewarn.ports.lanes import Record
from forewarn.ports.store import Source

_MOST_AT_ONCE: Final = 100
_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 60.0
_PUT_ASIDE: Final = "it ended the service several times and was put aside (readings.rejected)"
_log = structlog.get_logger(__name__)


class _Sender(BaseModel):
    """The part of a command that is needed to answer it."""

    command_id: Identifier
    asset_id: Identifier


def everything_of(records: Sequence[Record]) -> list[Command | UnreadableCommand]:
    """Decode commands, and the senders of unreadable ones; log what is not a valid command."""
    found: list[Command | UnreadableCommand] = []
    for record in records:
        try:
            found.append(decode_event(Command, record.value or b""))
        except InvalidEvent as exc:
            _log.warning("command_ignored", offset=record.offset, problem=str(exc))
            found += _answerable(record, str(exc))
    return found


def _answerable(record: Record, problem: str) -> list[UnreadableCommand]:
    try:
        sender = _Sender.model_validate_json(record.value or b"", strict=True)
    except ValidationError:
        return []
    return [UnreadableCommand(command_id=sender.command_id, asset_id=sender.asset_id, problem=problem)]


@dataclass(slots=True, kw_only=True)
class _Lane:
    """A partition that we read, with the note stored beside its offset.

    ``position`` is the next offset to work on. Commands from ``suspects_from`` on are under ``suspicion``.
    """

    position: int
    note: LaneNote
    suspects_from: int
    suspicion: Suspicion | None

    def suspects(self, record: Record) -> Suspicion | None:
        """Return the suspicion that a record is under."""
        suspicion = self.suspicion
        return suspicion if suspicion is not None and self.suspects_from <= record.offset < suspicion.until else None


class CommandGroup:
    """Implements ``forewarn.ports.commands.CommandSource``; for one thread.

    Parameters
    ----------
    from_start
        Read all retained commands of all partitions at each start, for a service whose state follows from every
        command. The group's offsets then only carry the notes.
    on_wait
        Called now and then while ``take`` waits for the group's coordinator.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        *,
        service: str,
        from_start: bool = False,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        group = group_id(f"{service}.commands", prefix)
        self._topic = qualified(TopicName.COMMANDS, prefix)
        self._prefix = prefix
        self._process = uuid.uuid4().hex[:12]
        self._from_start = from_start
        self._on_wait = on_wait
        self._lanes: dict[int, _Lane] = {}
        self._waiting: list[Record] = []
        self._taken: dict[int, int] = {}  # partition → offset behind the last command in hand
        self._lookup = OffsetLookup(bootstrap_servers, f"{group}.topic", timeout_s=_TIMEOUT_S)
        self._rejects = Producer(producer_config(bootstrap_servers, client_id=f"{group}.rejected"))
        self._consumer = Consumer(consumer_config(bootstrap_servers, group_id=group, client_id=group))
        if not from_start:
            self._consumer.subscribe([self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke)

    def take(self, timeout_s: float) -> list[Command | UnreadableCommand]:
        """Return commands that came, and the senders of unreadable ones; log what is not a valid command.

        Raises
        ------
        KafkaException
            If the topic can never be read.
        """
        if self._from_start and not self._lanes:
            self._assign_all()
        self._gather(timeout_s)
        while piece := self._next_piece():
            if not self._mark(piece):
                break
            del self._waiting[: len(piece)]
            self._taken = {record.partition: record.offset + 1 for record in piece}
            if found := self._read(piece):
                return found
            self.done()
        return []

    def done(self) -> None:
        """Commit what was taken; if the broker is away, the commands come again."""
        for partition, position in self._taken.items():
            lane = self._lanes[partition]
            lane.position = position
            if lane.suspicion is not None and position >= lane.suspicion.until:
                lane.suspicion = None
        self._commit(list(self._taken))
        self._taken.clear()

    def close(self) -> None:
        """Leave the group; what was taken but not done comes again without counting as an attempt."""
        self._commit(list(self._taken))
        self._consumer.close()
        self._lookup.close()

    def _gather(self, timeout_s: float) -> None:
        """Add to the waiting records while they are few and small; polls also between the pieces of long work."""
        room = _MOST_AT_ONCE - len(self._waiting)
        room_bytes = MAX_TURN_BYTES - sum(len(record.value or b"") for record in self._waiting)
        if room > 0 and room_bytes > 0:
            wait_s = 0 if self._waiting else timeout_s
            came = poll_batch(self._consumer, record_of, max_messages=room, max_bytes=room_bytes, timeout_s=wait_s)
            self._waiting += came  # only now: a rebalance may have replaced the list

    def _next_piece(self) -> list[Record]:
        """Choose how many of the waiting records to work on at once: few, from one partition, under suspicion."""
        if not self._waiting:
            return []
        first = self._waiting[0]
        suspicion = self._lanes[first.partition].suspects(first)
        most = _MOST_AT_ONCE if suspicion is None else suspicion.piece
        piece: list[Record] = []
        for record in self._waiting[:most]:
            if self._lanes[record.partition].suspects(record) is not suspicion:
                break
            piece.append(record)
        return piece

    def _mark(self, piece: Sequence[Record]) -> bool:
        """Note that work on these records begins; False if the broker did not store it."""
        ends = {record.partition: record.offset + 1 for record in piece}
        notes = {}
        for record in reversed(piece):
            self._lanes[record.partition].position = record.offset
        for partition, until in ends.items():
            lane = self._lanes[partition]
            failures = 0 if lane.suspicion is None else lane.suspicion.failures
            attempt = Attempt(by=self._process, failures=failures, records=len(piece), until=until)
            notes[partition] = replace(lane.note, attempt=attempt)
        return self._commit(list(ends), notes)

    def _read(self, piece: Sequence[Record]) -> list[Command | UnreadableCommand]:
        found: list[Command | UnreadableCommand] = []
        for record in piece:
            lane = self._lanes[record.partition]
            if record.offset not in lane.note.quarantined:
                found += everything_of([record])
            elif record.offset in lane.note.unreported and self._reject(record):
                left = tuple(offset for offset in lane.note.unreported if offset != record.offset)
                lane.note = replace(lane.note, unreported=left)
                found += _answerable(record, _PUT_ASIDE)
        return found

    def _reject(self, record: Record) -> bool:
        """Report a command that was put aside; False if the broker did not store that, so that it is tried again."""
        output = quarantined(record)
        produce(self._rejects, qualified(output.topic, self._prefix), output.value, key=output.key)
        if self._rejects.flush(_TIMEOUT_S):
            _log.warning("rejection_under_way", offset=record.offset)
            return False
        return True

    def _commit(self, partitions: Sequence[int], notes: dict[int, LaneNote] | None = None) -> bool:
        if not partitions:
            return True
        lanes = {partition: self._lanes[partition] for partition in partitions if partition in self._lanes}
        offsets = [
            TopicPartition(self._topic, partition, lane.position, (notes or {}).get(partition, lane.note).encode())
            for partition, lane in lanes.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as exc:
            _log.warning("commands_may_come_again", reason=str(exc))
            return False
        return True

    def _assign_all(self) -> None:
        partitions = [TopicPartition(self._topic, p) for p in range(TOPICS[TopicName.COMMANDS].partitions)]
        self._open(partitions)
        self._consumer.assign([TopicPartition(self._topic, p.partition, OFFSET_BEGINNING) for p in partitions])

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._open(partitions)
        consumer.assign([TopicPartition(p.topic, p.partition, self._lanes[p.partition].position) for p in partitions])

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for gone in partitions:
            self._lanes.pop(gone.partition, None)
        self._waiting = [record for record in self._waiting if record.partition in self._lanes]

    def _open(self, partitions: Sequence[TopicPartition]) -> None:
        """Take over partitions with what is stored beside their offsets."""
        topic_id = self._lookup.topic_id(self._topic, patience_s=_TIMEOUT_S, on_wait=self._on_wait)
        lanes = {}
        sources = [Source(self._topic, place.partition) for place in partitions]
        for stored in committed_positions(self._consumer, sources, patience_s=_PATIENCE_S, on_wait=self._on_wait):
            before, partition = LaneNote.decode(stored.note), stored.source.partition
            position = OFFSET_INVALID if stored.next_offset is None else stored.next_offset
            if topic_id and before.topic_id and topic_id != before.topic_id:
                _log.warning("topic_recreated", topic=self._topic, partition=partition)
                before, position = LaneNote(), OFFSET_BEGINNING
            note, suspicion = judged(before, self._process)
            new = tuple(offset for offset in note.quarantined if offset not in before.quarantined)
            note = replace(note, topic_id=topic_id or note.topic_id, unreported=(*note.unreported, *new))
            lanes[partition] = _Lane(position=position, note=note, suspects_from=position, suspicion=suspicion)
        self._lanes |= lanes
