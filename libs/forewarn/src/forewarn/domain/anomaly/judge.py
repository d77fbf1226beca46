"""Scores rows of calibrated assets and carries their memory on."""

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
from forewarn.domain.anomaly.state import HIGH, LOW, MIDDLE, NEVER, UNKNOWN, Memory
from forewarn.domain.frame import FloatArray

#: A change from one reading to the next this large [healthy standard deviations] is a jump:
#: white noise does not do that in ten million readings.
_JUMP: Final = 8.0

#: A tag that carries more than this of the score while all others are quiet stands alone.
_ALONE: Final = 0.8

#: float32 in the stream, float64 offline.
ResidualArray = NDArray[np.float32] | NDArray[np.float64]

_LEAST_P: Final = 1e-37  # still a normal float32


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Verdicts:
    """What is said of some rows, shapes (rows,) and (rows, responses); ``culprit`` −1 where not flagged."""

    score: FloatArray
    p_value: FloatArray
    contributions: FloatArray
    flag: NDArray[np.bool_]
    culprit: NDArray[np.int32]
    hint: NDArray[np.uint8]

    @classmethod
    def none(cls, rows: int, responses: int) -> "Verdicts":
        """Nothing is known of any row."""
        return cls(
            score=np.full(rows, np.nan),
            p_value=np.full(rows, np.nan),
            contributions=np.full((rows, responses), np.nan),
            flag=np.zeros(rows, dtype=np.bool_),
            culprit=np.full(rows, -1, dtype=np.int32),
            hint=np.full(rows, Hint.NONE, dtype=np.uint8),
        )

    def placed(self, rows: NDArray[np.intp], total: int) -> "Verdicts":
        """These verdicts at ``rows`` of ``total`` rows; nothing is known of the others."""
        out = Verdicts.none(total, self.contributions.shape[1])
        for name in self.__dataclass_fields__:
            getattr(out, name)[rows] = getattr(self, name)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Rows in their strip and what is seen when looking back from each.

    ``residuals`` is a strip; ``means`` and ``jumps`` are smoothed residuals and innovations, shape (rows, responses).
    """

    place: Strip
    floor: NDArray[np.intp]
    residuals: ResidualArray
    means: FloatArray
    jumps: FloatArray

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Rows since the last gap, the own one counted in."""
        return self.place.position - self.floor + 1


def judge_live(
    memory: Memory,
    asset: NDArray[np.intp],
    ts: NDArray[np.int64],
    residuals: ResidualArray,
    settings: AnomalySettings,
    member_p_values: Sequence[FloatArray] = (),
) -> tuple[Memory, Verdicts]:
    """Score rows, sorted by asset and in the order in which they came within one.

    Parameters
    ----------
    asset, ts, residuals
        Position in the memory, event time [µs] and residuals of each row; shapes (rows,), (rows,),
        (rows, responses).
    member_p_values
        What further detectors say of the rows, each of shape (rows,), NaN while they do not know. The
        combined p-value takes the place of the residuals' own: the score is the one that is as unlikely.
    """
    look = look_back(memory, asset, ts, residuals, settings)
    parts = magnitudes(memory.norms, asset, look.means, look.jumps)
    size = np.fmax.reduce(parts)
    shares = _shares(memory.norms, asset, look, parts)
    p = memory.calibration.p_values(asset, size)
    if member_p_values:
        p, size = _with_members(memory.calibration, asset, p, size, member_p_values)
    flag_at = memory.norms.flag_at[asset]
    levels = levels_of(size, flag_at, settings)
    level_strip = look.place.spread(memory.levels[look.place.owner], levels)
    flag = latch(look, level_strip, memory.flagged[asset], settings)
    culprit = np.where(flag, np.argmax(np.where(np.isnan(shares), -1.0, shares), axis=1), -1).astype(np.int32)
    abrupt = _abrupt(look, asset, memory, flag, culprit)
    verdicts = Verdicts(
        score=score_of(size / flag_at),
        p_value=np.maximum(p, _LEAST_P),
        contributions=shares,
        flag=flag,
        culprit=culprit,
        hint=_hints(shares, size, flag, culprit, abrupt, flag_at / settings.on_ratio),
    )
    return _carried_on(memory, look, ts, level_strip, flag, abrupt), verdicts


def with_history(
    memory: Memory, asset: int, ts: NDArray[np.int64], residuals: ResidualArray, settings: AnomalySettings
) -> Memory:
    """Let an asset remember rows without judging them: live scores go on where the baseline ends."""
    if not ts.size:
        return memory
    where = np.full(ts.size, asset, dtype=np.intp)
    look = look_back(memory, where, ts, residuals, settings)
    blank = np.full(look.place.size, UNKNOWN, dtype=np.int8)
    calm = np.zeros(ts.size, dtype=np.bool_)
    return _carried_on(memory, look, ts, blank, calm, calm)


def look_back(
    memory: Memory,
    asset: NDArray[np.intp],
    ts: NDArray[np.int64],
    residuals: ResidualArray,
    settings: AnomalySettings,
) -> Look:
    """Lay rows behind what is remembered of their assets, and smooth."""
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
    # The first row after a gap has no row before it that it could have changed from.
    return Look(place, floor, strip, means, shrunken_means(changes, place, floor + 1, settings.jump_window, 1))


