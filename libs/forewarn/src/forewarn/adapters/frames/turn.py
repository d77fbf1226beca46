"""Joins the messages of a turn into one frame per class; unreadable ones are returned with the reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.frames.codec import OpenedFrame, join_frames, open_frame
from forewarn.adapters.rejections import RefusedInput, rejection
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.frames.frame import Frame, Strings
from forewarn.domain.frames.partitions import partition_keys
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.lanes import Output, Record


@dataclass(frozen=True, slots=True, eq=False)
class JoinedFrame:
    """Readings of one class in the order of their messages, and the partition of each row."""

    frame: Frame
    row_partitions: NDArray[np.int64]

    @property
    def partition_keys(self) -> Strings:
        """Asset of each row, named by its partition too."""
        return partition_keys(self.frame.assets, self.row_partitions)

    @property
    def partitions(self) -> Mapping[str, int]:
        """Partition of each asset's last row."""
        assets = self.frame.assets
        found = np.zeros(len(assets.categories), dtype=np.int64)
        found[assets.codes] = self.row_partitions
        return dict(zip(assets.categories, found.tolist(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Contents of a turn's messages."""

    frames: tuple[JoinedFrame, ...]
    unreadable: tuple[tuple[Record, str], ...]  #: messages that are no frame, with the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInput:
    """One frame per class, rows in record order and assets keyed by partition; and the dead letters."""

    frames: tuple[Frame, ...]
    dead_letters: tuple[Output, ...]


def read_turn(messages: Sequence[Record], catalogue: Mapping[str, AssetClass], kind: FrameKind) -> Turn:
    """Decode messages of any partitions and join those of each class."""
    by_class: dict[str, list[tuple[Record, OpenedFrame]]] = defaultdict(list)
    unreadable: list[tuple[Record, str]] = []
    for message in messages:
        try:
            opened = open_frame(message.value or b"", catalogue, kind)
        except InvalidFrame as exc:
            unreadable.append((message, str(exc)))
        else:
            by_class[opened.asset_class.name].append((message, opened))
    frames: list[JoinedFrame] = []
    for own in by_class.values():
        try:
            frames.append(_join(own))
        except InvalidFrame:  # rare, so it may be slow: find the culprit
            sound = [each for each in own if _is_sound(*each, unreadable)]
            frames += [_join(sound)] if sound else []
    return Turn(frames=tuple(frames), unreadable=tuple(unreadable))


def read_frames(records: Sequence[Record], catalogue: Mapping[str, AssetClass], kind: FrameKind) -> FrameInput:
    """Read a turn for a processor, which separates assets by partition and dead-letters unreadable messages."""
    turn = read_turn(records, catalogue, kind)
    frames = tuple(
        replace(joined.frame, strings={**joined.frame.strings, "asset_id": joined.partition_keys})
        for joined in turn.frames
    )
    letters = tuple(dead_letter(record, problem) for record, problem in turn.unreadable)
    return FrameInput(frames=frames, dead_letters=letters)


def _join(messages: Sequence[tuple[Record, OpenedFrame]]) -> JoinedFrame:
    partitions = np.array([message.partition for message, _ in messages], dtype=np.int64)
    rows = [opened.rows for _, opened in messages]
    return JoinedFrame(join_frames([opened for _, opened in messages]), np.repeat(partitions, rows))


def _is_sound(message: Record, opened: OpenedFrame, unreadable: list[tuple[Record, str]]) -> bool:
    try:
        join_frames([opened])
    except InvalidFrame as exc:
        unreadable.append((message, str(exc)))
        return False
    return True


def dead_letter(record: Record, problem: str) -> Output:
    """Return the dead letter of a record of a frame topic."""
    return rejection(
        RefusedInput(
            record=record,
            original=record.value or b"",
            reason=RejectionReason.BAD_FRAME,
            explanation=f"This service cannot read the message as a frame: {problem}.",
            recommendation="Only the platform's own services write to this topic; check versions and catalogues",
        )
    )
