"""Choose a method by a proper score: the continuous ranked probability score (CRPS) of its error distribution.

CRPS rewards a distribution that is both right and sharp, in the unit of the column (Gneiting & Raftery 2007). A
method's distribution at an origin consists of its errors at the other origins at the same lead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray

#: A method must beat a simpler one by this many standard errors of the difference.
_BETTER_BY: Final = 1.0

#: Or by this share of the best score: a smaller gain is irrelevant, however certain.
_WORTH: Final = 0.01

#: Leads that are scored; neighbours differ little.
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
    """Choose the method with the lowest CRPS, or a simpler (earlier) one that is as good within a standard error.

    Raises ValueError if there are no methods.
    """
    by_origin = {name: crps_by_origin(rows) for name, rows in errors.items() if np.isfinite(rows).any()}
    best = min(by_origin, key=lambda name: float(np.nanmean(by_origin[name])))
    for name, scores in by_origin.items():
        worse_by = scores - by_origin[best]
        worse_by = worse_by[np.isfinite(worse_by)]
        error = float(worse_by.std(ddof=1)) / np.sqrt(worse_by.size) if worse_by.size > 1 else 0.0
        enough = max(_BETTER_BY * error, _WORTH * float(np.nanmean(by_origin[best])))
        if name == best or float(worse_by.mean()) < enough:
            return name
    return best


def crps_by_origin(errors: FloatArray) -> FloatArray:
    """Return the mean CRPS over leads for each origin, shape (origins,); NaN for an origin without measurements.

    For an ensemble x and the own error e: mean |x − e| − ½ mean |x − x'|. The ensemble consists of the errors at the
    other origins and their mirror images: bias is penalised.
    """
    leads = np.unique(np.linspace(0, errors.shape[1] - 1, min(_LEADS, errors.shape[1])).round().astype(int))
    chosen = errors[:, leads]
    here, there = chosen[:, None, :], chosen[None, :, :]
    distance = (np.abs(here - there) + np.abs(here + there)) / 2.0  # (origins, origins, leads)
    own = np.arange(len(chosen))
    known = np.isfinite(distance)
    distance = np.where(known, distance, 0.0)
    to_self = distance[own, own]
    to_all = distance.sum(axis=1)
    members = known.sum(axis=1) - known[own, own]
    among = to_all.sum(axis=0) - 2.0 * to_all + to_self
    unknown = np.full(to_all.shape, np.nan)
    counts = np.where(known[own, own], members, 0)
    to_own = np.divide(to_all - to_self, counts, out=unknown.copy(), where=counts > 0)
    within = np.divide(among, counts**2, out=unknown.copy(), where=counts > 0)
    crps = to_own - 0.5 * within
    counted = np.isfinite(crps).sum(axis=1)
    means: FloatArray = np.divide(np.nansum(crps, axis=1), counted, out=np.full(len(crps), np.nan), where=counted > 0)
    return means
