"""The anomaly stage's step: from (state, judged readings) to (state, scored readings)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, Phase, contribution_column, expected_column, residual_column
from forewarn.domain.anomaly.calibration import usual_period_us
from forewarn.domain.anomaly.course import BaselineCourse
from forewarn.domain.anomaly.judge import Verdicts, judge_live, with_history
from forewarn.domain.anomaly.learning import learn_robustly
from forewarn.domain.anomaly.scale import score_of
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState, Baseline, put
from forewarn.domain.anomaly.symptoms import symptoms_of
from forewarn.domain.frames.frame import Array, FloatArray, Frame, Strings, concat
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.progress import ProgressCallback, no_progress

_NOWHERE = -1
_NO_MODEL = 0


def step(
    state: AnomalyState,
    frame: Frame,
    settings: AnomalySettings,
    member_p_values: Mapping[str, FloatArray] | None = None,
    on_progress: ProgressCallback = no_progress,
) -> tuple[AnomalyState, Frame]:
    """Score readings, a frame of kind TWIN.

    Rows of a baseline are held until the first row after them. They then calibrate the asset's threshold and leave
    before that row, scored and unflagged. All others leave at once, so the returned frame can have fewer or more rows.
    Rows of one asset keep their order; any cutting of a stream into frames and any mixing of assets gives the same rows
    per asset and the same state. Late rows and rows without residuals get neither score nor flag and do not change the
    state.

    ``state`` is the result of the previous step under the same settings; ``member_p_values`` are p-values of further
    detectors by name, NaN while unknown. ``on_progress`` is called after each asset whose baseline continues or ends.
    Raises ValueError if the frame has another class or kind, or a row names no asset.
    """
    _require_twin(state, frame)
    members = tuple((member_p_values or {}).values())
    position = _positions(state, frame)
    odd = _needs_care(state, frame, position)
    pieces: list[Frame] = []
    if odd.any():
        codes = frame.assets.codes
        careful = np.isin(codes, codes[odd])
        for own in _runs(codes, np.flatnonzero(careful)):
            state, emitted = _step_asset(state, frame, own, settings, members)
            pieces += emitted
            on_progress()
        plain = np.flatnonzero(~careful)
        frame, position, members = frame.take(plain), position[plain], tuple(m[plain] for m in members)
    if frame.rows or not pieces:
        state, scored = _score(state, frame, position, settings, members)
        pieces.append(scored)
    return state, concat(pieces)


def _require_twin(state: AnomalyState, frame: Frame) -> None:
    if frame.kind is not FrameKind.TWIN or frame.asset_class != state.asset_class:
        have, want = f"{frame.kind} frame of {frame.asset_class.name}", f"twin frame of {state.asset_class.name}"
        raise ValueError(f"the anomaly stage of {state.asset_class.name} was given a {have}, it takes a {want}")
    if frame.rows and frame.assets.codes.min() < 0:
        raise ValueError(f"a row of a frame of {frame.asset_class.name} names no asset")


def _positions(state: AnomalyState, frame: Frame) -> NDArray[np.intp]:
    names = frame.assets.categories
    known = np.array([state.positions.get(name, _NOWHERE) for name in names], dtype=np.intp)
    return known[frame.assets.codes]


def _needs_care(state: AnomalyState, frame: Frame, position: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return the rows that are not plain live rows of a calibrated asset, or that no model has judged."""
    version = frame.arrays["model_version"]
    calibrated = np.zeros(frame.rows, dtype=np.bool_)
    known = position != _NOWHERE
    calibrated[known] = state.memory.version[position[known]] == version[known]
    plain: NDArray[np.bool_] = (version == _NO_MODEL) | (calibrated & (frame.arrays["phase"] == Phase.LIVE))
    if state.baselines:
        waits = np.array([name in state.baselines for name in frame.assets.categories], dtype=np.bool_)
        plain &= ~waits[frame.assets.codes]
    return ~plain


