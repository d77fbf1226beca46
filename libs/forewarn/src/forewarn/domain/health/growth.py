"""How fast a failure indicator grows: exponentially forgetting linear regression on event time.

Readings are averaged into buckets; complete buckets enter a recursive regression of the indicator
(or its logarithm, for exponential growth) on time. One regression runs for each memory length, as
a wear that takes weeks and a fault that takes minutes do not show in the same window. A reading
only enters the bucket of the shortest memory; longer buckets are made of those. All sums are
recursive, so the state is small, and they do not depend on how readings are cut into frames.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frame import FloatArray

#: Memory (time constant of forgetting) of each regression: 3 min, 45 min, 12 h, 7 d; multiples of the first.
MEMORIES_S: Final = (180.0, 2_700.0, 43_200.0, 604_800.0)

#: Buckets in one memory: enough that a line through them says something, few enough to average noise out.
BUCKETS_PER_MEMORY: Final = 15

#: Factor of the squared standard error of a bend: buckets of one day are not independent, they share the day's load.
DOUBT: Final = 8.0

#: Share of its fourth moment that a parabola's own part must have: less is rounding, or all readings at two times.
_FLAT: Final = 1e-6

#: Length of a bucket of the shortest memory.
BUCKET_S: Final = MEMORIES_S[0] / BUCKETS_PER_MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Sums over the readings of a bucket, the ``index``-th of its length since 1970."""

    index: int
    count: int
    sum_t: float
    sum_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Weighted moments of the complete buckets; times in seconds since 1970 UTC.

    ``weight`` and ``weight_sq`` are sums of the forgetting weights and their squares, the ``s``
    fields weighted sums of squares and products about the means. ``filling`` is the bucket that is
    not complete, as far as it is made of complete ones of the shortest memory.
    """

    memory_s: float
    weight: float = 0.0
    weight_sq: float = 0.0
    mean_t: float = 0.0
    mean_y: float = 0.0
    s_tt: float = 0.0
    s_ty: float = 0.0
    s_yy: float = 0.0
    buckets: int = 0
    first_t: float = 0.0
    last_t: float = 0.0
    filling: Bucket | None = None
    s_ttt: float = 0.0
    s_tttt: float = 0.0
    s_tty: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Straight line fitted to the indicator: its level at ``mean_t`` and slope, each with a standard error."""

    mean_t: float
    level: float
    level_se: float
    slope_per_s: float
    slope_se: float
    span_s: float  #: Event time the readings cover.


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Parabola fitted to the indicator, seen from one moment: level, slope and their variances there.

    The fitted bend is halved where it is as large as its error, and hardly changed where it is many times that.
    """

    level: float
    level_var: float
    slope_per_s: float
    slope_var: float
    covariance: float  #: Of level and slope.
    bend_per_s2: float  #: Second derivative.
    span_s: float  #: Event time the readings cover.


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Growth of one indicator: the bucket that readings enter now, and one regression for each memory."""

    filling: Bucket | None
    regressions: tuple[Regression, ...] = field(
        default_factory=lambda: tuple(Regression(memory_s=memory) for memory in MEMORIES_S)
    )


#: Of an indicator that was never read.
UNSEEN: Final = Growth(filling=None)


def observe(
    growths: Sequence[Growth], owners: NDArray[np.intp], times_s: FloatArray, values: FloatArray
) -> list[Growth]:
    """Feed readings of many indicators; NaN values are left out.

    Parameters
    ----------
    growths
        States before.
    owners
        Position in ``growths`` that each reading belongs to, never falling, shape (n,).
    times_s
        Event times, seconds since 1970 UTC, rising within each owner, shape (n,).
    values
        Indicators (or their logarithms), shape (n,).
    """
    after = list(growths)
    known = np.isfinite(values)
    owners, times_s, values = owners[known], times_s[known], values[known]
    indices = np.floor_divide(times_s, BUCKET_S).astype(np.int64)
    first = np.flatnonzero((np.diff(owners, prepend=-1) != 0) | (np.diff(indices, prepend=-1) != 0))
    buckets = np.repeat(np.arange(first.size), np.diff(first, append=owners.size))
    places = list(zip(owners[first].tolist(), indices[first].tolist(), strict=True))
    begun = [_begun(after[owner].filling, index) for owner, index in places]
    counts = np.array([bucket.count for bucket in begun], dtype=np.int64) + np.bincount(buckets, minlength=first.size)
    sums_t = np.array([bucket.sum_t for bucket in begun], dtype=np.float64)
    sums_y = np.array([bucket.sum_y for bucket in begun], dtype=np.float64)
    np.add.at(sums_t, buckets, times_s)  # one by one, unlike np.sum: the same for any cut
    np.add.at(sums_y, buckets, values)
    for (owner, index), count, sum_t, sum_y in zip(
        places, counts.tolist(), sums_t.tolist(), sums_y.tolist(), strict=True
    ):
        regressions = _regressions_before(after[owner], index)
        bucket = Bucket(index=index, count=count, sum_t=sum_t, sum_y=sum_y)
        after[owner] = Growth(filling=bucket, regressions=regressions)
    return after


