"""Fit a response that follows physics: factors of its prior, and a correction from the drivers.

Expected response = intercept + Σ g_t·p_t + Σ c_k φ_k, with the terms p of the prior and the features φ of ``ridge``.
The factors are almost free, the correction is penalised up to being ignored; the penalty is chosen by blocked
cross-validation, the strongest of those that do as well. A poor prior must not harm: it is used only if it predicts
left-out blocks at least as well.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.layout import IMMATERIAL
from forewarn.domain.twin.moments import left_out
from forewarn.domain.twin.ridge import TIE, fit_responses
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.statistics import blocks_in_turn

_NO_CORRECTION: Final = 1e4  # penalty that leaves physics alone
_FREE: Final = 1e-6  # penalty of the factors: only keeps correlated terms from diverging


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PriorParts:
    """Fitted responses.

    Shapes: ``intercept`` (responses,), ``coefficients`` (features, responses), ``factors`` (terms, responses),
    ``held_out`` (rows, responses), the predictions of fits without a row's block.
    """

    intercept: FloatArray
    coefficients: FloatArray
    factors: FloatArray
    held_out: FloatArray


def fit_parts(
    phi: FloatArray,
    terms: FloatArray,
    followed: tuple[NDArray[np.intp], ...],
    responses: FloatArray,
    settings: TwinSettings,
) -> PriorParts:
    """Regress responses on features, shape (rows, features), and where it helps on the terms they follow.

    ``terms`` have shape (terms, rows), ``followed`` gives for each the positions of the responses that follow it.
    Responses, shape (rows, responses), are NaN where unknown; one that is never known stays NaN.
    """
    measurable = np.flatnonzero(~np.isnan(responses).all(axis=0))
    intercept, held_out = np.full(responses.shape[1], np.nan), np.full(responses.shape, np.nan)
    coefficients = np.full((phi.shape[1], responses.shape[1]), np.nan)
    without = fit_responses(phi, responses[:, measurable], settings)
    intercept[measurable], coefficients[:, measurable], held_out[:, measurable] = without
    factors = np.zeros((len(terms), responses.shape[1]))
    usable = [t for t, values in enumerate(terms) if _varies(values)]
    for position, measured in enumerate(responses.T):
        own = np.array([t for t in usable if position in followed[t]], dtype=np.intp)
        rows = np.flatnonzero(~np.isnan(measured))
        if not own.size or rows.size < settings.folds:
            continue
        found = _fit_one(phi[rows], terms[np.ix_(own, rows)].T, measured[rows], settings)
        if found.error <= TIE * float(((held_out[rows, position] - measured[rows]) ** 2).mean()):
            intercept[position], coefficients[:, position] = found.intercept, found.coefficients
            factors[own, position], held_out[rows, position] = found.factors, found.held_out
    return PriorParts(intercept=intercept, coefficients=coefficients, factors=factors, held_out=held_out)


def _varies(values: FloatArray) -> bool:
    """Return whether a term is known everywhere and varies enough to learn its factor."""
    return bool(np.isfinite(values).all()) and float(values.std()) > IMMATERIAL * float(np.abs(values).mean())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _PriorFit:
    intercept: float
    coefficients: FloatArray
    factors: FloatArray
    held_out: FloatArray
    error: float


def _fit_one(phi: FloatArray, terms: FloatArray, measured: FloatArray, settings: TwinSettings) -> _PriorFit:
    """Fit with the penalty that predicts left-out blocks best."""
    middle, spread, level = terms.mean(axis=0), terms.std(axis=0), measured.mean()
    design, wanted = np.column_stack([(terms - middle) / spread, phi]), measured[:, None] - level
    corrections = np.array([*settings.penalties, _NO_CORRECTION])
    penalties = np.where(np.arange(design.shape[1]) < len(spread), _FREE, corrections[:, None])
    whole, expected = left_out(design, wanted, blocks_in_turn(len(wanted), settings.folds), penalties)
    errors = ((expected - wanted) ** 2).mean(axis=1)[:, 0]
    choice = int(np.flatnonzero(errors <= TIE * errors.min())[-1])
    starts, slopes = whole.solved(penalties[[choice]])
    factors = slopes[0, : len(spread), 0] / spread
    return _PriorFit(
        intercept=float(level + starts[0, 0] - factors @ middle),
        coefficients=slopes[0, len(spread) :, 0],
        factors=factors,
        held_out=level + expected[choice, :, 0],
        error=float(errors[choice]),
    )
