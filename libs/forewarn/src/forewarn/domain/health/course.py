"""Fit the trend of a failure indicator: level, speed and bend at one moment, with standard errors.

The indicator is regressed on time and on the twin's expectation of it. So a rise of load or weather is not mistaken for
wear, nor does a falling load hide wear, even where wear changes how strongly the load shows. The trend is then read at
the usual operating point: the expected value averaged over days.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from forewarn.domain.health.growth import Regression

#: Factor of the squared standard error of a bend: a twin repeats its errors at the same time of each day, and parts of
#: a day look bent.
BEND_DOUBT: Final = 16.0

#: Largest believed correlation of neighbouring buckets' errors: it is estimated from the same few buckets.
MAX_ALIKE: Final = 0.8

#: Prior standard deviation of the indicator's response to the expected value, about 1.
GAIN_SPREAD: Final = 1.0

#: Buckets with an expected value needed to correct by it.
MIN_EXPECTED: Final = 3

#: Least share of the fourth moment in a parabola's own part: less is rounding, or only two distinct times.
_FLAT: Final = 1e-6

#: The usual operating point counts as moving from this many standard errors of its slope.
MOVING: Final = 3.0

#: Of a parabola.
_PARAMETERS: Final = 3.0

#: Iterations to find the bend that a law of growth implies at the resulting level and speed.
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorLevel:
    """Mean of an indicator as measured, with its standard error about a straight line."""

    value: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Expected indicator at the usual operating point, a line about ``at_s``."""

    at_s: float
    level: float
    slope_per_s: float
    slope_var: float
    is_moving: bool = False  #: Significantly.
    share: float = 0.0  #: Its slope over that of the measured indicator, in the same time.


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthFit:
    """Parabola fitted to the indicator, read at one moment: level, slope and their variances there.

    The bend is the fitted one, shrunk towards the law of growth: halfway where they differ by the standard error,
    hardly where by many times that. ``slope_se`` is the error of a straight line's slope, which is
    ``mean_slope_per_s``.
    """

    level: float
    level_var: float
    slope_per_s: float
    slope_var: float
    covariance: float  #: Of level and slope.
    bend_per_s2: float  #: Second derivative.
    mean_slope_per_s: float
    slope_se: float
    span_s: float  #: Event time the readings cover.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    """Moments of the indicator at the usual operating point, in polynomials orthogonal over the weights."""

    mean: float
    slope: float
    bend: float
    rest: float  #: Weighted sum of squared residuals of the parabola.
    gain: float  #: Coefficient of the expected value.
    usual_at_s: float  #: Pivot of the usual operating point's line.
    usual_var: float  #: Of the slope, from that line's.
    gain_var: float  #: Of the coefficient of the expected value.
    off: float  #: Mean expected value relative to the usual operating point.
    off_slope: float  #: Its speed relative to that point.

    def point_var(self, ahead_s: float, turned_s: float) -> tuple[float, float, float]:
        """Return the operating point's share of the variances of level and slope, and of their covariance.

        ``ahead_s`` is the time since the regression's mean, ``turned_s`` that since the pivot of the usual point's
        line.
        """
        off = self.off + self.off_slope * ahead_s
        return (
            self.usual_var * turned_s**2 + self.gain_var * off**2,
            self.usual_var + self.gain_var * self.off_slope**2,
            self.usual_var * turned_s + self.gain_var * off * self.off_slope,
        )


def level_of(regression: Regression) -> IndicatorLevel | None:
    """Return the level over the memory; None with too few buckets to know its error.

    Standard errors follow weighted least squares with ``n = (Σw)²/Σw²`` effective points.
    """
    points = _points(regression)
    if regression.buckets < 3 or regression.s_tt <= 0.0 or points <= 2.5:
        return None
    rest = max(0.0, regression.s_yy - regression.s_ty**2 / regression.s_tt)
    return IndicatorLevel(value=regression.mean_y, error=math.sqrt(rest / (points - 2.0) / regression.weight))


