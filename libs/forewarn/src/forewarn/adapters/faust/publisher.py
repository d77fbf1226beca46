"""Publishes events through the Faust application's own producer."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime

import faust
from faust.types import RecordMetadata, TopicT

from forewarn.adapters.event_codec import Envelope, encode_event, topic_headers
from forewarn.contracts.base import Contract
from forewarn.contracts.topics import TOPICS, TopicName, qualified


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An event to publish; ``event`` None is a tombstone.

    With ``partition`` None the key decides (murmur2, as everywhere in the platform).
    """

    topic: TopicName
    key: str
    event: Contract | None
    event_id: str
    at: datetime
    partition: int | None = None


class FaustPublisher:
    """Sends events with CloudEvents headers where the topic's contract asks for them."""

    def __init__(self, app: faust.App, prefix: str, *, source: str) -> None:
        self._app = app
        self._prefix = prefix
        self._source = source
        self._topics: dict[TopicName, TopicT] = {}

    async def send(self, item: Outgoing) -> Awaitable[RecordMetadata]:
        """Queue an event in order; the broker has it when the returned awaitable is done.

        Raises
        ------
        TypeError
            If the topic does not carry such events.
        """
        headers: list[tuple[str, bytes]] = []
        if item.event is not None:
            envelope = Envelope(id=item.event_id, source=self._source, time=item.at, partition_key=item.key)
            attributes = topic_headers(item.topic, item.event, envelope)
            headers = [(name, value) for name, value in attributes if isinstance(value, bytes)]
        return await self._topic(item.topic).send(
            key=item.key.encode(),
            value=None if item.event is None else encode_event(item.event),
            partition=item.partition,
            headers=headers or None,
            force=True,
        )

    def _topic(self, name: TopicName) -> TopicT:
        if name not in self._topics:
            self._topics[name] = raw_topic(self._app, name, self._prefix)
        return self._topics[name]


def raw_topic(app: faust.App, name: TopicName, prefix: str) -> TopicT:
    """Return a topic of bytes; the contracts' codecs decode values, with distinct errors."""
    return app.topic(
        qualified(name, prefix),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=TOPICS[name].partitions,
        allow_empty=True,
    )
