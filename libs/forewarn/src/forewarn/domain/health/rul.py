"""Remaining useful life: when the growth curve reaches the failure threshold, with an interval.

Growth is a parabola fitted with forgetting and read at the present: level, speed and bend, at the machine's usual
operating point (see ``course``). Accelerating growth is extrapolated as an exponential above a healthy level, slowing
growth as a hyperbola; the remaining distance is replaced by the one that takes as long at the present speed. Level and
speed are uncertain, so the time is. With both normal, P(failed by T) = Φ((b·T − d) / √var(T)), d the remaining
distance. Solved for T at 10, 50 and 90 % this is a quadratic equation: no simulation, no randomness. Present operating
conditions are assumed to continue (ISO 13381-1). Without significant growth towards the threshold there is no estimate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

from forewarn.contracts.asset_class import AssetClass, FailureMode
from forewarn.contracts.health import FailureRisk, RulEstimate
from forewarn.domain.health.course import GrowthFit, Usual, course, level_of, usual_point
from forewarn.domain.health.growth import Growth, Regression
from forewarn.domain.time import S_PER_DAY

#: Names method and version in every estimate.
MODEL: Final = "forgetting-parabola/4"

#: A slope counts as growth from this many standard errors.
SIGNIFICANT: Final = 5.0

#: Share of the indicator's growth from which an expectation moving towards the limit has followed the fault.
FOLLOWED: Final = 2.0 / 3.0

#: Complete buckets that a regression needs before it is used.
MIN_BUCKETS: Final = 12

#: How far a line may be extrapolated, in lengths of the window it was fitted on.
MAX_EXTRAPOLATION: Final = 20.0

#: Standard deviation of future growth beyond past growth, relative to its speed.
WANDER: Final = 0.05

#: Relative standard deviation of a time left as long as the memory: a parabola holds for a while only, and of two
#: equally certain memories the shorter one knows the present better.
AGE: Final = 1.0

#: Share of the way from the healthy level to the threshold from which growth counts without other evidence.
WORN: Final = 0.2

#: A smaller bend over the way counts as straight.
_STRAIGHT: Final = 1e-6

#: Forgetting leaves this many memories of data in a regression (95 % of the weight).
_WINDOW_MEMORIES: Final = 3.0

_QUANTILE_Z: Final = NormalDist().inv_cdf(0.9)
_NORMAL: Final = NormalDist()
_CERTAIN: Final = FailureRisk(within_7_days=1.0, within_30_days=1.0, within_90_days=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passage:
    """Distance to the threshold now, growth towards it, and their variances.

    ``worn`` is the share of the way from the healthy level already covered, 0 if that level is unknown.
    """

    distance: float
    distance_var: float
    speed: float
    speed_var: float
    covariance: float
    memory_s: float
    window_s: float
    worn: float


def estimate(
    mode: FailureMode, growth: Growth, now_s: float, *, asset_class: AssetClass, suspected: bool = True
) -> RulEstimate | None:
    """Estimate one failure mode's remaining life at event time ``now_s``.

    Regressions with significant growth are pooled, weighted by the certainty of the time left. Life is zero once the
    level is surely beyond the threshold; None without growth, or with the threshold beyond the reach of extrapolation.
    Unless ``suspected`` for another reason, the mode's indicator must have covered a good part of the way.
    """
    rising = _fails_high(mode, asset_class, growth)
    if suspected and _has_failed(growth, mode.threshold, rising=rising):
        return _estimate(mode, 0.0, 0.0, 0.0, _CERTAIN)
    usual = _steady(usual_point(growth.regressions, now_s), rising=rising)
    passages = [
        passage
        for regression in growth.regressions
        if (passage := _passage(mode, growth, regression, usual, now_s, rising=rising)) is not None
        and passage.distance <= MAX_EXTRAPOLATION * passage.window_s * passage.speed
    ]
    if not passages:
        return None
    best = _pooled(passages)
    if not (suspected or best.worn > WORN):
        return None
    lower, middle, upper = (_reached_s(best, z) for z in (-_QUANTILE_Z, 0.0, _QUANTILE_Z))
    return _estimate(mode, lower, max(lower, middle), max(lower, middle, upper), _risk(best))


def _estimate(mode: FailureMode, p10_s: float, p50_s: float, p90_s: float, risk: FailureRisk) -> RulEstimate:
    return RulEstimate(
        failure_mode=mode.id,
        p10_days=p10_s / S_PER_DAY,
        p50_days=p50_s / S_PER_DAY,
        p90_days=p90_s / S_PER_DAY,
        indicator=mode.indicator,
        threshold=mode.threshold,
        model=MODEL,
        risk=risk,
    )


def _fails_high(mode: FailureMode, asset_class: AssetClass, growth: Growth) -> bool:
    """Return whether the indicator fails by rising: from its health metric, else from its healthy or present level."""
    said = asset_class.fails_high(mode.indicator)
    if said is not None:
        return said
    if growth.healthy is not None and growth.healthy.level is not None:
        return growth.healthy.level <= mode.threshold
    longest = next((item for item in reversed(growth.regressions) if item.buckets), growth.regressions[0])
    return longest.mean_y <= mode.threshold


def _has_failed(growth: Growth, threshold: float, *, rising: bool) -> bool:
    """Return whether the recent level, by the shortest memory, is beyond the threshold with near certainty."""
    recent = level_of(growth.regressions[0])
    if recent is None:
        return False
    beyond = recent.value - threshold if rising else threshold - recent.value
    return beyond > SIGNIFICANT * recent.error


def _steady(usual: Usual | None, *, rising: bool) -> Usual | None:
    """Return the usual operating point; None where it causes most of the movement towards the limit."""
    if usual is None:
        return None
    is_towards = usual.is_moving and (usual.slope_per_s > 0.0) is rising
    return None if is_towards and not 0.0 <= usual.share <= FOLLOWED else usual


def _passage(
    mode: FailureMode, growth: Growth, regression: Regression, usual: Usual | None, now_s: float, *, rising: bool
) -> _Passage | None:
    """Return growth by one memory; None if it is not significant, or the memory too young."""
    if regression.buckets < MIN_BUCKETS:
        return None
    healthy = None if growth.healthy is None else growth.healthy.level
    over = None if mode.growth == "linear" else healthy or 0.0
    seen = course(regression, now_s, usual=usual, healthy=over)
    sign = 1.0 if rising else -1.0
    if seen is None or not _is_growing(seen, sign):
        return None
    speed, distance = sign * seen.slope_per_s, sign * (mode.threshold - seen.level)
    way = 0.0 if healthy is None else sign * (mode.threshold - healthy)
    return _Passage(
        distance=_straightened(distance, sign * seen.bend_per_s2 / speed**2),
        distance_var=seen.level_var,
        speed=speed,
        speed_var=min(seen.slope_var, (speed / SIGNIFICANT) ** 2) + (WANDER * speed) ** 2,
        covariance=seen.covariance,
        memory_s=regression.memory_s,
        window_s=min(seen.span_s, _WINDOW_MEMORIES * regression.memory_s),
        worn=1.0 - distance / way if way > 0.0 else 0.0,
    )


def _is_growing(seen: GrowthFit, sign: float) -> bool:
    """Return whether both the line and the parabola rise, the line significantly."""
    return sign * seen.slope_per_s > 0.0 and sign * seen.mean_slope_per_s > SIGNIFICANT * seen.slope_se


def _pooled(passages: Sequence[_Passage]) -> _Passage:
    """Return the most certain passage, its distance adjusted to the geometric mean of all times left.

    Weights fall with the square of the doubt: memories share the same readings, so many add little.
    """
    best = min(passages, key=_doubt)
    if best.distance <= 0.0:
        return best
    weights = [_doubt(item) ** -2 for item in passages]
    found = [
        (weight, math.log(item.distance / item.speed))
        for weight, item in zip(weights, passages, strict=True)
        if weight > 0.0
    ]
    mean = sum(weight * log_s for weight, log_s in found) / sum(weights)
    factor = math.exp(mean) * best.speed / best.distance
    return replace(
        best,
        distance=factor * best.distance,
        distance_var=factor**2 * best.distance_var,
        covariance=factor * best.covariance,
    )


def _doubt(passage: _Passage) -> float:
    """Return the relative variance of the time left, long memories' errors included; infinite where none is left."""
    if passage.distance <= 0.0:
        return math.inf
    time_s = passage.distance / passage.speed
    variance = passage.distance_var + 2.0 * passage.covariance * time_s + passage.speed_var * time_s**2
    return variance / passage.distance**2 + (AGE * passage.memory_s / time_s) ** 2


