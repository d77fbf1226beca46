"""Decodes the messages of each topic: frames, events, removals; unreadable ones become rows of ``rejected``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import decode_frame
from forewarn.adapters.removals import read_removal
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import EARLIEST, LATEST
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TOPIC_USE, TOPICS, TopicName, qualified
from forewarn.domain.time import to_datetime, to_microseconds
from forewarn.ports.codec import InvalidEvent, InvalidFrame, one_line
from forewarn.ports.lanes import Record
from forewarn.ports.store import Item, Source, Tombstone

#: Topics that the sink stores.
SOURCES: Final = TOPIC_USE["sink"].reads


class ItemDecoder:
    """Decodes records of the topics in ``SOURCES``."""

    def __init__(self, catalogue: Mapping[str, AssetClass], prefix: str) -> None:
        self._catalogue = catalogue
        self._topics = {qualified(name, prefix): TOPICS[name] for name in SOURCES}

    def decode(self, record: Record) -> Item:
        """Decode a record; never raises for its content."""
        topic = self._topics[record.topic]
        source = Source(record.topic, record.partition)
        if record.value is None:
            removed = topic.name is TopicName.ASSETS and record.key is not None
            gone = Tombstone((record.key or b"").decode(errors="replace"), _time_of(record)) if removed else None
            return Item(source=source, offset=record.offset, content=gone)
        try:
            if isinstance(topic.content, FrameKind) and (removal := read_removal(record)) is not None:
                # earlier rows of both topics belong to the removed asset; noted once, by its id
                return Item(
                    source=source, offset=record.offset, content=removal if removal.history == "purge" else None
                )
            if isinstance(topic.content, FrameKind):
                frame = decode_frame(record.value, self._catalogue, topic.content)
                return Item(source=source, offset=record.offset, content=frame)
            if topic.content is None:
                raise TypeError(f"{topic.name.value} has no content to store")
            event = decode_event(topic.content, record.value)
            return Item(source=source, offset=record.offset, content=event)
        except InvalidFrame as exc:
            return self.refuse(record, RejectionReason.BAD_FRAME, str(exc))
        except InvalidEvent as exc:
            return self.refuse(record, RejectionReason.BAD_STRUCTURE, str(exc))

    def refuse(self, record: Record, reason: RejectionReason, explanation: str) -> Item:
        """Return the rejection of a record, with its bytes and the reason."""
        rejected = RejectedReading(
            rejected_id=f"{record.topic}/{record.partition}/{record.offset}",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            rule="sink",
            explanation=one_line(explanation),
            recommendation="Find out what wrote this message: only Forewarn's own services write to this topic",
            rejected_at=_time_of(record),
            key=record.key,
            original=record.value or b"",
        )
        return Item(source=Source(record.topic, record.partition), offset=record.offset, content=rejected)


def _time_of(record: Record) -> datetime:
    """Return the record's time stamp, which a producer may have set to anything."""
    microseconds = min(max(record.received_us, to_microseconds(EARLIEST)), to_microseconds(LATEST) - 1)
    return to_datetime(microseconds)