def _runs(keys: Array, rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of each key in their order."""
    order = rows[np.argsort(keys[rows], kind="stable")]
    yield from np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _step_asset(
    state: AnomalyState,
    frame: Frame,
    own: NDArray[np.intp],
    settings: AnomalySettings,
    members: Sequence[FloatArray],
) -> tuple[AnomalyState, list[Frame]]:
    """Process rows of one asset, some of which begin or end a baseline."""
    asset_id = frame.assets.categories[int(frame.assets.codes[own[0]])]
    version, phase = frame.arrays["model_version"][own], frame.arrays["phase"][own]
    bounds = np.flatnonzero((np.diff(version) != 0) | (np.diff(phase) != 0)) + 1
    pieces: list[Frame] = []
    for rows in np.split(own, bounds):
        model, live = int(frame.arrays["model_version"][rows[0]]), frame.arrays["phase"][rows[0]] == Phase.LIVE
        learning = not live and model != _NO_MODEL
        held = state.baselines.get(asset_id)
        if held is not None and not (learning and held.version == model):
            state, finished = _finish(state, asset_id, held, settings)
            pieces.append(finished)
            held = None
        if learning:
            waiting = (*(held.waiting if held else ()), Waiting.of(frame, rows))
            grown = {**state.baselines, asset_id: Baseline(version=model, waiting=waiting)}
            state = replace(state, baselines=grown)
            continue
        if live and _version(state, asset_id) != model:  # its baseline was never seen here
            nothing = Baseline(version=model, waiting=(Waiting.none(FrameKind.TWIN, state.asset_class),))
            state, _ = _finish(state, asset_id, nothing, settings)
        part = frame.take(rows)
        state, scored = _score(state, part, _positions(state, part), settings, [m[rows] for m in members])
        pieces.append(scored)
    return state, pieces


def _version(state: AnomalyState, asset_id: str) -> int:
    position = state.positions.get(asset_id)
    return _NO_MODEL if position is None else int(state.memory.version[position])


def _finish(
    state: AnomalyState, asset_id: str, baseline: Baseline, settings: AnomalySettings
) -> tuple[AnomalyState, Frame]:
    """Calibrate an asset by its baseline, and score the baseline."""
    waiting = Waiting.joined(baseline.waiting)
    residuals = _residuals(waiting.columns, state.asset_class)
    rows = _scorable(waiting.columns, residuals)
    ts = waiting.columns["ts"][rows]
    period_us = usual_period_us(ts)
    gap_us = period_us * settings.gap_periods if np.isfinite(period_us) else np.inf
    healthy = learn_robustly(_course(waiting.columns, rows, state.asset_class), gap_us, settings)
    position = state.positions.get(asset_id, len(state.positions))
    fresh = replace(healthy.memory, version=np.array([baseline.version], dtype=np.uint32))
    fresh = with_history(fresh, 0, ts, residuals[rows], settings)
    first = np.zeros(rows.size, dtype=np.intp)
    said = replace(
        Verdicts.none(rows.size, residuals.shape[1]),
        score=score_of(healthy.size / healthy.memory.norms.flag_at[0]),
        p_value=healthy.memory.calibration.p_values(first, healthy.size),
    ).placed(rows, waiting.rows)
    state = replace(
        state,
        positions={**state.positions, asset_id: position},
        memory=put(state.memory, np.array([position]), fresh),
        baselines={name: held for name, held in state.baselines.items() if name != asset_id},
    )
    twin = Frame(
        kind=FrameKind.TWIN,
        asset_class=state.asset_class,
        arrays=waiting.columns,
        strings=waiting.strings(asset_id),
    )
    return state, _with_verdicts(twin, said)


def _score(
    state: AnomalyState,
    frame: Frame,
    position: NDArray[np.intp],
    settings: AnomalySettings,
    members: Sequence[FloatArray],
) -> tuple[AnomalyState, Frame]:
    """Score live rows of calibrated assets; rows that no model has judged pass through."""
    residuals = _residuals(frame.arrays, state.asset_class)
    rows = _scorable(frame.arrays, residuals)
    rows = rows[position[rows] != _NOWHERE]  # residuals without a model, from another writer, cannot be judged
    rows = rows[np.argsort(position[rows], kind="stable")]
    if not rows.size:
        return state, _with_verdicts(frame, Verdicts.none(frame.rows, residuals.shape[1]))
    memory, said = judge_live(
        state.memory,
        position[rows],
        frame.arrays["ts"][rows],
        residuals[rows],
        settings,
        [member[rows] for member in members],
        symptoms_of(state.asset_class),
    )
    return replace(state, memory=memory), _with_verdicts(frame, said.placed(rows, frame.rows))


def _residuals(columns: Mapping[str, Array], asset_class: AssetClass) -> NDArray[np.float32]:
    """Return residuals of all responses, shape (rows, responses)."""
    return np.stack([columns[residual_column(name)] for name in asset_class.twin.responses], axis=1)


def _course(columns: Mapping[str, Array], rows: NDArray[np.intp], asset_class: AssetClass) -> BaselineCourse:
    names = asset_class.twin.responses
    return BaselineCourse(
        ts=columns["ts"][rows],
        residuals=_residuals(columns, asset_class)[rows],
        measured=np.stack([columns[name][rows] for name in names], axis=1).astype(np.float64),
        expected=np.stack([columns[expected_column(name)][rows] for name in names], axis=1).astype(np.float64),
        driven=bool(asset_class.twin.drivers),
    )


def _scorable(columns: Mapping[str, Array], residuals: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the rows that are on time and have a residual."""
    return np.flatnonzero(~columns["late"] & ~np.isnan(residuals).all(axis=1))


def _with_verdicts(frame: Frame, said: Verdicts) -> Frame:
    responses = frame.asset_class.twin.responses
    contributions = np.ascontiguousarray(said.contributions.T, dtype=np.float32)
    arrays: dict[str, Array] = {contribution_column(name): contributions[i] for i, name in enumerate(responses)}
    arrays |= {
        "score": said.score.astype(np.float32),
        "p_value": said.p_value.astype(np.float32),
        "flag": said.flag,
        "hint": said.hint,
    }
    return frame.extend(FrameKind.ANOMALY, arrays, {"culprit": Strings(said.culprit, responses)})
