"""Score rows of calibrated assets and update their memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.frames import Hint
from forewarn.domain.anomaly.calibration import Calibration
from forewarn.domain.anomaly.ensemble import combine_p_values
from forewarn.domain.anomaly.norms import JUMP, PATTERN, PEAK, Norms, magnitudes, pattern_shares, weighed
from forewarn.domain.anomaly.scale import score_of
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.smoothing import Strip, shrunken_means, trailing_sums
from forewarn.domain.anomaly.state import HIGH, LOW, MIDDLE, NEVER, UNKNOWN, ScoringMemory
from forewarn.domain.frames.frame import FloatArray

#: A change from one reading to the next of this size [healthy standard deviations] is a jump: white noise reaches it
#: less than once in ten million readings.
_JUMP: Final = 8.0

#: A tag stands alone if no other is farther out than this many healthy tails,
_QUIET: Final = 1.3

#: and it is this many times farther out than any other.
_ALONE: Final = 2.0

#: This many times beyond the threshold, related tags would have had to follow.
_FAR: Final = 2.0

#: float32 in the stream, float64 offline
ResidualArray = NDArray[np.float32] | NDArray[np.float64]

_LEAST_P: Final = 1e-37  # still a normal float32


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Verdicts:
    """Verdicts on some rows, shapes (rows,) and (rows, responses); ``culprit`` is −1 where not flagged."""

    score: FloatArray
    p_value: FloatArray
    contributions: FloatArray
    flag: NDArray[np.bool_]
    culprit: NDArray[np.int32]
    hint: NDArray[np.uint8]

    @classmethod
    def none(cls, rows: int, responses: int) -> "Verdicts":
        """Return verdicts in which everything is unknown."""
        return cls(
            score=np.full(rows, np.nan),
            p_value=np.full(rows, np.nan),
            contributions=np.full((rows, responses), np.nan),
            flag=np.zeros(rows, dtype=np.bool_),
            culprit=np.full(rows, -1, dtype=np.int32),
            hint=np.full(rows, Hint.NONE, dtype=np.uint8),
        )

    def placed(self, rows: NDArray[np.intp], total: int) -> "Verdicts":
        """Put these verdicts at ``rows`` of ``total`` rows; the others stay unknown."""
        out = Verdicts.none(total, self.contributions.shape[1])
        for name in self.__dataclass_fields__:
            getattr(out, name)[rows] = getattr(self, name)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Rows in their strip, with the smoothed values at each.

    ``residuals`` is a strip; ``means`` and ``jumps`` are smoothed residuals and innovations, shape (rows, responses).
    """

    place: Strip
    floor: NDArray[np.intp]
    residuals: ResidualArray
    means: FloatArray
    jumps: FloatArray

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Return the number of rows since the last gap, each row included."""
        return self.place.position - self.floor + 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sizes:
    """How unusual rows are, shapes (rows,), and the share of each response, shape (rows, responses)."""

    size: FloatArray
    p_value: FloatArray
    shares: FloatArray


def judge_live(
    memory: ScoringMemory,
    asset: NDArray[np.intp],
    ts: NDArray[np.int64],
    residuals: ResidualArray,
    settings: AnomalySettings,
    member_p_values: Sequence[FloatArray] = (),
    symptoms: NDArray[np.bool_] | None = None,
) -> tuple[ScoringMemory, Verdicts]:
    """Score rows, sorted by asset and in order of arrival within one.

    ``asset`` is each row's position in the memory; ``residuals`` have shape (rows, responses). ``member_p_values`` of
    further detectors, NaN while unknown, are combined with the residuals' own to set the score. ``symptoms`` are those
    of ``symptoms.symptoms_of``; with None no response counts as a symptom of the machine.
    """
    look = look_back(memory, asset, ts, residuals, settings)
    sizes = _sizes(memory, asset, look, member_p_values)
    flag_at = memory.norms.flag_at[asset]
    level_strip = look.place.spread(memory.levels[look.place.owner], levels_of(sizes.size, flag_at, settings))
    flag = latch(look, level_strip, memory.flagged[asset], settings)
    shares = sizes.shares
    culprit = np.where(flag, np.argmax(np.where(np.isnan(shares), -1.0, shares), axis=1), -1).astype(np.int32)
    abrupt = _abrupt(look, asset, memory, flag, culprit)
    clear = abrupt | (sizes.size >= _FAR * flag_at / settings.on_ratio)
    verdicts = Verdicts(
        score=score_of(sizes.size / flag_at),
        p_value=np.maximum(sizes.p_value, _LEAST_P),
        contributions=shares,
        flag=flag,
        culprit=culprit,
        hint=_hints(memory.norms, asset, look, culprit, clear, symptoms),
    )
    return _carried_on(memory, look, ts, level_strip, flag, abrupt), verdicts


def _sizes(memory: ScoringMemory, asset: NDArray[np.intp], look: Look, member_p_values: Sequence[FloatArray]) -> Sizes:
    parts = magnitudes(memory.norms, asset, look.means, look.jumps)
    size = np.fmax.reduce(parts)
    p = memory.calibration.p_values(asset, size)
    if member_p_values:
        p, size = _with_members(memory.calibration, asset, p, size, member_p_values)
    return Sizes(size=size, p_value=p, shares=_shares(memory.norms, asset, look, parts))


def with_history(
    memory: ScoringMemory, asset: int, ts: NDArray[np.int64], residuals: ResidualArray, settings: AnomalySettings
) -> ScoringMemory:
    """Store an asset's rows without judging them, so that live scores continue where the baseline ends."""
    if not ts.size:
        return memory
    where = np.full(ts.size, asset, dtype=np.intp)
    look = look_back(memory, where, ts, residuals, settings)
    blank = np.full(look.place.size, UNKNOWN, dtype=np.int8)
    calm = np.zeros(ts.size, dtype=np.bool_)
    return _carried_on(memory, look, ts, blank, calm, calm)