def _shares(norms: Norms, asset: NDArray[np.intp], look: Look, parts: FloatArray) -> FloatArray:
    """What each response adds to the largest magnitude of each row, shape (rows, responses); NaN where unknown."""
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
    even = known / np.maximum(known.sum(axis=1, keepdims=True), 1)  # nothing deviates: nobody more than another
    shares: FloatArray = np.divide(squares, total, out=even, where=total > 0)
    shares[~known] = np.nan
    return shares


def _with_members(
    calibration: Calibration, asset: NDArray[np.intp], p: FloatArray, size: FloatArray, members: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    asked = ~np.isnan(p) & np.any([~np.isnan(member) for member in members], axis=0)
    combined = combine_p_values([p, *members])
    return np.where(asked, combined, p), np.where(asked, calibration.scores(asset, combined), size)


def levels_of(size: FloatArray, flag_at: FloatArray, settings: AnomalySettings) -> NDArray[np.int8]:
    """Where sizes lie on the hysteresis band."""
    levels = np.full(size.shape, MIDDLE, dtype=np.int8)
    levels[size >= flag_at] = HIGH
    levels[size < flag_at * (settings.off_ratio / settings.on_ratio)] = LOW
    levels[np.isnan(size)] = UNKNOWN
    return levels


def latch(
    look: Look, levels: NDArray[np.int8], flagged_before: NDArray[np.bool_], settings: AnomalySettings
) -> NDArray[np.bool_]:
    """Flag of each row: on after enough high scores, off after enough low ones or a gap, else as before."""
    votes = np.stack([levels == HIGH, levels == LOW], axis=1).astype(np.float64)
    counts = trailing_sums(votes, look.place, look.floor, settings.of_last)
    on = counts[:, 0] >= settings.persist
    decided = on | (counts[:, 1] >= settings.persist) | (look.lengths == 1)
    return _held(on, decided, look.place, flagged_before)


def _held(
    value: NDArray[np.bool_], decided: NDArray[np.bool_], place: Strip, before: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The value of the last decided row of the same asset; ``before`` where there is none in this batch."""
    latest = np.maximum.accumulate(np.where(decided, np.arange(value.size), -1))
    first = np.repeat(place.first, place.last - place.first)
    return np.where(latest >= first, value[latest], before)


def _abrupt(
    look: Look, asset: NDArray[np.intp], memory: Memory, flag: NDArray[np.bool_], culprit: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Whether the anomaly each row is part of began with a jump of its culprit."""
    was = np.empty_like(flag)
    was[1:] = flag[:-1]
    was[look.place.first] = memory.flagged[look.place.owner]
    onset = np.flatnonzero(flag & ~was)
    jumped = np.zeros(flag.shape, dtype=np.bool_)
    for back in range(look.place.history if onset.size else 0):
        at = look.place.position[onset] - back
        step = np.abs(look.residuals[at, culprit[onset]] - look.residuals[at - 1, culprit[onset]])
        jumped[onset] |= (at - 1 >= look.floor[onset]) & (step >= _JUMP)
    decided = ~flag
    decided[onset] = True
    return _held(jumped, decided, look.place, memory.abrupt[asset])


def _hints(
    shares: FloatArray,
    size: FloatArray,
    flag: NDArray[np.bool_],
    culprit: NDArray[np.int32],
    abrupt: NDArray[np.bool_],
    quiet: FloatArray,
) -> NDArray[np.uint8]:
    """Sensor or machine? A sensor breaks alone and at once; a machine moves several tags, or one slowly.

    So a sensor that drifts is taken for a machine, and a machine fault that shows in one tag only and
    within one sample for a sensor: it is a hint where to look first. ``quiet`` is the threshold
    of the size.
    """
    hint = np.full(flag.shape, Hint.NONE, dtype=np.uint8)
    rows = np.flatnonzero(flag)
    total = size[rows] ** 2 * shares.shape[1]
    own = shares[rows, culprit[rows]] * total
    others = total - own
    count = (~np.isnan(shares[rows])).sum(axis=1) - 1
    alone = (count > 0) & (own > _ALONE * total) & (others < np.maximum(count, 1) * quiet[rows] ** 2)
    hint[rows] = np.where(alone & abrupt[rows], Hint.SENSOR_FAULT, Hint.ASSET_FAULT)
    return hint


def _carried_on(
    memory: Memory,
    look: Look,
    ts: NDArray[np.int64],
    levels: NDArray[np.int8],
    flag: NDArray[np.bool_],
    abrupt: NDArray[np.bool_],
) -> Memory:
    place, end = look.place, look.place.last - 1
    return memory.with_news(
        place.owner,
        residuals=place.remembered(look.residuals, look.floor, np.nan),
        levels=place.remembered(levels, look.floor, UNKNOWN),
        flagged=flag[end],
        abrupt=abrupt[end],
        last_ts=ts[end],
    )
