"""The twin's step: from (state, valid readings) to (state, judged readings)."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.frames import FrameKind, Phase
from forewarn.domain.frames.frame import Frame, concat
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.domain.twin.learn import NO_MODEL, learn, twin_columns
from forewarn.domain.twin.model import FittedModel, judge, unjudged
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import Learning, TwinState

_NOWHERE = -1


def step(
    state: TwinState, frame: Frame, settings: TwinSettings, on_progress: ProgressCallback = no_progress
) -> tuple[TwinState, list[Frame], list[FittedModel]]:
    """Judge readings, a frame of kind VALID, or learn from them.

    Every reading leaves exactly once, readings of one asset in order of arrival: at once if the asset has a model, else
    together when its baseline is complete. Late readings never train; they are judged like others. Any cutting of a
    stream into frames and any mixing of assets gives the same rows per asset and the same state.

    ``on_progress`` is called after each asset without a model: a fit takes 50 ms. The frames returned are of kind TWIN,
    rows of a baseline before live ones. Raises ValueError if the frame has another class or kind, or a row names no
    asset.
    """
    _require_valid(state, frame)
    codes, names = frame.assets.codes, frame.assets.categories
    known = np.array([state.positions.get(name, _NOWHERE) for name in names], dtype=np.intp)
    position = known[codes]
    frames: list[Frame] = []
    fitted: list[FittedModel] = []
    live = np.ones(frame.rows, dtype=np.bool_)
    if (position == _NOWHERE).any():
        state, frames, fitted, live = _learn_all(state, frame, position == _NOWHERE, settings, on_progress)
        position = np.array([state.positions.get(name, _NOWHERE) for name in names], dtype=np.intp)[codes]
    if live.all():
        frames += [_judge_live(state, frame, position)] if frame.rows else []
    elif live.any():
        frames.append(_judge_live(state, frame.take(live), position[live]))
    return state, frames, fitted


def _require_valid(state: TwinState, frame: Frame) -> None:
    if frame.kind is not FrameKind.VALID or frame.asset_class != state.asset_class:
        have, want = f"{frame.kind} frame of {frame.asset_class.name}", f"valid frame of {state.asset_class.name}"
        raise ValueError(f"the twin of {state.asset_class.name} was given a {have}, it takes a {want}")
    if frame.rows and frame.assets.codes.min() < 0:
        raise ValueError(f"a row of a frame of {frame.asset_class.name} names no asset")


def _learn_all(
    state: TwinState, frame: Frame, unknown: NDArray[np.bool_], settings: TwinSettings, on_progress: ProgressCallback
) -> tuple[TwinState, list[Frame], list[FittedModel], NDArray[np.bool_]]:
    """Let every asset without a model learn; return which rows remain to be judged live."""
    layout = state.layout
    learning: dict[str, Learning] = dict(state.learning)
    models, cards = dict(state.models), dict(state.cards)
    frames: list[Frame] = []
    fitted: list[FittedModel] = []
    live = ~unknown
    rows = np.flatnonzero(unknown)
    rows = rows[np.argsort(frame.assets.codes[rows], kind="stable")]
    codes = frame.assets.codes[rows]
    fresh = Waiting.of(frame, rows)  # asset after asset: each takes its part without copying
    usable = layout.is_usable(fresh.columns)
    bounds = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), rows.size]
    for start, stop in pairwise(bounds):
        asset_id = frame.assets.categories[int(codes[start])]
        before = learning.pop(asset_id, None) or Learning.fresh(layout)
        part = fresh.part(start, stop)
        allowed = usable[start:stop] & before.request.allows(part.columns["ts"])
        lesson = learn(layout, asset_id, before, part, allowed, settings)
        on_progress()
        frames += lesson.frames
        live[rows[start + lesson.taken : stop]] = True
        if lesson.learning is not None:
            learning[asset_id] = lesson.learning
        if lesson.model is not None and lesson.card is not None:
            models[asset_id], cards[asset_id] = lesson.model, lesson.card.kept
            fitted.append(lesson.card)
    new = TwinState.of(state.asset_class, learning, models, cards) if fitted else replace(state, learning=learning)
    return new, [concat(frames)] if frames else [], fitted, live


def _judge_live(state: TwinState, frame: Frame, position: NDArray[np.intp]) -> Frame:
    layout = state.layout
    if state.bank is None:  # impossible: live rows have a model
        said, versions = unjudged(layout, frame.arrays), np.full(frame.rows, NO_MODEL, dtype=np.uint32)
    else:
        said, versions = judge(state.bank, layout, frame.arrays, position), state.versions[position]
    return frame.extend(FrameKind.TWIN, twin_columns(layout, said, np.uint8(Phase.LIVE), versions))