def usual_point(regressions: Sequence[Regression], at_s: float) -> Usual | None:
    """Fit the expected value over the longest memory with enough of it; None without one.

    The slope is shrunk towards 0 as its error grows: weather comes and goes. A significant slope, as where a fault
    moves the operating point, may bend; it then holds at ``at_s`` (seconds since 1970 UTC).
    """
    longest = next((item for item in reversed(regressions) if item.expected >= MIN_EXPECTED), None)
    if longest is None:
        return None
    points = _points(longest)
    if longest.s_tt <= 0.0 or points <= 2.5:
        return Usual(at_s=longest.mean_t, level=longest.mean_e, slope_per_s=0.0, slope_var=0.0)
    slope, basis = longest.s_te / longest.s_tt, _basis(longest)
    variance = max(0.0, longest.s_ee - slope * longest.s_te) / (points - 2.0)
    drawn, drawn_var = _drawn(slope, 0.0, variance / longest.s_tt)
    line = Usual(
        at_s=longest.mean_t,
        level=longest.mean_e,
        slope_per_s=drawn,
        slope_var=drawn_var,
        is_moving=abs(drawn) > MOVING * math.sqrt(drawn_var),
        share=longest.s_te / longest.s_ty if longest.s_ty else 0.0,
    )
    return line if basis is None or not line.is_moving else _bent(line, longest, *basis, at_s)


def _bent(line: Usual, regression: Regression, skew: float, s_bb: float, at_s: float) -> Usual:
    """Return a moving operating point by the parabola through the expected values."""
    slope, s_be = regression.s_te / regression.s_tt, regression.s_tte - skew * regression.s_te
    free = _points(regression) - _PARAMETERS
    variance = max(0.0, regression.s_ee - slope * regression.s_te - s_be**2 / s_bb) / free * _few(free)
    bend, bend_var = _drawn(s_be / s_bb, 0.0, variance / s_bb)
    ahead_s = at_s - regression.mean_t
    curve, tangent = ahead_s * (ahead_s - skew) - regression.s_tt / regression.weight, 2.0 * ahead_s - skew
    return replace(
        line,
        at_s=at_s,
        level=regression.mean_e + slope * ahead_s + bend * curve,
        slope_per_s=slope + bend * tangent,
        slope_var=variance / regression.s_tt + bend_var * tangent**2,
    )


def course(
    regression: Regression, at_s: float, *, usual: Usual | None = None, healthy: float | None = None
) -> GrowthFit | None:
    """Fit a parabola to the complete buckets, read at one time; None with too few for its error.

    ``usual`` is the operating point to correct to (None: as measured); ``healthy`` is the level above which exponential
    growth is assumed (None: linear growth): the bend is shrunk towards that.
    """
    basis = _basis(regression)
    if basis is None:
        return None
    skew, s_bb = basis
    seen = _moments(regression, skew, s_bb, usual)
    free = _points(regression) - _PARAMETERS
    variance = seen.rest / free * _alike(regression, seen) * _few(free)  # of a point of the mean weight, per weight
    ahead_s = at_s - regression.mean_t
    curve, tangent = ahead_s * (ahead_s - skew) - regression.s_tt / regression.weight, 2.0 * ahead_s - skew
    straight = seen.mean + seen.slope * ahead_s
    lawful = 0.0 if healthy is None else _lawful_bend(straight - healthy, seen.slope, curve, tangent)
    bend, bend_var = _drawn(seen.bend, lawful, BEND_DOUBT * variance / s_bb)
    line_var, straight_var = variance / regression.s_tt, (seen.rest + seen.bend**2 * s_bb) / (free + 1.0)
    level_var, slope_var, covariance = seen.point_var(ahead_s, at_s - seen.usual_at_s)
    return GrowthFit(
        level=straight + bend * curve,
        level_var=variance / regression.weight + line_var * ahead_s**2 + bend_var * curve**2 + level_var,
        slope_per_s=seen.slope + bend * tangent,
        slope_var=line_var + bend_var * tangent**2 + slope_var,
        covariance=line_var * ahead_s + bend_var * curve * tangent + covariance,
        bend_per_s2=2.0 * bend,
        mean_slope_per_s=seen.slope,
        slope_se=math.sqrt(straight_var / regression.s_tt + slope_var),
        span_s=regression.last_t - regression.first_t,
    )


def _basis(regression: Regression) -> tuple[float, float] | None:
    """Return skew of the times and square of a parabola's own part; None with too few buckets or two distinct times."""
    if regression.s_tt <= 0.0 or _points(regression) <= _PARAMETERS + 0.5:
        return None
    skew = regression.s_ttt / regression.s_tt
    s_bb = regression.s_tttt - skew * regression.s_ttt - regression.s_tt**2 / regression.weight
    return (skew, s_bb) if s_bb > _FLAT * regression.s_tttt else None


