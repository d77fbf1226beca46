"""Removals of assets on the wire: JSON on ``readings.raw``, empty frames on the topics of frames.

The API writes a removal to every partition of ``readings.raw``; each stage forgets the asset where it meets the removal
and passes it on. So on every topic the removal follows the asset's last reading, and nothing in flight brings it back.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from forewarn.adapters.event_codec import decode_event, encode_event
from forewarn.adapters.frames.orders import batch_metadata, encode_order_frame
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.removal import AssetRemoval
from forewarn.contracts.topics import TopicName
from forewarn.ports.codec import InvalidEvent, InvalidFrame
from forewarn.ports.lanes import Output, Record

#: Key of the messages; no asset can have it, as no identifier begins with a tilde.
REMOVAL_KEY: Final = b"~forewarn.removal"

_REMOVAL: Final = b"forewarn.removal"
_KINDS: Final = {
    TopicName.READINGS_VALID: FrameKind.VALID,
    TopicName.TWIN_STATES: FrameKind.TWIN,
    TopicName.ANOMALY_SCORES: FrameKind.ANOMALY,
}


def raw_removal(removal: AssetRemoval) -> bytes:
    """Return the message for ``readings.raw``."""
    return encode_event(removal)


def read_raw_removal(value: bytes | None) -> AssetRemoval | None:
    """Read a removal from ``readings.raw``; None for any other message."""
    try:
        return decode_event(AssetRemoval, value or b"")
    except InvalidEvent:
        return None


def pass_on(
    removal: AssetRemoval, topic: TopicName, partition: int, catalogue: Mapping[str, AssetClass]
) -> list[Output]:
    """Return the message for a topic of frames; none for a class that has left the catalogue."""
    asset_class = catalogue.get(removal.asset_class)
    if asset_class is None:
        return []
    value = encode_order_frame(_KINDS[topic], asset_class, {_REMOVAL: encode_event(removal)})
    return [Output(topic=topic, partition=partition, key=REMOVAL_KEY, value=value)]


def read_removal(message: Record) -> AssetRemoval | None:
    """Read a removal from a topic of frames; None for any other message."""
    if message.key != REMOVAL_KEY:
        return None
    try:
        return decode_event(AssetRemoval, batch_metadata(message.value or b"").get(_REMOVAL, b""))
    except (InvalidEvent, InvalidFrame):
        return None


def between_removals(messages: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Record | None]]:
    """Yield stretches of messages, each with the possible removal that ends it."""
    start = 0
    for position, message in enumerate(messages):
        if message.key == REMOVAL_KEY:
            yield messages[start:position], message
            start = position + 1
    yield messages[start:], None
