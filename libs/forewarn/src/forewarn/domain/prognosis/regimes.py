"""Remove the effect of the operating condition from tags before looking for wear.

Drivers with few settings (flight levels, gearbox speeds) make *regimes*: tags are standardised within each. Drivers
that vary smoothly (load, weather) shift tags by a quadratic function, used where it holds for held-out units.
"""

from dataclasses import dataclass

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.runs import BoolArray, IntArray, Runs

#: Settings are regimes if clusters leave at most this share of the drivers' variance.
TIGHT = 0.001

#: More clusters count as a continuum.
MAX_REGIMES = 12

#: A quadratic function is used where it explains this share of a tag's variance in held-out units.
WORTHWHILE = 0.02

#: Rows used to find regimes and functions.
_MAX_ROWS = 20_000

_ITERATIONS = 50
_RIDGE = 1e-6

#: Rows more than this many widths beyond a driver's learned range are outside.
_MARGIN = 0.05


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Conditions:
    """Removes the effect of the operating condition from tags."""

    #: Learned range of each driver, shape (drivers,).
    low: FloatArray
    high: FloatArray
    #: Drivers of each regime, scaled to their range, shape (regimes, drivers); one regime without any.
    centres: FloatArray
    #: Of each tag in each regime, shape (regimes, tags).
    mean: FloatArray
    sd: FloatArray
    #: Quadratic function of the scaled drivers for each standardised tag, shape (terms, tags); zeros where unused.
    weights: FloatArray

    def remove(self, tags: FloatArray, drivers: FloatArray) -> FloatArray:
        """Standardise tags for their condition; NaN where a tag or a driver is unknown. Shape as ``tags``."""
        scaled = _scaled(drivers, self.low, self.high)
        regime = nearest(scaled, self.centres)
        out = (tags - self.mean[regime]) / self.sd[regime]
        if np.any(self.weights):
            out = out - _terms(np.clip(scaled, 0.0, 1.0)) @ self.weights
        unknown = np.isnan(drivers).any(axis=1)
        out[unknown] = np.nan
        return out

    def outside(self, drivers: FloatArray) -> int:
        """Count rows with a driver outside its learned range."""
        scaled = _scaled(drivers, self.low, self.high)
        return int(np.count_nonzero(((scaled < -_MARGIN) | (scaled > 1.0 + _MARGIN)).any(axis=1)))


