"""Description of a model's baseline: operating range, and stretches unlike the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.interval import LearnedRegime
from forewarn.domain.twin.statistics import MAD_TO_SD

_WINDOW: Final = 5  # readings of a running median: fewer in a row are spikes, not a stretch
_FAR: Final = 5.0  # robust standard deviations
_LEAST_SHARE: Final = 0.02  # of the baseline: less does no harm, and a machine may warm up
_MOST: Final = 10  # stretches listed
_LEAST_SPREAD: Final = 0.25  # of the plain standard deviation: a tag that mostly rests has a MAD near zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """A column's least, median and greatest value while the twin learned, in its unit."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive readings of one tag that the rest of the baseline does not explain.

    ``distance`` is the mean difference from the expectation by the rest of the baseline, in robust standard deviations
    of all such differences, with its sign. Times are µs since 1970 UTC, both included.
    """

    tag: str
    from_us: int
    to_us: int
    rows: int
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineReport:
    """Report on the readings that a model learned from.

    ``suspicious_share`` is the share of readings in any suspicious stretch; at most ten of those are listed, the
    longest first. ``regimes`` are the operating regimes, the usual one first.
    """

    operating: Mapping[str, Operating]
    regimes: tuple[LearnedRegime, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    suspicious_share: float = 0.0


#: Report of a model whose report is not available.
NO_REPORT: Final = BaselineReport(operating={})


def operating_of(baseline: FloatArray, names: Sequence[str]) -> dict[str, Operating]:
    """Return each column's range, from readings of shape (rows, columns); columns never known are left out."""
    spans = {}
    for name, column in zip(names, baseline.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size:
            spans[name] = Operating(low=float(known.min()), middle=float(np.median(known)), high=float(known.max()))
    return spans


def suspicious_stretches(
    difference: FloatArray, floors: Sequence[float], names: Sequence[str], times_us: NDArray[np.int64]
) -> tuple[tuple[Stretch, ...], float]:
    """Find consecutive readings that differ from the expectation far more than the others do.

    ``difference`` is measured minus expected, shape (rows, responses), NaN unknown; ``floors`` are least meaningful
    standard deviations, by response. Return at most ten stretches, the longest first, and the share of readings in any.
    """
    marked = np.zeros(difference.shape[0], dtype=np.bool_)
    found: list[Stretch] = []
    for name, floor, column in zip(names, floors, difference.T, strict=True):
        known = np.flatnonzero(~np.isnan(column))
        if known.size < 2 * _WINDOW:
            continue
        distance = (column[known] - np.median(column[known])) / _spread(column[known], floor)
        least = max(_WINDOW, int(_LEAST_SHARE * known.size))
        for start, stop in _runs(np.abs(_running_median(distance)) > _FAR, least):
            rows = known[start:stop]
            marked[rows] = True
            found.append(_stretch(name, times_us[rows], distance[start:stop]))
    found.sort(key=lambda stretch: (-stretch.rows, stretch.tag, stretch.from_us))
    return tuple(found[:_MOST]), float(marked.mean()) if marked.size else 0.0


def _spread(difference: FloatArray, floor: float) -> float:
    mad = MAD_TO_SD * float(np.median(np.abs(difference - np.median(difference))))
    return max(mad, _LEAST_SPREAD * float(difference.std()), floor)


def _running_median(values: FloatArray) -> FloatArray:
    half = _WINDOW // 2
    padded = np.pad(values, half, mode="edge")
    out: FloatArray = np.median(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW), axis=1)
    return out


def _runs(inside: NDArray[np.bool_], least: int) -> list[tuple[int, int]]:
    """Return starts and ends of True runs; gaps shorter than a window are bridged, short runs dropped."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and start - runs[-1][1] < _WINDOW:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return [(start, stop) for start, stop in runs if stop - start >= least]


def _stretch(tag: str, times_us: NDArray[np.int64], distance: FloatArray) -> Stretch:
    return Stretch(
        tag=tag,
        from_us=int(times_us.min()),
        to_us=int(times_us.max()),
        rows=int(times_us.size),
        distance=float(distance.mean()),
    )
