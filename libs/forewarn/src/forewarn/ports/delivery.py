"""Sending messages with confirmation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from forewarn.contracts.base import Contract
from forewarn.contracts.topics import TopicName


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message for a topic; the key chooses the partition unless one is named. Without a value it is a tombstone."""

    topic: TopicName
    key: bytes | None
    value: bytes | None
    partition: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A message that is not known to be stored, by its position in the list that was sent."""

    index: int
    reason: str


class DeliveryOverloaded(Exception):  # noqa: N818  # a state of the world, not a mistake
    """Too many messages wait for the broker already; nothing of this list was sent."""


class BrokerSilent(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The broker does not answer."""


class ConfirmedDelivery(Protocol):
    """Sends messages from an event loop; a call returns once the fate of each message is known, within the timeout.

    The order of messages with the same key is kept. Nothing blocks the event loop.
    """

    async def send(self, messages: Sequence[Message]) -> tuple[Undelivered, ...]:
        """Send in order; returns those that failed, usually none.

        Raises
        ------
        DeliveryOverloaded
            If the list does not fit into what may be under way.
        """
        ...

    async def broadcast(self, message: Message) -> tuple[Undelivered, ...]:
        """Send a message to every partition of its topic, whatever its key; returns those that failed.

        Raises
        ------
        BrokerSilent
            If the broker does not say how many there are.
        """
        ...

    async def publish(
        self, topic: TopicName, key: str, event: Contract, *, event_id: str, at: datetime
    ) -> Undelivered | None:
        """Send one event with its CloudEvents headers; returns why it failed, or None."""
        ...

    async def publish_all(
        self, topic: TopicName, events: Sequence[tuple[str, Contract, str]], *, at: datetime
    ) -> tuple[Undelivered, ...]:
        """Send events, each with its key and id, in order; returns those that failed, usually none.

        Raises
        ------
        DeliveryOverloaded
            If the list does not fit into what may be under way.
        """
        ...

    async def retract(self, topic: TopicName, key: str, *, headers: Mapping[str, str]) -> Undelivered | None:
        """Send the tombstone of an entry of a compacted topic; returns why it failed, or None."""
        ...

    async def ping(self) -> None:
        """Ask the broker for its metadata; raises ``BrokerSilent`` if it does not answer within seconds."""
        ...