def learn_conditions(runs: Runs) -> Conditions:
    """Find the regimes and their effect on tags; drivers and tags of ``runs`` vary."""
    low, high = np.nanmin(runs.drivers, axis=0), np.nanmax(runs.drivers, axis=0)
    usable = np.flatnonzero(~np.isnan(runs.drivers).any(axis=1))
    usable = usable[:: max(1, usable.size // _MAX_ROWS)]
    scaled = _scaled(runs.drivers[usable], low, high)
    tags = runs.tags[usable]
    centres = find_regimes(scaled)
    mean, sd = _moments(tags, nearest(scaled, centres), len(centres))
    weights = np.zeros((_terms(scaled[:1]).shape[1], tags.shape[1]))
    if scaled.shape[1] and len(centres) == 1:
        odd = runs.unit_of_row[usable] % 2 == 1
        weights = _worthwhile_functions(_terms(scaled), (tags - mean[0]) / sd[0], odd)
    return Conditions(low=low, high=high, centres=centres, mean=mean, sd=sd, weights=weights)


def find_regimes(scaled: FloatArray) -> FloatArray:
    """Return centres of tight clusters of driver settings, shape (regimes, drivers); a single one without clusters."""
    centre: FloatArray = scaled.mean(axis=0, keepdims=True)
    total = float(((scaled - centre) ** 2).sum())
    if total == 0.0:
        return centre
    centres: FloatArray = centre
    for _ in range(MAX_REGIMES - 1):
        farthest = np.argmax(_distances(scaled, centres).min(axis=1))
        centres = _settle(scaled, np.vstack([centres, scaled[farthest]]))
        if float(_distances(scaled, centres).min(axis=1).sum()) <= TIGHT * total:
            return centres
    return centre


def nearest(scaled: FloatArray, centres: FloatArray) -> IntArray:
    """Return the regime of each row; the first where a driver is unknown."""
    if len(centres) == 1:
        return np.zeros(len(scaled), dtype=np.intp)
    own: IntArray = _distances(np.nan_to_num(scaled), centres).argmin(axis=1)
    return own


def _settle(scaled: FloatArray, centres: FloatArray) -> FloatArray:
    """Run Lloyd's algorithm; a centre that loses all its rows stays where it is."""
    for _ in range(_ITERATIONS):
        own = _distances(scaled, centres).argmin(axis=1)
        means = [scaled[own == k].mean(axis=0) if np.any(own == k) else c for k, c in enumerate(centres)]
        moved: FloatArray = np.array(means)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def _distances(scaled: FloatArray, centres: FloatArray) -> FloatArray:
    distances: FloatArray = ((scaled[:, None, :] - centres[None]) ** 2).sum(axis=2)
    return distances


def _scaled(drivers: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    scaled: FloatArray = (drivers - low) / (high - low)
    return scaled


def _moments(tags: FloatArray, regime: IntArray, regimes: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each tag in each regime; those of all rows where a regime has too few."""
    whole_mean, whole_sd = _mean_sd(tags)
    mean, sd = np.tile(whole_mean, (regimes, 1)), np.tile(whole_sd, (regimes, 1))
    for place in range(regimes if regimes > 1 else 0):
        own_mean, own_sd = _mean_sd(tags[regime == place])
        mean[place] = np.where(np.isnan(own_mean), whole_mean, own_mean)
        sd[place] = np.where(own_sd > 1e-9 * whole_sd, own_sd, whole_sd)
    return mean, sd


def _mean_sd(tags: FloatArray) -> tuple[FloatArray, FloatArray]:
    known = np.isfinite(tags)
    count = known.sum(axis=0)
    mean = np.divide(np.where(known, tags, 0.0).sum(axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)
    square = (np.where(known, tags - mean, 0.0) ** 2).sum(axis=0)
    return mean, np.sqrt(np.divide(square, count, out=np.full(count.shape, np.nan), where=count > 0))


def _terms(scaled: FloatArray) -> FloatArray:
    """Return 1, each driver, and all products of two: shape (rows, terms)."""
    columns = [np.ones(len(scaled))]
    centred = scaled - 0.5
    columns += list(centred.T)
    pairs = ((i, j) for i in range(centred.shape[1]) for j in range(i, centred.shape[1]))
    columns += [centred[:, i] * centred[:, j] for i, j in pairs]
    return np.column_stack(columns)


def _worthwhile_functions(terms: FloatArray, tags: FloatArray, odd: BoolArray) -> FloatArray:
    weights = np.zeros((terms.shape[1], tags.shape[1]))
    for place, tag in enumerate(tags.T):
        known = np.isfinite(tag)
        halves = [known & odd, known & ~odd]
        if min(np.count_nonzero(half) for half in halves) <= 2 * terms.shape[1]:
            continue
        gains = [
            1.0 - float(np.var(tag[b] - terms[b] @ _ridge(terms[a], tag[a]))) / max(float(np.var(tag[b])), 1e-30)
            for a, b in (halves, halves[::-1])
        ]
        if min(gains) > WORTHWHILE:
            weights[:, place] = _ridge(terms[known], tag[known])
    return weights


def _ridge(terms: FloatArray, values: FloatArray) -> FloatArray:
    gram = terms.T @ terms
    damped = gram + _RIDGE * len(terms) * np.eye(len(gram))
    return np.asarray(np.linalg.solve(damped, terms.T @ values), dtype=np.float64)