def look_back(
    memory: ScoringMemory,
    asset: NDArray[np.intp],
    ts: NDArray[np.int64],
    residuals: ResidualArray,
    settings: AnomalySettings,
) -> Look:
    """Lay rows behind the remembered rows of their assets, and smooth."""
    place = Strip.of(asset, settings.history)
    before = np.empty_like(ts)
    before[1:] = ts[:-1]
    before[place.first] = memory.last_ts[place.owner]
    never = before == NEVER
    restart = never | ((ts - np.where(never, ts, before)) > memory.calibration.gap_us[asset])
    floor = place.floors(restart)
    strip = place.spread(memory.residuals[place.owner], residuals)
    exact = strip.astype(np.float64)
    means = shrunken_means(exact, place, floor, settings.window, settings.min_readings)
    if not settings.jump_window:
        return Look(place, floor, strip, means, np.full(means.shape, np.nan))
    owner = place.spread(np.repeat(place.owner[:, None], place.history, axis=1), asset)
    changes = exact.copy()
    changes[1:] -= memory.norms.persistence[owner[1:]] * exact[:-1]
    # The first row after a gap has no previous row to compare with.
    return Look(place, floor, strip, means, shrunken_means(changes, place, floor + 1, settings.jump_window, 1))


def _shares(norms: Norms, asset: NDArray[np.intp], look: Look, parts: FloatArray) -> FloatArray:
    """Return each response's share of the largest magnitude of each row, shape (rows, responses); NaN where unknown."""
    squares = (look.means / norms.level_scale[asset]) ** 2
    strongest = np.argmax(np.where(np.isnan(parts), -1.0, parts), axis=0)
    jumped = np.flatnonzero(strongest == JUMP)
    squares[jumped] = (look.jumps[jumped] / norms.jump_scale[asset[jumped]]) ** 2
    single = np.flatnonzero(strongest == PEAK)
    squares[single] /= norms.peak_scale[asset[single]] ** 2
    odd = np.flatnonzero(strongest == PATTERN)
    if odd.size:
        own = pattern_shares(norms.whitener, asset[odd], weighed(norms, asset[odd], look.means[odd]))
        squares[odd] = np.where(np.isnan(look.means[odd]), np.nan, own)
    known = ~np.isnan(squares)
    total = np.nansum(squares, axis=1, keepdims=True)
    even = known / np.maximum(known.sum(axis=1, keepdims=True), 1)  # nothing deviates: equal shares
    shares: FloatArray = np.divide(squares, total, out=even, where=total > 0)
    shares[~known] = np.nan
    return shares