def fit(regression: Regression) -> Line | None:
    """Line through the complete buckets; None while there are too few to know its error.

    Standard errors follow weighted least squares with ``n = (Σw)²/Σw²`` effective points.
    """
    if regression.buckets < 3 or regression.s_tt <= 0.0:
        return None
    points = regression.weight**2 / regression.weight_sq
    if points <= 2.5:
        return None
    slope = regression.s_ty / regression.s_tt
    rest = max(0.0, regression.s_yy - slope * regression.s_ty)
    variance = rest / regression.weight * points / (points - 2.0)
    return Line(
        mean_t=regression.mean_t,
        level=regression.mean_y,
        level_se=math.sqrt(variance / points),
        slope_per_s=slope,
        slope_se=math.sqrt(variance * regression.weight / points / regression.s_tt),
        span_s=regression.last_t - regression.first_t,
    )


def course(regression: Regression, at_s: float) -> Course | None:
    """Parabola through the complete buckets, at a time (seconds since 1970 UTC); None with too few for its error.

    In polynomials orthogonal over the weights, so that the line is that of ``fit`` and the errors do not correlate.
    """
    line = fit(regression)
    if line is None:
        return None
    skew = regression.s_ttt / regression.s_tt
    s_bb = regression.s_tttt - skew * regression.s_ttt - regression.s_tt**2 / regression.weight
    points = regression.weight**2 / regression.weight_sq
    if s_bb <= _FLAT * regression.s_tttt or points <= 3.5:
        return None
    s_by = regression.s_tty - skew * regression.s_ty
    bend = s_by / s_bb
    rest = max(0.0, regression.s_yy - line.slope_per_s * regression.s_ty - bend * s_by)
    variance = rest / (points - 3.0)  # of a point of the mean weight, per weight
    bend_var = DOUBT * variance / s_bb
    trust = bend**2 / (bend**2 + bend_var) if bend_var > 0.0 else 1.0
    bend, bend_var = trust * bend, trust * bend_var
    slope_var = variance / regression.s_tt
    ahead_s = at_s - line.mean_t
    curve, tangent = ahead_s * (ahead_s - skew) - regression.s_tt / regression.weight, 2.0 * ahead_s - skew
    return Course(
        level=line.level + line.slope_per_s * ahead_s + bend * curve,
        level_var=variance / regression.weight + slope_var * ahead_s**2 + bend_var * curve**2,
        slope_per_s=line.slope_per_s + bend * tangent,
        slope_var=slope_var + bend_var * tangent**2,
        covariance=slope_var * ahead_s + bend_var * curve * tangent,
        bend_per_s2=2.0 * bend,
        span_s=line.span_s,
    )


def _begun(filling: Bucket | None, index: int) -> Bucket:
    """The bucket of this index as far as it is filled."""
    if filling is not None and filling.index == index:
        return filling
    return Bucket(index=index, count=0, sum_t=0.0, sum_y=0.0)


def _regressions_before(growth: Growth, index: int) -> tuple[Regression, ...]:
    """The regressions by the time a reading falls into the bucket of this index."""
    filled = growth.filling
    if filled is None or filled.index == index:
        return growth.regressions
    return tuple(_extend(regression, filled, index) for regression in growth.regressions)


def _extend(regression: Regression, bucket: Bucket, next_index: int) -> Regression:
    """Take in a complete bucket of the shortest memory, and close one's own if the next belongs to another."""
    ratio = round(regression.memory_s / MEMORIES_S[0])
    own = _begun(regression.filling, bucket.index // ratio)
    own = Bucket(
        index=own.index,
        count=own.count + bucket.count,
        sum_t=own.sum_t + bucket.sum_t,
        sum_y=own.sum_y + bucket.sum_y,
    )
    if next_index // ratio == own.index:
        return replace(regression, filling=own)
    return _close(regression, own)


def _close(regression: Regression, bucket: Bucket) -> Regression:
    """Weighted incremental update of means and central moments, older ones forgotten.

    West 1979; third and fourth moments as in Pébay 2008, Sandia report 2008-6212.
    """
    t, y = bucket.sum_t / bucket.count, bucket.sum_y / bucket.count
    keep = math.exp(-(t - regression.last_t) / regression.memory_s) if regression.buckets else 0.0
    weight = keep * regression.weight + 1.0
    d_t, d_y = t - regression.mean_t, y - regression.mean_y
    older = keep * regression.weight
    between = older / weight
    s_tt, s_ty, s_ttt = keep * regression.s_tt, keep * regression.s_ty, keep * regression.s_ttt
    return Regression(
        memory_s=regression.memory_s,
        weight=weight,
        weight_sq=keep**2 * regression.weight_sq + 1.0,
        mean_t=regression.mean_t + d_t / weight,
        mean_y=regression.mean_y + d_y / weight,
        s_tt=s_tt + between * d_t * d_t,
        s_ty=s_ty + between * d_t * d_y,
        s_yy=keep * regression.s_yy + between * d_y * d_y,
        s_ttt=s_ttt + between * (older - 1.0) / weight * d_t**3 - 3.0 * d_t * s_tt / weight,
        s_tttt=keep * regression.s_tttt
        + between * (older * older - older + 1.0) / weight**2 * d_t**4
        + 6.0 * d_t**2 * s_tt / weight**2
        - 4.0 * d_t * s_ttt / weight,
        s_tty=keep * regression.s_tty
        + between * (older - 1.0) / weight * d_t * d_t * d_y
        - (2.0 * d_t * s_ty + d_y * s_tt) / weight,
        buckets=regression.buckets + 1,
        first_t=regression.first_t if regression.buckets else t,
        last_t=t,
    )
