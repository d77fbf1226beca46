"""Records of a frame topic become few large frames; what is no frame becomes a dead letter."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forewarn.adapters.frames.codec import OpenedFrame, join_frames, open_frame
from forewarn.adapters.rejections import Refusal, rejection
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.frame import Frame
from forewarn.domain.machines import machines
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.lanes import Output, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInput:
    """What some records held: one frame of machines a class, rows in the order of the records, and dead letters."""

    frames: tuple[Frame, ...]
    dead_letters: tuple[Output, ...]


def read_frames(records: Sequence[Record], catalogue: Mapping[str, AssetClass], kind: FrameKind) -> FrameInput:
    """Decode records of any partitions and join the frames of each class."""
    by_class: dict[str, list[tuple[Record, OpenedFrame]]] = defaultdict(list)
    dead_letters: list[Output] = []
    for record in records:
        try:
            opened = open_frame(record.value or b"", catalogue, kind)
        except InvalidFrame as exc:
            dead_letters.append(dead_letter(record, str(exc)))
        else:
            by_class[opened.asset_class.name].append((record, opened))
    joined = [_join(messages, dead_letters) for messages in by_class.values()]
    return FrameInput(frames=tuple(frame for frame in joined if frame is not None), dead_letters=tuple(dead_letters))


def _join(messages: Sequence[tuple[Record, OpenedFrame]], dead_letters: list[Output]) -> Frame | None:
    """The messages of a class as one frame of machines; None if none is sound."""
    if not messages:
        return None
    try:
        frame = join_frames([opened for _, opened in messages])
    except InvalidFrame:
        sound = [message for message in messages if _is_sound(message, dead_letters)]
        if len(sound) == len(messages):
            raise  # each is sound by itself: the loop behind this narrows it down
        return _join(sound, dead_letters)
    partitions = np.array([record.partition for record, _ in messages], dtype=np.int64)
    rows = [opened.rows for _, opened in messages]
    return replace(frame, strings={**frame.strings, "asset_id": machines(frame.assets, np.repeat(partitions, rows))})


def _is_sound(message: tuple[Record, OpenedFrame], dead_letters: list[Output]) -> bool:
    record, opened = message
    try:
        join_frames([opened])
    except InvalidFrame as exc:
        dead_letters.append(dead_letter(record, str(exc)))
        return False
    return True


def dead_letter(record: Record, problem: str) -> Output:
    """Put a record of a frame topic aside, with what is wrong with it."""
    return rejection(
        Refusal(
            record=record,
            original=record.value or b"",
            reason=RejectionReason.BAD_FRAME,
            explanation=f"The message is no frame that this service can use: {problem}.",
            recommendation="Only the platform's own services write to this topic; check versions and catalogues",
        )
    )
