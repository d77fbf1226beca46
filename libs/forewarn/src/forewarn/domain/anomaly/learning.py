"""Learn the norms of one asset from its healthy baseline, and a flag threshold that makes false alarms rare."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.anomaly.calibration import Calibration, calibrate, tail_level
from forewarn.domain.anomaly.course import BaselineCourse, Evidence, evidence_of
from forewarn.domain.anomaly.judge import Look, ResidualArray, latch, levels_of, look_back
from forewarn.domain.anomaly.norms import (
    CHANNELS,
    LEVEL,
    PATTERN,
    PEAK,
    Norms,
    magnitudes,
    pattern,
    peak,
    weighed,
    whitener_of,
)
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import UNKNOWN, ScoringMemory
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.statistics import blocks_of, caution, effective_readings, robust_scale

_TINY: Final = 1e-9
_MIN_ROWS: Final = 60
_LEAST_BLOCK: Final = 10  # rows: shorter blocks do not show how blocks differ
_STEP: Final = 1.05
_HIGHEST: Final = 120  # steps of the search: no healthy row reaches a flag this high
_FIRST: Final = 0
_SURE: Final = 2.0  # standard errors
_NO_BREAKS: Final = np.empty(0, dtype=np.intp)
#: A disturbance is a run of rows far beyond the rest,
DISTURBED_ROWS: Final = 5

#: which means this many upper spreads beyond the middle.
DISTURBED_SPREADS: Final = 6.0

_MOST_DISTURBED: Final = 0.1
_PEAK_WINDOWS: Final = 100  # fewer separate windows do not show the tails of single responses
_ENOUGH: Final = 10.0  # independent healthy rows beyond a threshold: their share is then well known
_OPEN: Final = np.array([[1.0, np.inf, 1.0, 1.0]])  # magnitudes as they are; patterns go block by block


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LearnedNorms:
    """Norms learned from a baseline, and its rows measured by norms that have not seen their block."""

    memory: ScoringMemory  #: Memory of one asset with norms and calibration, without history.
    size: FloatArray  #: Size of each row, shape (rows,); NaN where unknown.
    #: Independent readings that the sizes, or the measured values if those are fewer, are worth: how well the flag is
    #: known.
    independent: float


def learn_norms(course: BaselineCourse, gap_us: float, settings: AnomalySettings) -> LearnedNorms:
    """Learn from one asset's baseline; fewer than 60 rows give cautious general norms."""
    ts, residuals = course.ts, course.residuals
    memory = _blank(residuals, gap_us, settings)
    exact = residuals.astype(np.float64)
    breaks = np.flatnonzero(np.diff(ts) > gap_us) + 1
    seen = evidence_of(course, breaks)
    asset = np.zeros(ts.size, dtype=np.intp)
    persistence = _persistence(exact, breaks) if settings.jump_window else np.zeros(exact.shape[1])
    # Plain differences for a response that wanders: the rest of its level must not pass for a change.
    persistence = np.where(seen.wanders & (persistence > 0.0), 1.0, persistence)
    memory = replace(memory, norms=replace(memory.norms, persistence=persistence[None, :]))
    look = look_back(memory, asset, ts, residuals, settings)
    full = (look.lengths >= settings.window) & ~np.isnan(look.means).all(axis=1)
    if np.count_nonzero(full) < _MIN_ROWS:
        return _cautious(memory, look, gap_us, settings, seen)
    norms = _spreads(memory.norms, exact, look, full, seen)
    fold = blocks_of(ts.size, breaks, settings.folds)
    norms, parts = _channels(norms, exact, look, full, fold, settings, seen)
    size = np.fmax.reduce(parts)
    calibration = replace(calibrate(size[full], np.nan, 1.0), gap_us=np.array([gap_us]))
    flag_at = seen.care * _flag_at(calibration, size, look, fold, settings)
    norms = replace(norms, flag_at=np.array([flag_at]))
    return LearnedNorms(
        memory=replace(memory, norms=norms, calibration=calibration),
        size=size,
        independent=min(effective_readings(size, _NO_BREAKS), seen.independent),
    )


def learn_robustly(course: BaselineCourse, gap_us: float, settings: AnomalySettings) -> LearnedNorms:
    """Learn as ``learn_norms`` does, but score stretches far beyond the rest without learning them."""
    healthy = learn_norms(course, gap_us, settings)
    odd = disturbed_rows(healthy.size)
    if not odd.any():
        return healthy
    odd = with_lead(odd, settings.window)
    again = learn_norms(course.take(~odd), gap_us, settings)
    return replace(again, size=sizes_by(again.memory, course.ts, course.residuals, settings))


def sizes_by(
    memory: ScoringMemory, ts: NDArray[np.int64], residuals: ResidualArray, settings: AnomalySettings
) -> FloatArray:
    """Measure each row by the norms of one asset's memory; NaN where unknown, shape (rows,)."""
    asset = np.zeros(ts.size, dtype=np.intp)
    look = look_back(memory, asset, ts, residuals, settings)
    size: FloatArray = np.fmax.reduce(magnitudes(memory.norms, asset, look.means, look.jumps))
    return size


