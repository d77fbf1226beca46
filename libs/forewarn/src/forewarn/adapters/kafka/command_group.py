"""Reads the topic ``commands``; shares the commands of all assets among the workers of a service."""

from collections.abc import Sequence
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from pydantic import BaseModel, ValidationError

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.config import consumer_config, group_id
from forewarn.adapters.kafka.records import records_of
from forewarn.contracts.assets import Command
from forewarn.contracts.base import Identifier
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.codec import InvalidEvent
from forewarn.ports.commands import UnreadableCommand
from forewarn.ports.lanes import Record

_MOST_AT_ONCE: Final = 100
_log = structlog.get_logger(__name__)


class _Sender(BaseModel):
    """The part of a command that must be there to answer it."""

    command_id: Identifier
    asset_id: Identifier


def commands_of(records: Sequence[Record]) -> list[Command]:
    """Commands of these records; what is none is told in the log."""
    return [command for command in everything_of(records) if isinstance(command, Command)]


def everything_of(records: Sequence[Record]) -> list[Command | UnreadableCommand]:
    """Commands of these records, and what is none but can be answered; all that is none is told in the log."""
    found: list[Command | UnreadableCommand] = []
    for record in records:
        try:
            found.append(decode_event(Command, record.value or b""))
        except InvalidEvent as exc:
            _log.warning("command_ignored", offset=record.offset, problem=str(exc))
            unreadable = _answerable(record.value or b"", str(exc))
            found += [unreadable] if unreadable is not None else []
    return found


def _answerable(value: bytes, problem: str) -> UnreadableCommand | None:
    try:
        sender = _Sender.model_validate_json(value, strict=True)
    except ValidationError:
        return None
    return UnreadableCommand(command_id=sender.command_id, asset_id=sender.asset_id, problem=problem)


class CommandGroup:
    """Implements ``forewarn.ports.commands.CommandSource`` with a consumer group; one thread at a time."""

    def __init__(self, bootstrap_servers: str, prefix: str, *, service: str) -> None:
        group = group_id(f"{service}.commands", prefix)
        self._consumer = Consumer(consumer_config(bootstrap_servers, group_id=group, client_id=group))
        self._consumer.subscribe([qualified(TopicName.COMMANDS, prefix)])
        self._taken: dict[tuple[str, int], int] = {}

    def take(self, timeout_s: float) -> list[Command | UnreadableCommand]:
        """Commands that came, and what is none but can be answered; all that is none is told in the log.

        Raises
        ------
        KafkaException
            If the topic can never be read.
        """
        records = records_of(self._consumer.consume(_MOST_AT_ONCE, timeout=timeout_s))
        self._taken |= {(record.topic, record.partition): record.offset + 1 for record in records}
        return everything_of(records)

    def done(self) -> None:
        """Tell the group how far we are; if it does not hear, the commands come again."""
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in self._taken.items()]
        self._taken.clear()
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as exc:
            _log.warning("commands_may_come_again", reason=str(exc))

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
