"""Records of a frame topic become few large frames; what is no frame becomes a dead letter."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forewarn.adapters.arrow_codec import decode_frame
from forewarn.adapters.event_codec import encode_event
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import utc_from_us
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.domain.frame import Frame, concat
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.lanes import Output, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInput:
    """What a batch of records held: one frame a class, in record order, and dead letters."""

    frames: tuple[Frame, ...]
    dead_letters: tuple[Output, ...]


def read_frames(records: Sequence[Record], catalogue: Mapping[str, AssetClass], kind: FrameKind) -> FrameInput:
    """Decode records and join the frames of each class."""
    by_class: dict[str, list[Frame]] = defaultdict(list)
    dead_letters: list[Output] = []
    for record in records:
        try:
            frame = decode_frame(record.value or b"", catalogue, kind)
        except InvalidFrame as exc:
            dead_letters.append(_dead_letter(record, str(exc)))
        else:
            by_class[frame.asset_class.name].append(frame)
    return FrameInput(frames=tuple(concat(frames) for frames in by_class.values()), dead_letters=tuple(dead_letters))


def _dead_letter(record: Record, problem: str) -> Output:
    event = RejectedReading(
        rejected_id=f"{record.topic}/{record.partition}/{record.offset}",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=RejectionReason.BAD_FRAME,
        explanation=f"The message is no frame that this service can use: {problem}.",
        recommendation="Only the platform's own services write to this topic; check versions and catalogues",
        rejected_at=utc_from_us(record.received_us),
        key=record.key,
        original=record.value or b"",
    )
    return Output(topic=TopicName.READINGS_REJECTED, key=record.key, value=encode_event(event))