def disturbed_rows(size: FloatArray, spreads: float = DISTURBED_SPREADS) -> NDArray[np.bool_]:
    """Return rows of stretches far beyond the middle of a baseline; none if they are too many.

    More than a tenth of the baseline is no disturbance but an operating mode.
    """
    known = ~np.isnan(size)
    if not known.any():
        return known
    middle, upper = np.quantile(size[known], [0.5, 0.84])
    high = known & (size > middle + spreads * (upper - middle))
    edges = np.flatnonzero(np.diff(high, prepend=False, append=False))
    odd = np.zeros(size.size, dtype=np.bool_)
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if end - first >= DISTURBED_ROWS:
            odd[first:end] = True
    return odd if odd.mean() <= _MOST_DISTURBED else np.zeros(size.size, dtype=np.bool_)


def with_lead(odd: NDArray[np.bool_], window: int) -> NDArray[np.bool_]:
    """Return disturbed rows, and those before each stretch that smoothing could not flag yet.

    A single remembered row of a fault would make the fault look normal.
    """
    reach = np.convolve(odd[::-1], np.ones(window))[: odd.size][::-1]
    lead: NDArray[np.bool_] = reach > 0.5
    return lead


def _blank(residuals: ResidualArray, gap_us: float, settings: AnomalySettings) -> ScoringMemory:
    memory = ScoringMemory.blank(1, settings.history, residuals.shape[1])
    return replace(
        memory,
        residuals=memory.residuals.astype(residuals.dtype),
        calibration=replace(memory.calibration, gap_us=np.array([gap_us])),
    )


def _cautious(
    memory: ScoringMemory, look: Look, gap_us: float, settings: AnomalySettings, seen: Evidence
) -> LearnedNorms:
    calibration = replace(calibrate(np.empty(0), np.nan, 1.0), gap_us=np.array([gap_us]))
    flag_at = settings.on_ratio * calibration.threshold(settings.far / 2.0)
    norms = replace(memory.norms, flag_at=flag_at)
    size = magnitudes(norms, np.zeros(len(look.means), dtype=np.intp), look.means, look.jumps)[LEVEL]
    return LearnedNorms(
        memory=replace(memory, norms=norms, calibration=calibration),
        size=size,
        independent=min(effective_readings(size, _NO_BREAKS), seen.independent),
    )


def _persistence(residuals: FloatArray, breaks: NDArray[np.intp]) -> FloatArray:
    """Return the lag-one correlation of each response, 0 to 1, over neighbouring rows without a gap."""
    out = np.zeros(residuals.shape[1])
    joined = np.ones(len(residuals) - 1 if len(residuals) else 0, dtype=np.bool_)
    joined[breaks - 1] = False
    for position, column in enumerate(residuals.T):
        centred = column - np.nanmedian(column) if not np.isnan(column).all() else column
        limit = 6.0 * robust_scale(centred[~np.isnan(centred)], _TINY) if not np.isnan(centred).all() else 1.0
        held = np.clip(centred, -limit, limit)
        pairs = joined & ~np.isnan(held[1:]) & ~np.isnan(held[:-1])
        before, after = held[:-1][pairs], held[1:][pairs]
        power = float(np.sqrt((before**2).sum() * (after**2).sum()))
        out[position] = np.clip(float((before * after).sum()) / power, 0.0, 1.0) if power > 0.0 else 0.0
    return out


def _spreads(norms: Norms, residuals: FloatArray, look: Look, full: NDArray[np.bool_], seen: Evidence) -> Norms:
    """Estimate the healthy spreads of every response.

    Smoothed residuals are measured in the spread of single residuals, or in their own if that is larger: white noise
    must not make a tag oversensitive, and a tag that wanders gets the room it needs. Fewer independent readings give a
    wider spread. A response that wanders is judged only by its changes: its level has an infinite spread, as has one
    that was never known. Levels count if all responses wander and changes are not used.
    """
    width = residuals.shape[1]
    wanders = seen.wanders & (not (np.isnan(look.jumps).all() and seen.wanders.all()))
    silent = wanders | ~seen.known
    level, jump = np.ones(width), np.ones(width)
    level_usual, jump_usual = np.zeros(width), np.zeros(width)
    for position in range(width):
        care = caution(seen.effective[position])
        single = _spread(residuals[:, position])
        smooth = _spread(look.means[full, position]) * care
        level[position] = np.inf if silent[position] else max(single, smooth, _TINY)
        # White noise has no changes beyond its level; one wild reading must not pass for a step.
        lasting = max(float(norms.persistence[0, position]), _TINY)
        jump[position] = max(_spread(look.jumps[full, position]), _TINY) / lasting
        level_usual[position] = _usual(look.means[full, position] / level[position])
        jump_usual[position] = _usual(look.jumps[full, position] / jump[position])
    return replace(
        norms,
        level_scale=level[None, :],
        level_usual=level_usual[None, :],
        jump_scale=jump[None, :],
        jump_usual=jump_usual[None, :],
    )


