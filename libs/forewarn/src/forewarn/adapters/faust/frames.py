"""Messages of a turn become one frame a class; what is no frame is told apart."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forewarn.adapters.faust.quarantine import Incoming
from forewarn.adapters.frames.codec import OpenedFrame, join_frames, open_frame
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.domain.frame import Frame
from forewarn.ports.codec import InvalidFrame


@dataclass(frozen=True, slots=True, eq=False)
class JoinedFrame:
    """Readings of one class in the order of their messages, and the partition each asset's came from."""

    frame: Frame
    partitions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the messages of a turn held."""

    frames: tuple[JoinedFrame, ...]
    unreadable: tuple[tuple[Incoming, str], ...]  #: messages that are no frame, with the reason


def read_turn(batch: Sequence[Incoming], catalogue: Mapping[str, AssetClass], kind: FrameKind) -> Turn:
    """Decode messages and join those of each class."""
    by_class: dict[str, list[tuple[Incoming, OpenedFrame]]] = defaultdict(list)
    unreadable: list[tuple[Incoming, str]] = []
    for incoming in batch:
        try:
            opened = open_frame(incoming.value or b"", catalogue, kind)
        except InvalidFrame as exc:
            unreadable.append((incoming, str(exc)))
        else:
            by_class[opened.asset_class.name].append((incoming, opened))
    frames: list[JoinedFrame] = []
    for messages in by_class.values():
        try:
            frames.append(_join(messages))
        except InvalidFrame:  # seldom, so it may cost: find out which message it is
            sound = [message for message in messages if _is_sound(message, unreadable)]
            frames += [_join(sound)] if sound else []
    return Turn(frames=tuple(frames), unreadable=tuple(unreadable))


def _join(messages: Sequence[tuple[Incoming, OpenedFrame]]) -> JoinedFrame:
    frame = join_frames([opened for _, opened in messages])
    rows = [opened.rows for _, opened in messages]
    sources = np.repeat([incoming.partition for incoming, _ in messages], rows)
    partitions = np.zeros(len(frame.assets.categories), dtype=np.int64)
    partitions[frame.assets.codes] = sources  # of several of an asset the last one stays
    return JoinedFrame(frame, dict(zip(frame.assets.categories, partitions.tolist(), strict=True)))


def _is_sound(message: tuple[Incoming, OpenedFrame], unreadable: list[tuple[Incoming, str]]) -> bool:
    incoming, opened = message
    try:
        join_frames([opened])
    except InvalidFrame as exc:
        unreadable.append((incoming, str(exc)))
        return False
    return True
