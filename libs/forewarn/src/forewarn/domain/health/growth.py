"""Growth of a failure indicator: exponentially forgetting moments of the indicator over event time.

Readings are averaged into buckets; complete buckets enter a recursive regression on time, and on the twin's expectation
of the indicator, which moves with load and weather. There is one regression per memory, as wear over weeks and a fault
within minutes need different windows. Each memory's buckets consist of complete ones of the memory before, so the cost
per reading does not grow with the memories. All sums are recursive: the state is small and does not depend on how
readings are cut into frames.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.time import S_PER_DAY

#: Memory (time constant of forgetting) of each regression.
MEMORIES_S: Final = (180.0, 2_700.0, S_PER_DAY, 2.0 * S_PER_DAY, 7.0 * S_PER_DAY)

#: Length of its buckets. Within a day the expected value separates load and weather; whole days average them out.
BUCKETS_S: Final = (12.0, 180.0, 2_880.0, S_PER_DAY, S_PER_DAY)

#: Buckets of the memory before that make up one bucket.
_JOINED: Final = (1, *(round(longer / shorter) for shorter, longer in pairwise(BUCKETS_S)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Sums over the readings of a bucket, the ``index``-th of its length since 1970.

    ``expected`` counts the readings with a known expectation; ``sum_e`` is its sum.
    """

    index: int
    count: int = 0
    sum_t: float = 0.0
    sum_y: float = 0.0
    expected: int = 0
    sum_e: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Weighted moments of the complete buckets; times in seconds since 1970 UTC.

    ``weight`` and ``weight_sq`` are sums of the forgetting weights and their squares, the ``s`` fields weighted sums of
    products about the means: of time t, indicator y and expected indicator e. ``expected`` counts the buckets with a
    known e; in others it is assumed unchanged. The ``d`` fields are weighted sums of products of the steps from one
    bucket to the next. ``filling`` is the open bucket, with the complete buckets of the memory before that it has so
    far.
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
    expected: int = 0
    mean_e: float = 0.0
    s_te: float = 0.0
    s_tte: float = 0.0
    s_ye: float = 0.0
    s_ee: float = 0.0
    last_y: float = 0.0
    last_e: float = 0.0
    d_yy: float = 0.0
    d_ye: float = 0.0
    d_ee: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthyLevel:
    """Indicator over the readings that the twin learned from: model ``version``, count and sum."""

    version: int
    count: int = 0
    total: float = 0.0

    @property
    def level(self) -> float | None:
        """Return the mean indicator; None where unknown."""
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Growth of one indicator: the open bucket, one regression per memory, the healthy level."""

    filling: Bucket | None = None
    regressions: tuple[Regression, ...] = field(
        default_factory=lambda: tuple(Regression(memory_s=memory) for memory in MEMORIES_S)
    )
    healthy: HealthyLevel | None = None


#: Growth of an indicator without readings.
UNSEEN: Final = Growth()


def observe(
    growths: Sequence[Growth], owners: NDArray[np.intp], times_s: FloatArray, values: FloatArray, expected: FloatArray
) -> list[Growth]:
    """Add readings of many indicators; NaN values are skipped.

    ``owners`` are the positions in ``growths`` of the readings, never falling; times rise within each owner.
    ``expected`` is the twin's expectation of ``values``, NaN where unknown; all of shape (n,).
    """
    after = [growth if _is_current(growth) else replace(UNSEEN, healthy=growth.healthy) for growth in growths]
    known = np.isfinite(values)
    owners, times_s, values, expected = owners[known], times_s[known], values[known], expected[known]
    indices = np.floor_divide(times_s, BUCKETS_S[0]).astype(np.int64)
    first = np.flatnonzero((np.diff(owners, prepend=-1) != 0) | (np.diff(indices, prepend=-1) != 0))
    buckets = np.repeat(np.arange(first.size), np.diff(first, append=owners.size))
    places = list(zip(owners[first].tolist(), indices[first].tolist(), strict=True))
    begun = [_begun(after[owner].filling, index) for owner, index in places]
    for (owner, index), bucket in zip(places, _filled(begun, buckets, times_s, values, expected), strict=True):
        regressions = _regressions_before(after[owner], index)
        after[owner] = Growth(filling=bucket, regressions=regressions, healthy=after[owner].healthy)
    return after


def learn_healthy(
    growth: Growth, values: FloatArray, baseline: NDArray[np.bool_], versions: NDArray[np.uint32]
) -> tuple[Growth, int]:
    """Update the healthy level with the twin's ``baseline`` readings, at least one.

    A new model version restarts it: the machine was repaired, or its present state is the new normal. Return the
    growth, and the position of the first reading that counts.
    """
    version, first, healthy = int(versions[baseline][-1]), 0, growth.healthy
    own = baseline & (versions == version)
    if healthy is None or healthy.version != version:
        first, healthy, growth = int(np.argmax(own)), HealthyLevel(version=version), UNSEEN
    learned = values[own & np.isfinite(values)].tolist()
    total = healthy.total
    for value in learned:  # one by one: the same for any cut
        total += value
    healthy = replace(healthy, count=healthy.count + len(learned), total=total)
    return replace(growth, healthy=healthy), first


def _is_current(growth: Growth) -> bool:
    """Return whether a stored state has today's memories."""
    return len(growth.regressions) == len(MEMORIES_S) and all(
        regression.memory_s == memory_s for regression, memory_s in zip(growth.regressions, MEMORIES_S, strict=True)
    )


