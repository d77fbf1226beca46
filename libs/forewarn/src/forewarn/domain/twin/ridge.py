"""Second-order ridge regression of responses on drivers.

Expected response = intercept + Σ c_k φ_k, where φ are the standardised drivers, their squares and
products. The penalty is chosen per response by cross-validation over contiguous blocks (Hoerl &
Kennard 1970; blocks as in Roberts et al. 2017, Ecography 40).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.layout import IMMATERIAL, TwinLayout
from forewarn.domain.twin.moments import left_out
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.statistics import blocks_in_turn

#: Among penalties whose errors differ by less than this the strongest is chosen.
TIE: Final = 1.02


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RidgeModel:
    """Fitted regression of one asset."""

    used: NDArray[np.bool_]  #: Drivers that take part, shape (drivers,).
    #: Standardisation of the drivers in their units, shape (drivers,).
    centre: FloatArray
    spread: FloatArray
    #: Standardised drivers are clipped to these: squares diverge, shape (drivers,).
    low: FloatArray
    high: FloatArray
    axes: FloatArray  #: Principal axes of the standardised drivers in columns, shape (drivers, drivers).
    #: Middle and half width of the learned range of each driver, then along each axis, shape (2 · drivers,).
    middle: FloatArray
    half: FloatArray
    #: In the responses' units; shapes (responses,) and (features, responses). NaN for unjudged ones.
    intercept: FloatArray
    coefficients: FloatArray
    scale: FloatArray  #: Healthy standard deviation of the residuals, shape (responses,); NaN for unjudged ones.
    typical: float  #: 95th percentile of the healthy root mean square residual.
    #: Coefficients of the class's prior terms, in the responses' units; shape (terms, responses), 0 where a response
    #: does not follow a term.
    factors: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    #: Operating regimes (see ``regimes``) in standardised drivers; empty for a single one.
    centres: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    widths: FloatArray = field(default_factory=lambda: np.ones(0))
    radius: FloatArray = field(default_factory=lambda: np.zeros(0))
    #: Residuals in each regime, in the responses' units, shape (regimes, responses): mean, and standard deviation
    #: replacing ``scale``. Empty for a single regime.
    levels: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    spreads: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DriverSpace:
    """Standardisation and learned range of the drivers of one asset; attributes as in ``RidgeModel``."""

    used: NDArray[np.bool_]
    centre: FloatArray
    spread: FloatArray
    low: FloatArray
    high: FloatArray
    axes: FloatArray
    middle: FloatArray
    half: FloatArray

    def standardise(self, drivers: FloatArray) -> FloatArray:
        """Return drivers in their spreads, shape (rows, drivers); 0 for unused ones."""
        out: FloatArray = np.where(self.used, (drivers - self.centre) / self.spread, 0.0)
        return out


def learn_space(drivers: FloatArray, used: NDArray[np.bool_], layout: TwinLayout) -> DriverSpace:
    """Learn the range of the drivers, from complete rows, shape (rows, drivers)."""
    centre = np.where(used, drivers.mean(axis=0), 0.0)
    by_value = np.maximum(np.abs(centre), 1.0)  # derived quantities have no range: their own size stands in
    material = IMMATERIAL * np.where(np.isfinite(layout.driver_spans), layout.driver_spans, by_value)
    spread = np.where(used, np.maximum(drivers.std(axis=0), material), 1.0)
    z = np.where(used, (drivers - centre) / spread, 0.0)
    low, high = z.min(axis=0), z.max(axis=0)
    margin = 0.5 * (high - low) + 0.5
    _, axes = np.linalg.eigh(z.T @ z)
    along = np.concatenate([z, z @ axes], axis=1)
    top, bottom = along.max(axis=0), along.min(axis=0)
    least = material / spread
    least = np.concatenate([least, np.sqrt(((axes * least[:, None]) ** 2).sum(axis=0))])
    return DriverSpace(
        used=used,
        centre=centre,
        spread=spread,
        low=low - margin,
        high=high + margin,
        axes=axes,
        middle=(top + bottom) / 2.0,
        half=np.maximum((top - bottom) / 2.0, least),
    )


def features(z: FloatArray, pairs: tuple[tuple[int, int], ...]) -> FloatArray:
    """Return standardised drivers, squares and products side by side, shape (rows, features)."""
    second = [z[:, i] * z[:, j] for i, j in pairs]
    return np.column_stack([z, *second]) if second else z


def fit_responses(
    phi: FloatArray, responses: FloatArray, settings: TwinSettings
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Regress each response on the features of its known rows.

    Return intercept, coefficients and held-out predictions, shapes (responses,), (features, responses) and (rows,
    responses); NaN where the response is unknown.
    """
    known = ~np.isnan(responses)
    intercept = np.full(responses.shape[1], np.nan)
    coefficients = np.full((phi.shape[1], responses.shape[1]), np.nan)
    held_out = np.full(responses.shape, np.nan)
    patterns, group = np.unique(known, axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        rows, columns = np.flatnonzero(patterns[:, number]), np.flatnonzero(group == number)
        parts = _fit_complete(phi[rows], responses[np.ix_(rows, columns)], settings)
        intercept[columns], coefficients[:, columns], held_out[np.ix_(rows, columns)] = parts
    return intercept, coefficients, held_out


def _fit_complete(phi: FloatArray, y: FloatArray, settings: TwinSettings) -> tuple[FloatArray, FloatArray, FloatArray]:
    level = y.mean(axis=0)
    penalties = np.repeat(np.array(settings.penalties)[:, None], phi.shape[1], axis=1)
    whole, expected = left_out(phi, y - level, blocks_in_turn(len(y), settings.folds), penalties)
    errors = ((expected - (y - level)) ** 2).mean(axis=1)
    good = errors <= TIE * errors.min(axis=0)
    choice = len(settings.penalties) - 1 - np.argmax(good[::-1], axis=0)
    intercepts, slopes = whole.solved(penalties)
    columns = np.arange(y.shape[1])
    held_out = np.take_along_axis(expected, choice[None, None, :], axis=0)[0]
    return level + intercepts[choice, columns], slopes[choice, :, columns].T, level + held_out