def _straightened(distance: float, bend: float) -> float:
    """Return the distance that takes as long at today's speed as the true one at a changing speed.

    ``bend`` is the second derivative over the squared speed. Accelerating growth is treated as an exponential above a
    healthy level, x = x₀ + A·e^(κT), slowing growth as a hyperbola.
    """
    if distance <= 0.0:
        return distance
    ratio = bend * distance
    if abs(ratio) < _STRAIGHT:
        return distance
    return math.log1p(ratio) / bend if ratio > 0.0 else distance / (1.0 + max(-1.0, ratio) / 2.0)


def _reached_s(passage: _Passage, z: float) -> float:
    """Return seconds until the threshold is passed with probability Φ(z); 0 if that has happened.

    From b·T − d = z·√(v_d + 2·c·T + v_b·T²), squared. Real and finite, as the speed is known better than 1/|z|.
    """
    if passage.distance <= 0.0 and z >= 0.0:
        return 0.0
    a = passage.speed**2 - z**2 * passage.speed_var
    b = passage.speed * passage.distance + z**2 * passage.covariance
    c = passage.distance**2 - z**2 * passage.distance_var
    root = math.sqrt(max(0.0, b * b - a * c))
    return max(0.0, (b + math.copysign(root, z) if z else b) / a)


def _risk(passage: _Passage) -> FailureRisk:
    week, month, quarter = (_probability(passage, days * S_PER_DAY) for days in (7.0, 30.0, 90.0))
    return FailureRisk(within_7_days=week, within_30_days=month, within_90_days=quarter)


def _probability(passage: _Passage, time_s: float) -> float:
    """Return P(failed by T), the distribution whose quantiles ``_reached_s`` returns."""
    ahead = passage.speed * time_s - passage.distance
    variance = passage.distance_var + 2.0 * passage.covariance * time_s + passage.speed_var * time_s**2
    if variance <= 0.0:
        return 1.0 if ahead >= 0.0 else 0.0
    return _NORMAL.cdf(ahead / math.sqrt(variance))
