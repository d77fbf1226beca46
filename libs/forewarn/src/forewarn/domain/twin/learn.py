"""Learning: hold readings of one asset until the baseline is complete, then release them with their judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.frames import FrameKind, Phase, expected_column, residual_column
from forewarn.domain.frames.frame import Array, Frame
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.twin.deviation import deviation_of, root_mean_square
from forewarn.domain.twin.fit import Fit, fit
from forewarn.domain.twin.inspect import inspect
from forewarn.domain.twin.layout import ClassLayout, TwinLayout
from forewarn.domain.twin.model import AssetModel, FittedModel, Regime, TwinJudgement, bank_of, judge, unjudged
from forewarn.domain.twin.regimes import CODES
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import Learning

#: ``model_version`` of readings that no model has judged.
NO_MODEL: Final = 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LearningStep:
    """Result of new readings of a learning asset."""

    frames: tuple[Frame, ...]  #: Released readings, in order.
    learning: Learning | None  #: The asset's state if it still learns.
    #: Its model if the baseline is complete.
    model: AssetModel | None
    card: FittedModel | None
    taken: int  #: Number of new readings used; the rest follows the baseline and is live.


def learn(
    layout: ClassLayout,
    asset_id: str,
    learning: Learning,
    fresh: Waiting,
    usable: NDArray[np.bool_],
    settings: TwinSettings,
) -> LearningStep:
    """Add readings of one asset, in order of arrival; ``usable`` marks those allowed in the baseline."""
    goal = settings.baseline_readings or layout.baseline_readings
    known = learning.baseline_rows
    complete = np.flatnonzero(known + np.cumsum(usable) >= goal)
    taken = int(complete[0]) + 1 if complete.size else fresh.rows
    first = np.flatnonzero(usable[:taken])
    # Before the first usable reading there is no order to keep: a machine that stands still is not held back.
    idle = 0 if known else (int(first[0]) if first.size else taken)
    frames = [_emit(layout, asset_id, fresh.part(0, idle), None, NO_MODEL)] if idle else []
    if taken > idle:
        grown = learning.grown(fresh.part(idle, taken), usable[idle:taken])
        learning, overflow = _shorten(grown, settings.pending_factor * goal, layout)
        frames += [_emit(layout, asset_id, overflow, None, NO_MODEL)] if overflow.rows else []
    if not complete.size:
        return LearningStep(frames=tuple(frames), learning=learning, model=None, card=None, taken=taken)
    last, model, card = finish(layout, asset_id, learning, settings)
    return LearningStep(frames=(*frames, last), learning=None, model=model, card=card, taken=taken)


def release(layout: ClassLayout, asset_id: str, learning: Learning) -> Frame | None:
    """Emit all held readings without judgement."""
    waiting, _ = learning.joined(layout.asset_class)
    return _emit(layout, asset_id, waiting, None, NO_MODEL) if waiting.rows else None


def _shorten(learning: Learning, limit: int, layout: ClassLayout) -> tuple[Learning, Waiting]:
    """Release the oldest readings if more than ``limit`` are held; those of the baseline are kept for training."""
    excess = learning.waiting_rows - limit
    if excess <= 0:
        return learning, Waiting.none(FrameKind.VALID, layout.asset_class)
    waiting, usable = learning.joined(layout.asset_class)
    leaving, keep = waiting.part(0, excess), usable[:excess]
    shortened = replace(
        learning,
        waiting=(waiting.part(excess, waiting.rows),),
        usable=(usable[excess:],),
        emitted=np.concatenate([learning.emitted, leaving.matrix(layout.columns)[keep]]),
        emitted_ts=np.concatenate([learning.emitted_ts, leaving.columns["ts"][keep]]),
        waiting_rows=limit,
    )
    return shortened, leaving


def finish(
    layout: ClassLayout, asset_id: str, learning: Learning, settings: TwinSettings
) -> tuple[Frame, AssetModel, FittedModel]:
    """Fit a model to the baseline, and emit all held readings with their judgement."""
    waiting, usable = learning.joined(layout.asset_class)
    baseline = np.concatenate([learning.emitted, waiting.matrix(layout.columns)[usable]])
    times = np.concatenate([learning.emitted_ts, waiting.columns["ts"][usable]])
    fitted = fit(baseline, layout, settings)
    card = FittedModel(
        asset_id=asset_id,
        version=learning.version,
        method=fitted.method,
        trained_from_us=int(times.min()),
        trained_to_us=int(times.max()),
        rows=baseline.shape[0],
        r2=fitted.r2,
        unjudged=fitted.unjudged,
        report=inspect(baseline, fitted, times, layout, settings),
        request=learning.request,
    )
    said = _judge_baseline(layout, waiting, usable, fitted)
    return _emit(layout, asset_id, waiting, said, learning.version), fitted.model, card


def _judge_baseline(layout: TwinLayout, waiting: Waiting, usable: NDArray[np.bool_], fitted: Fit) -> TwinJudgement:
    """Judge held readings; those that trained the model by predictions without their block."""
    bank = bank_of({"": fitted.model})
    if bank is None:
        return unjudged(layout, waiting.columns)
    said = judge(bank, layout, waiting.columns, np.zeros(waiting.rows, dtype=np.intp))
    expected, residual = said.expected.copy(), said.residual.copy()
    deviation, regime = said.deviation.copy(), said.regime.copy()
    trained = slice(len(fitted.held_out) - int(usable.sum()), None)
    held_out, measured = fitted.held_out[trained].T, waiting.matrix(layout.responses)[usable].T
    expected[:, usable] = held_out
    residual[:, usable] = (measured - held_out) / fitted.scale[trained].T
    deviation[usable] = deviation_of(root_mean_square(residual[:, usable]), fitted.model.typical)
    regime[usable] = np.where(np.isnan(deviation[usable]), np.uint8(Regime.UNKNOWN), CODES[fitted.regime[trained]])
    return replace(said, expected=expected, residual=residual, deviation=deviation, regime=regime)


def _emit(layout: ClassLayout, asset_id: str, waiting: Waiting, said: TwinJudgement | None, version: int) -> Frame:
    judgement = unjudged(layout, waiting.columns) if said is None else said
    versions = np.full(waiting.rows, version, dtype=np.uint32)
    added = twin_columns(layout, judgement, np.uint8(Phase.BASELINE), versions)
    return Frame(
        kind=FrameKind.TWIN,
        asset_class=layout.asset_class,
        arrays={**waiting.columns, **added},
        strings=waiting.strings(asset_id),
    )


def twin_columns(
    layout: TwinLayout, said: TwinJudgement, phase: np.uint8, versions: NDArray[np.uint32]
) -> Mapping[str, Array]:
    """Return a judgement as the columns that a frame of kind TWIN adds."""
    expected, residual = said.expected.astype(np.float32), said.residual.astype(np.float32)
    out: dict[str, Array] = {}
    for number, name in enumerate(layout.responses):
        out[expected_column(name)] = expected[number]
        out[residual_column(name)] = residual[number]
    out["deviation"] = said.deviation.astype(np.float32)
    out["phase"] = np.full(versions.shape, phase)
    out["regime"] = said.regime
    out["model_version"] = versions
    out["operating_distance"] = said.distance.astype(np.float32)
    return out