def _with_members(
    calibration: Calibration, asset: NDArray[np.intp], p: FloatArray, size: FloatArray, members: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    scored = ~np.isnan(p) & np.any([~np.isnan(member) for member in members], axis=0)
    combined = combine_p_values([p, *members])
    return np.where(scored, combined, p), np.where(scored, calibration.scores(asset, combined), size)


def levels_of(size: FloatArray, flag_at: FloatArray, settings: AnomalySettings) -> NDArray[np.int8]:
    """Place sizes on the hysteresis band."""
    levels = np.full(size.shape, MIDDLE, dtype=np.int8)
    levels[size >= flag_at] = HIGH
    levels[size < flag_at * (settings.off_ratio / settings.on_ratio)] = LOW
    levels[np.isnan(size)] = UNKNOWN
    return levels


def latch(
    look: Look, levels: NDArray[np.int8], flagged_before: NDArray[np.bool_], settings: AnomalySettings
) -> NDArray[np.bool_]:
    """Set the flag of each row: on after enough high scores, off after enough low ones or a gap, else unchanged."""
    votes = np.stack([levels == HIGH, levels == LOW], axis=1).astype(np.float64)
    counts = trailing_sums(votes, look.place, look.floor, settings.of_last)
    on = counts[:, 0] >= settings.persist
    decided = on | (counts[:, 1] >= settings.persist) | (look.lengths == 1)
    return _held(on, decided, look.place, flagged_before)


def _held(
    value: NDArray[np.bool_], decided: NDArray[np.bool_], place: Strip, before: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the value of the last decided row of the same asset, or ``before`` without one in this batch."""
    latest = np.maximum.accumulate(np.where(decided, np.arange(value.size), -1))
    first = np.repeat(place.first, place.last - place.first)
    return np.where(latest >= first, value[latest], before)


def _abrupt(
    look: Look, asset: NDArray[np.intp], memory: ScoringMemory, flag: NDArray[np.bool_], culprit: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return whether each row's anomaly began with a jump of its culprit."""
    was = np.empty_like(flag)
    was[1:] = flag[:-1]
    was[look.place.first] = memory.flagged[look.place.owner]
    onset = np.flatnonzero(flag & ~was)
    jumped = np.zeros(flag.shape, dtype=np.bool_)
    jumped[onset] = _leaps(look, onset, culprit[onset]).max(axis=0) >= _JUMP
    decided = ~flag
    decided[onset] = True
    return _held(jumped, decided, look.place, memory.abrupt[asset])


def _hints(
    norms: Norms,
    asset: NDArray[np.intp],
    look: Look,
    culprit: NDArray[np.int32],
    clear: NDArray[np.bool_],
    symptoms: NDArray[np.bool_] | None,
) -> NDArray[np.uint8]:
    """Return whether the sensor or the machine is the likely cause.

    A fault of the machine moves several tags, or one of them to its bad side; a faulty sensor moves alone. A tag that
    stands alone points to its sensor if it leaps both ways, or if it leaves to a side that is no symptom of the machine
    and this is ``clear``: it came at once, or is so far out that related tags would have had to follow. Everything else
    points to the machine, even a sensor that drifts the way a failure would: the hint says where to look first.
    """
    hint = np.full(culprit.shape, Hint.NONE, dtype=np.uint8)
    rows = np.flatnonzero(culprit >= 0)
    tag = culprit[rows]
    mean = look.means[rows, tag]
    symptom = np.zeros(rows.shape, dtype=np.bool_) if symptoms is None else symptoms[(mean > 0.0).astype(np.intp), tag]
    own, others = _outness(norms, asset[rows], look, rows, tag)
    # A fault that raises a tag also makes it noisier, but by less than it raises it.
    leaps = _leaps(look, rows, tag).min(axis=0) >= np.maximum(_JUMP, np.abs(mean))
    sensor = (others < _QUIET) & (leaps | ((own > _ALONE * others) & clear[rows] & ~symptom))
    hint[rows] = np.where(sensor, Hint.SENSOR_FAULT, Hint.ASSET_FAULT)
    return hint


def _outness(
    norms: Norms, asset: NDArray[np.intp], look: Look, rows: NDArray[np.intp], tag: NDArray[np.int32]
) -> tuple[FloatArray, FloatArray]:
    """Return how far out a tag of each row and the farthest of the others are, in healthy tails; NaN without others.

    A tag that wanders is judged by its changes. If the others are quiet, the argument of fault reconstruction holds
    (Dunia & Qin 1998): with the expected value of this one tag the row is normal.
    """
    out = np.abs(look.means[rows] / norms.level_scale[asset]) / norms.peak_scale[asset]
    changes = np.abs(look.jumps[rows] / norms.jump_scale[asset]) / norms.tails[asset, JUMP][:, None]
    out = np.where(np.isinf(norms.level_scale[asset]), changes, out)
    place = np.arange(rows.size)
    own = out[place, tag]
    out[place, tag] = np.nan
    return own, np.fmax.reduce(out, axis=1)


def _leaps(look: Look, rows: NDArray[np.intp], tag: NDArray[np.int32]) -> FloatArray:
    """Return the largest rise and fall of a tag between neighbouring readings in memory, shape (2, rows)."""
    leaps = np.zeros((2, rows.size))
    for back in range(look.place.history if rows.size else 0):
        at = look.place.position[rows] - back
        step = look.residuals[at, tag] - look.residuals[at - 1, tag]
        step = np.where(at - 1 >= look.floor[rows], step, 0.0)
        np.fmax(leaps, [step, -step], out=leaps)
    return leaps


def _carried_on(
    memory: ScoringMemory,
    look: Look,
    ts: NDArray[np.int64],
    levels: NDArray[np.int8],
    flag: NDArray[np.bool_],
    abrupt: NDArray[np.bool_],
) -> ScoringMemory:
    place, end = look.place, look.place.last - 1
    return memory.with_news(
        place.owner,
        residuals=place.remembered(look.residuals, look.floor, np.nan),
        levels=place.remembered(levels, look.floor, UNKNOWN),
        flagged=flag[end],
        abrupt=abrupt[end],
        last_ts=ts[end],
    )
