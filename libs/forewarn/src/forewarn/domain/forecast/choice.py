"""Choice of a method by a proper score: the continuous ranked probability score (CRPS) of its error distribution.

CRPS rewards a distribution that is both right and sharp, in the unit of the column (Gneiting &
Raftery 2007). The distribution that a method offers at an origin is made of its errors at the
other origins at about the same lead; what happened at the origin itself is not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frame import FloatArray

#: A method must beat a simpler one by this many standard errors of the difference.
_BETTER_BY: Final = 1.0

#: Leads that are scored; neighbours say nearly the same.
_LEADS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A method's mean CRPS [unit of the column] and mean absolute error over origins and leads."""

    method: str
    crps: float
    mae: float


def score_methods(errors: Mapping[str, FloatArray]) -> tuple[Scored, ...]:
    """Score every method that has errors, in the given order."""
    return tuple(
        Scored(method=name, crps=float(np.nanmean(crps_by_origin(rows))), mae=float(np.nanmean(np.abs(rows))))
        for name, rows in errors.items()
        if np.isfinite(rows).any()
    )


def choose(errors: Mapping[str, FloatArray]) -> str:
    """Name of the method with the lowest CRPS, or of a simpler (earlier) one that is as good within a standard error.

    Raises
    ------
    ValueError
        If there are no methods.
    """
    by_origin = {name: crps_by_origin(rows) for name, rows in errors.items() if np.isfinite(rows).any()}
    best = min(by_origin, key=lambda name: float(np.nanmean(by_origin[name])))
    for name, scores in by_origin.items():
        worse_by = scores - by_origin[best]
        worse_by = worse_by[np.isfinite(worse_by)]
        error = float(worse_by.std(ddof=1)) / np.sqrt(worse_by.size) if worse_by.size > 1 else 0.0
        if name == best or float(worse_by.mean()) < _BETTER_BY * error:
            return name
    return best


def crps_by_origin(errors: FloatArray) -> FloatArray:
    """Mean CRPS over leads for each origin, shape (origins,); NaN for an origin without measurements.

    For an ensemble x of the other origins and the own error e: mean |x − e| − ½ mean |x − x'|.
    """
    leads = np.unique(np.linspace(0, errors.shape[1] - 1, min(_LEADS, errors.shape[1])).round().astype(int))
    chosen = errors[:, leads]
    distance = np.abs(chosen[:, None, :] - chosen[None, :, :])  # (origins, origins, leads)
    known = np.isfinite(distance)
    distance = np.where(known, distance, 0.0)
    pairs, sums = known.sum(axis=1), distance.sum(axis=1)
    members = pairs - known[np.arange(len(chosen)), np.arange(len(chosen))]
    to_own = np.divide(sums, members, out=np.full(sums.shape, np.nan), where=members > 0)
    # distances among the others: all of them without those that touch the own one, each counted twice
    among = sums.sum(axis=0) - 2.0 * sums
    within = np.divide(among, members**2, out=np.full(sums.shape, np.nan), where=members > 0)
    crps = to_own - 0.5 * within
    counted = np.isfinite(crps).sum(axis=1)
    means: FloatArray = np.divide(np.nansum(crps, axis=1), counted, out=np.full(len(crps), np.nan), where=counted > 0)
    return means
