"""Removals of assets on the wire: JSON on ``readings.raw``, empty frames on the topics of frames.

The API puts a removal onto every partition of ``readings.raw``; each stage forgets the asset where it meets the
removal and passes it on. So a removal comes behind the last reading of the asset on every topic, and nothing that was
under way brings the asset back.
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
    """The message for ``readings.raw``."""
    return encode_event(removal)


def read_raw_removal(value: bytes | None) -> AssetRemoval | None:
    """A removal from ``readings.raw``; None if it is something else."""
    try:
        return decode_event(AssetRemoval, value or b"")
    except InvalidEvent:
        return None


def pass_on(
    removal: AssetRemoval, topic: TopicName, partition: int, catalogue: Mapping[str, AssetClass]
) -> list[Output]:
    """The message for a topic of frames; none for a class that is not in the catalogue any more."""
    asset_class = catalogue.get(removal.asset_class)
    if asset_class is None:
        return []
    value = encode_order_frame(_KINDS[topic], asset_class, {_REMOVAL: encode_event(removal)})
    return [Output(topic=topic, partition=partition, key=REMOVAL_KEY, value=value)]


def read_removal(message: Record) -> AssetRemoval | None:
    """A removal from a topic of frames; None if the message is something else."""
    if message.key != REMOVAL_KEY:
        return None
    try:
        return decode_event(AssetRemoval, batch_metadata(message.value or b"").get(_REMOVAL, b""))
    except (InvalidEvent, InvalidFrame):
        return None


def between_removals(messages: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Record | None]]:
    """Stretches of messages, each with the message that may be a removal and ends it."""
    start = 0
    for position, message in enumerate(messages):
        if message.key == REMOVAL_KEY:
            yield messages[start:position], message
            start = position + 1
    yield messages[start:], None
