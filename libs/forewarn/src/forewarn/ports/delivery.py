"""Sending messages with confirmation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from forewarn.contracts.base import Contract
from forewarn.contracts.topics import TopicName


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message for a topic; the key chooses the partition unless one is named. Without a value it is a tombstone."""

    topic: TopicName
    key: bytes | None
    value: bytes | None
    partition: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A message not known to be stored, by its position in the list sent."""

    index: int
    reason: str


class DeliveryOverloaded(Exception):  # noqa: N818  # a state of the world, not a mistake
    """Too many messages already wait for the broker; nothing of this list was sent."""


class BrokerSilent(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The broker does not answer."""


class ConfirmedDelivery(Protocol):
    """Sends messages from an event loop; a call returns once each message's fate is known, within the timeout.

    Messages with the same key keep their order. Nothing blocks the event loop.
    """

    async def send(self, messages: Sequence[OutgoingMessage]) -> tuple[Undelivered, ...]:
        """Send in order; return those that failed, usually none.

        Raises DeliveryOverloaded if the list is longer than the room in the queue.
        """
        ...

    async def broadcast(self, message: OutgoingMessage) -> tuple[Undelivered, ...]:
        """Send a message to every partition of its topic, whatever its key; return those that failed.

        Raises BrokerSilent if the broker does not report the number of partitions.
        """
        ...

    async def publish(
        self, topic: TopicName, key: str, event: Contract, *, event_id: str, at: datetime
    ) -> Undelivered | None:
        """Send one event with its CloudEvents headers; return why it failed, or None."""
        ...

    async def publish_all(
        self, topic: TopicName, events: Sequence[tuple[str, Contract, str]], *, at: datetime
    ) -> tuple[Undelivered, ...]:
        """Send events, each with its key and id, in order; return those that failed, usually none.

        Raises DeliveryOverloaded if the list is longer than the room in the queue.
        """
        ...

    async def retract(self, topic: TopicName, key: str, *, headers: Mapping[str, str]) -> Undelivered | None:
        """Send the tombstone of an entry of a compacted topic; return why it failed, or None."""
        ...

    async def ping(self) -> None:
        """Ask the broker for its metadata; raises ``BrokerSilent`` without an answer within seconds."""
        ...