def _filled(
    begun: Sequence[Bucket], buckets: NDArray[np.intp], times_s: FloatArray, values: FloatArray, expected: FloatArray
) -> list[Bucket]:
    """Add readings to their buckets, one by one, unlike ``np.sum``: the same for any cut."""
    known = np.isfinite(expected)
    sums = np.array([(b.count, b.sum_t, b.sum_y, b.expected, b.sum_e) for b in begun], dtype=np.float64).reshape(-1, 5)
    for place, part in enumerate((np.ones(times_s.shape), times_s, values, known, np.where(known, expected, 0.0))):
        np.add.at(sums[:, place], buckets, part)
    return [
        Bucket(index=before.index, count=int(count), sum_t=t, sum_y=y, expected=int(with_e), sum_e=e)
        for before, (count, t, y, with_e, e) in zip(begun, sums.tolist(), strict=True)
    ]


def _begun(filling: Bucket | None, index: int) -> Bucket:
    """Return the bucket of this index as filled so far."""
    return filling if filling is not None and filling.index == index else Bucket(index=index)


def _regressions_before(growth: Growth, index: int) -> tuple[Regression, ...]:
    """Hand on complete buckets before a reading of this index; return the regressions."""
    bucket = growth.filling
    if bucket is None or bucket.index == index:
        return growth.regressions
    after = list(growth.regressions)
    for place, (regression, joined) in enumerate(zip(growth.regressions, _JOINED, strict=True)):
        index //= joined
        bucket = _joined(regression.filling, bucket, bucket.index // joined)
        if bucket.index == index:
            after[place] = replace(regression, filling=bucket)
            break
        after[place] = _close(regression, bucket)
    return tuple(after)


def _joined(filling: Bucket | None, part: Bucket, index: int) -> Bucket:
    """Add a part, which may be the first, to the bucket of this index."""
    if filling is None or filling.index != index:
        return part if part.index == index else replace(part, index=index)
    return Bucket(
        index=index,
        count=filling.count + part.count,
        sum_t=filling.sum_t + part.sum_t,
        sum_y=filling.sum_y + part.sum_y,
        expected=filling.expected + part.expected,
        sum_e=filling.sum_e + part.sum_e,
    )


def _close(regression: Regression, bucket: Bucket) -> Regression:
    """Close a bucket: incremental update of weighted means and central moments, with forgetting.

    West 1979; third and fourth moments as in Pébay 2008, Sandia report 2008-6212.
    """
    t, y = bucket.sum_t / bucket.count, bucket.sum_y / bucket.count
    keep = math.exp(-(t - regression.last_t) / regression.memory_s) if regression.buckets else 0.0
    weight = keep * regression.weight + 1.0
    d_t, d_y = t - regression.mean_t, y - regression.mean_y
    mean_e, d_e = _expected_now(regression, bucket)
    last_e = mean_e + d_e
    step_y = y - regression.last_y if regression.buckets else 0.0
    step_e = last_e - regression.last_e if regression.expected else 0.0
    older = keep * regression.weight
    between = older / weight
    s_tt, s_ttt = keep * regression.s_tt, keep * regression.s_ttt
    s_ty, s_te = keep * regression.s_ty, keep * regression.s_te
    bend = between * (older - 1.0) / weight * d_t * d_t
    return Regression(
        memory_s=regression.memory_s,
        weight=weight,
        weight_sq=keep**2 * regression.weight_sq + 1.0,
        mean_t=regression.mean_t + d_t / weight,
        mean_y=regression.mean_y + d_y / weight,
        s_tt=s_tt + between * d_t * d_t,
        s_ty=s_ty + between * d_t * d_y,
        s_yy=keep * regression.s_yy + between * d_y * d_y,
        s_ttt=s_ttt + bend * d_t - 3.0 * d_t * s_tt / weight,
        s_tttt=keep * regression.s_tttt
        + between * (older * older - older + 1.0) / weight**2 * d_t**4
        + 6.0 * d_t**2 * s_tt / weight**2
        - 4.0 * d_t * s_ttt / weight,
        s_tty=keep * regression.s_tty + bend * d_y - (2.0 * d_t * s_ty + d_y * s_tt) / weight,
        buckets=regression.buckets + 1,
        first_t=regression.first_t if regression.buckets else t,
        last_t=t,
        expected=regression.expected + (bucket.expected > 0),
        mean_e=mean_e + d_e / weight,
        s_te=s_te + between * d_t * d_e,
        s_tte=keep * regression.s_tte + bend * d_e - (2.0 * d_t * s_te + d_e * s_tt) / weight,
        s_ye=keep * regression.s_ye + between * d_y * d_e,
        s_ee=keep * regression.s_ee + between * d_e * d_e,
        last_y=y,
        last_e=last_e,
        d_yy=keep * regression.d_yy + step_y * step_y,
        d_ye=keep * regression.d_ye + step_y * step_e,
        d_ee=keep * regression.d_ee + step_e * step_e,
    )


def _expected_now(regression: Regression, bucket: Bucket) -> tuple[float, float]:
    """Return the mean expectation so far, and the bucket's distance from it: 0 where either is unknown."""
    if not bucket.expected:
        return regression.mean_e, 0.0
    value = bucket.sum_e / bucket.expected
    return (regression.mean_e, value - regression.mean_e) if regression.expected else (value, 0.0)
