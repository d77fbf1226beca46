"""How fast a failure indicator grows: exponentially forgetting linear regression on event time.

Readings are averaged into buckets; complete buckets enter a recursive regression of the indicator
(or its logarithm, for exponential growth) on time. One regression runs for each memory length, as
a wear that takes weeks and a fault that takes minutes do not show in the same window. All sums
are recursive, so the state is small, and they do not depend on how readings are cut into frames.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from forewarn.domain.frame import FloatArray

#: Memory (time constant of forgetting) of each regression: 3 min, 45 min, 12 h, 7 d.
MEMORIES_S: Final = (180.0, 2_700.0, 43_200.0, 604_800.0)

#: Buckets in one memory: enough that a line through them says something, few enough to average noise out.
BUCKETS_PER_MEMORY: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Readings of the bucket that is still filling."""

    index: int
    count: int
    sum_t: float
    sum_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Weighted moments of the complete buckets; times in seconds since 1970 UTC.

    ``weight`` and ``weight_sq`` are sums of the forgetting weights and their squares, the ``s``
    fields weighted sums of squares and products about the means.
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
class Growth:
    """Growth of one indicator, one regression for each memory."""

    regressions: tuple[Regression, ...] = field(
        default_factory=lambda: tuple(Regression(memory_s=memory) for memory in MEMORIES_S)
    )


def observe(growth: Growth, times_s: FloatArray, values: FloatArray) -> Growth:
    """Feed readings, oldest first; NaN values are left out.

    Parameters
    ----------
    growth
        State before.
    times_s
        Event times, seconds since 1970 UTC, rising, shape (n,).
    values
        Indicator (or its logarithm), shape (n,).
    """
    known = np.isfinite(values)
    if not known.any():
        return growth
    times_s, values = times_s[known], values[known]
    return Growth(regressions=tuple(_observe(regression, times_s, values) for regression in growth.regressions))


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


def _observe(regression: Regression, times_s: FloatArray, values: FloatArray) -> Regression:
    width = regression.memory_s / BUCKETS_PER_MEMORY
    indices = np.floor_divide(times_s, width)
    for part in np.split(np.arange(times_s.size), np.flatnonzero(np.diff(indices)) + 1):
        regression = _fill(regression, int(indices[part[0]]), times_s[part].tolist(), values[part].tolist())
    return regression


def _fill(regression: Regression, index: int, times_s: Sequence[float], values: Sequence[float]) -> Regression:
    bucket = regression.filling
    if bucket is not None and bucket.index != index:
        regression = _close(regression, bucket)
        bucket = None
    count, sum_t, sum_y = (0, 0.0, 0.0) if bucket is None else (bucket.count, bucket.sum_t, bucket.sum_y)
    for time_s, value in zip(times_s, values, strict=True):  # one by one: the sum is the same for any cut
        count, sum_t, sum_y = count + 1, sum_t + time_s, sum_y + value
    return replace(regression, filling=Bucket(index=index, count=count, sum_t=sum_t, sum_y=sum_y))


def _close(regression: Regression, bucket: Bucket) -> Regression:
    """Weighted incremental update of means and central moments (West 1979), older ones forgotten."""
    t, y = bucket.sum_t / bucket.count, bucket.sum_y / bucket.count
    keep = math.exp(-(t - regression.last_t) / regression.memory_s) if regression.buckets else 0.0
    weight = keep * regression.weight + 1.0
    d_t, d_y = t - regression.mean_t, y - regression.mean_y
    between = keep * regression.weight / weight
    return Regression(
        memory_s=regression.memory_s,
        weight=weight,
        weight_sq=keep**2 * regression.weight_sq + 1.0,
        mean_t=regression.mean_t + d_t / weight,
        mean_y=regression.mean_y + d_y / weight,
        s_tt=keep * regression.s_tt + between * d_t * d_t,
        s_ty=keep * regression.s_ty + between * d_t * d_y,
        s_yy=keep * regression.s_yy + between * d_y * d_y,
        buckets=regression.buckets + 1,
        first_t=regression.first_t if regression.buckets else t,
        last_t=t,
    )