def _spread(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return robust_scale(known, 0.0) if known.size else 0.0


def _usual(z: FloatArray) -> float:
    known = z[~np.isnan(z)]
    return float(np.minimum(known**2, 9.0).mean()) if known.size else 0.0


def _channels(
    norms: Norms,
    residuals: FloatArray,
    look: Look,
    full: NDArray[np.bool_],
    fold: NDArray[np.intp],
    settings: AnomalySettings,
    seen: Evidence,
) -> tuple[Norms, FloatArray]:
    """Fit the tails of the three magnitudes, and express the baseline's magnitudes in them."""
    asset = np.zeros(len(residuals), dtype=np.intp)
    parts = magnitudes(replace(norms, tails=_OPEN), asset, look.means, look.jumps)
    if residuals.shape[1] > 1:
        whitener, parts[PATTERN] = _patterns(norms, residuals, look, fold, seen)
        norms = replace(norms, whitener=whitener[None, :])
        if np.count_nonzero(full) >= _PEAK_WINDOWS * settings.window:
            scale, parts[PEAK] = _peaks(norms, look, full, fold, settings)
            norms = replace(norms, peak_scale=scale[None, :])
        else:
            parts[PEAK] = np.nan
    tails = np.full(CHANNELS, np.inf)
    for channel in range(CHANNELS if residuals.shape[1] > 1 else PEAK):
        known = parts[channel][full & ~np.isnan(parts[channel])]
        if known.size >= _MIN_ROWS:
            tails[channel] = max(tail_level(known, settings.far / 2.0), _TINY)
    return replace(norms, tails=tails[None, :]), parts / tails[:, None]


def _patterns(
    norms: Norms, residuals: FloatArray, look: Look, fold: NDArray[np.intp], seen: Evidence
) -> tuple[NDArray[np.float32], FloatArray]:
    """Return the whitener of all rows, and each row's distance by a whitener that has not seen its block."""
    z = np.nan_to_num(residuals / norms.level_scale[0])
    smooth = weighed(norms, np.zeros(len(residuals), dtype=np.intp), look.means)
    scarce = np.count_nonzero(seen.known) / max(float(np.median(seen.effective[seen.known])), 1.0)
    distance = np.full(len(z), np.nan)
    for block in range(int(fold[-1]) + 1):
        own = fold == block
        distance[own] = pattern(whitener_of(z[~own], scarce)[None, :], np.zeros(own.sum(), dtype=np.intp), smooth[own])
    return whitener_of(z, scarce), distance


def _peaks(
    norms: Norms, look: Look, full: NDArray[np.bool_], fold: NDArray[np.intp], settings: AnomalySettings
) -> tuple[FloatArray, FloatArray]:
    """Return the tail of each response, and each row's peak in tails that have not seen its block."""
    z = np.abs(look.means / norms.level_scale[0])
    highest = np.full(len(z), np.nan)
    for block in range(int(fold[-1]) + 1):
        own = fold == block
        scale = _tails_of(z[full & ~own], settings)
        highest[own] = peak(z[own], np.broadcast_to(scale, z[own].shape))
    return _tails_of(z[full], settings), highest


def _tails_of(z: FloatArray, settings: AnomalySettings) -> FloatArray:
    known = [column[~np.isnan(column)] for column in z.T]
    return np.array([max(tail_level(c, settings.far / 2.0), _TINY) if c.size >= _MIN_ROWS else np.inf for c in known])


def _flag_at(
    calibration: Calibration, size: FloatArray, look: Look, fold: NDArray[np.intp], settings: AnomalySettings
) -> float:
    """Choose the size at which the flag goes on, so that few healthy rows of a similar day are flagged.

    It is at least what the tail says of single rows. If blocks of the baseline differ, it is higher: their mean flagged
    share plus two standard errors must stay below the nominal one.
    """
    known = ~np.isnan(size)
    cautious = settings.on_ratio * float(calibration.threshold(settings.far / 2.0)[_FIRST])
    bold = float(calibration.threshold(10.0 * settings.far)[_FIRST])
    seen = settings.far * effective_readings(size, _NO_BREAKS) / _ENOUGH
    start = cautious + min(seen, 1.0) * (min(bold, cautious) - cautious)
    blocks = np.bincount(fold[known], minlength=settings.folds)
    for power in range(_HIGHEST):
        flag_at = start * _STEP**power
        levels = levels_of(size, np.full(size.shape, flag_at), settings)
        blank = np.full((look.place.owner.size, look.place.history), UNKNOWN, dtype=np.int8)
        flag = latch(look, look.place.spread(blank, levels), np.zeros(size.shape, dtype=np.bool_), settings)
        flagged = np.bincount(fold[flag & known], minlength=settings.folds)
        share = flagged[blocks >= _LEAST_BLOCK] / blocks[blocks >= _LEAST_BLOCK]
        if share.size < 2 or share.mean() + _SURE * share.std(ddof=1) / np.sqrt(share.size) <= settings.far:
            return flag_at
    return start * _STEP**_HIGHEST
