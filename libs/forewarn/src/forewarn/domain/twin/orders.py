"""Orders to retrain: from the next readings, say after maintenance, or from a stretch of history."""

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.domain.frames.frame import Frame
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.twin.layout import layout_of
from forewarn.domain.twin.learn import finish, release
from forewarn.domain.twin.model import FittedModel
from forewarn.domain.twin.request import LearningRequest
from forewarn.domain.twin.settings import MIN_BASELINE, TwinSettings
from forewarn.domain.twin.state import Learning, TwinState


def start_over(state: TwinState, asset_id: str, request: LearningRequest) -> tuple[TwinState, list[Frame]]:
    """Forget an asset's model and retrain it from the next reading.

    Readings held by a baseline under way are returned unjudged. The next model has a higher version, which invalidates
    the calibration of later stages. An unknown asset or a repeated order changes nothing.
    """
    version = _next_version(state, asset_id, request)
    if version is None:
        return state, []
    fresh = Learning.fresh(state.layout, version, request)
    released = _released(state, asset_id)
    cleared = _without(state, asset_id)
    learning = {**cleared.learning, asset_id: fresh}
    return TwinState.of(state.asset_class, learning, cleared.models, cleared.cards), released


def learn_from(
    state: TwinState, asset_id: str, history: Frame, request: LearningRequest, settings: TwinSettings
) -> tuple[TwinState, list[Frame], list[FittedModel]]:
    """Replace an asset's model by one fitted to stored readings: a VALID frame of this asset, oldest first.

    They are emitted again as rows of a baseline, so that the next stage can calibrate on them, and marked historical.
    Return as ``step`` does; the unchanged state and no frames for an unknown asset, a repeated order, or too few usable
    readings.
    """
    version = _next_version(state, asset_id, request)
    usable = state.layout.is_usable(history.arrays) & request.allows(history.arrays["ts"])
    if version is None or int(usable.sum()) < MIN_BASELINE:
        return state, [], []
    waiting = Waiting.of(history, np.arange(history.rows))
    marked = {**waiting.columns, "historical": np.ones(waiting.rows, dtype=np.bool_)}
    learning = Learning.fresh(state.layout, version, request).grown(Waiting(marked), usable)
    judged, model, card = finish(state.layout, asset_id, learning, settings)
    cleared = _without(state, asset_id)
    new = TwinState.of(
        state.asset_class,
        cleared.learning,
        {**cleared.models, asset_id: model},
        {**cleared.cards, asset_id: card.kept},
    )
    return new, [*_released(state, asset_id), judged], [card]


def usable_readings(asset_class: AssetClass, history: Frame) -> int:
    """Count the readings of a VALID frame that can be learned from."""
    if history.kind is not FrameKind.VALID:
        raise ValueError(f"the twin learns from valid frames, not from {history.kind} ones")
    return int(layout_of(asset_class).is_usable(history.arrays).sum())


def _next_version(state: TwinState, asset_id: str, request: LearningRequest) -> int | None:
    """Return the version of the asset's next model; None if the order does not apply."""
    learning, card = state.learning.get(asset_id), state.cards.get(asset_id)
    held = learning or card
    if held is None or held.request.is_same(request):
        return None
    return learning.version if learning is not None else held.version + 1


def _released(state: TwinState, asset_id: str) -> list[Frame]:
    learning = state.learning.get(asset_id)
    frame = None if learning is None else release(state.layout, asset_id, learning)
    return [] if frame is None else [frame]


def _without(state: TwinState, asset_id: str) -> TwinState:
    return state.select({name: name for name in state.assets if name != asset_id})