def _moments(regression: Regression, skew: float, s_bb: float, usual: Usual | None) -> _Moments:
    """Regress on time alone, or also on the expected value (Frisch and Waugh 1933)."""
    slope, s_by = regression.s_ty / regression.s_tt, regression.s_tty - skew * regression.s_ty
    rest = max(0.0, regression.s_yy - slope * regression.s_ty - s_by**2 / s_bb)
    if usual is None or regression.expected < MIN_EXPECTED:
        bend = s_by / s_bb
        return _Moments(
            mean=regression.mean_y,
            slope=slope,
            bend=bend,
            rest=rest,
            gain=0.0,
            usual_at_s=regression.mean_t,
            usual_var=0.0,
            gain_var=0.0,
            off=0.0,
            off_slope=0.0,
        )
    slope_e, s_be = regression.s_te / regression.s_tt, regression.s_tte - skew * regression.s_te
    rest_e = max(0.0, regression.s_ee - slope_e * regression.s_te - s_be**2 / s_bb)
    common = regression.s_ye - slope_e * regression.s_ty - s_be * s_by / s_bb
    variance = max(0.0, rest - 2.0 * common + rest_e) / max(1.0, _points(regression) - _PARAMETERS)
    pull = variance / GAIN_SPREAD**2
    gain = (common + pull) / (rest_e + pull) if rest_e + pull > 0.0 else 1.0
    off = regression.mean_e - usual.level - usual.slope_per_s * (regression.mean_t - usual.at_s)
    off_slope = slope_e - usual.slope_per_s
    return _Moments(
        mean=regression.mean_y - gain * off,
        slope=slope - gain * off_slope,
        bend=(s_by - gain * s_be) / s_bb,
        rest=max(0.0, rest - 2.0 * gain * common + gain**2 * rest_e),
        gain=gain,
        usual_at_s=usual.at_s,
        usual_var=gain**2 * usual.slope_var,
        gain_var=variance / (rest_e + pull) if rest_e + pull > 0.0 else 0.0,
        off=off,
        off_slope=off_slope,
    )


def _alike(regression: Regression, seen: _Moments) -> float:
    """Return the equivalent number of independent buckets, as neighbouring errors correlate.

    For a correlation c = 1 − Σδ²/2Σr² (von Neumann 1941; δ: steps, r: errors) the variance grows by (1 + c)/(1 − c)
    (Bayley and Hammersley 1946).
    """
    if seen.rest <= 0.0:
        return 1.0
    steps = regression.d_yy - 2.0 * seen.gain * regression.d_ye + seen.gain**2 * regression.d_ee
    correlation = min(MAX_ALIKE, max(0.0, 1.0 - 0.5 * steps / seen.rest))
    return (1.0 + correlation) / (1.0 - correlation)


def _few(free: float) -> float:
    """Return a factor for a variance that is itself uncertain: (Student's t / normal quantile)², at 95 %."""
    return (1.0 + 3.0 / (free * math.sqrt(free))) ** 2


def _lawful_bend(above: float, slope: float, curve: float, tangent: float) -> float:
    """Return half the present second derivative of exponential growth over a healthy level, x'' = x'²/(x − x₀).

    ``above`` and ``slope`` are the straight line's distance from that level and its speed now, ``curve`` and
    ``tangent`` their change by a bend of 1. None where the line moves towards the healthy level.
    """
    bend = 0.0
    for _ in range(_ROUNDS):
        distance, speed = above + bend * curve, slope + bend * tangent
        if distance * speed <= 0.0:
            return 0.0
        bend = speed**2 / distance / 2.0
    return bend


def _drawn(value: float, towards: float, variance: float) -> tuple[float, float]:
    """Shrink an estimate towards its expectation as its error requires; return it with its variance."""
    apart = (value - towards) ** 2
    trust = apart / (apart + variance) if variance > 0.0 else 1.0
    return towards + trust * (value - towards), trust * variance


def _points(regression: Regression) -> float:
    """Return the equivalent number of equally weighted buckets."""
    return regression.weight**2 / regression.weight_sq if regression.weight_sq > 0.0 else 0.0
