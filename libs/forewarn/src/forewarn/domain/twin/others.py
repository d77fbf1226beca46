"""Each tag from all others by ridge regression.

In standardised tags the regression of tag j on all others with penalty λ has the coefficients −P_ij / P_jj, where P is
the inverse of the correlation matrix with λ added to its diagonal (Whittaker 1990, ch. 5): one inversion gives the
models of all tags. The penalty of each tag is chosen by cross-validation over contiguous blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

_TIE: Final = 1.02
_ROUNDS: Final = 3  # of filling unknown tags from each other


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OthersModel:
    """Fitted regressions in standardised tags."""

    #: Coefficients of each tag (rows) in the prediction of each tag (columns), shape (tags, tags); zero diagonal.
    coefficients: FloatArray
    #: Inputs are clipped to these, so that one wild tag does not drag all others along, shape (tags,).
    low: FloatArray
    high: FloatArray

    def expect(self, z: FloatArray) -> FloatArray:
        """Predict tags, shape (tags, rows); unknown ones (NaN) are first filled from the others.

        Sums go term by term over whole rows: no result depends on the other rows.
        """
        inputs = np.clip(z, self.low[:, None], self.high[:, None])
        unknown = np.isnan(inputs)
        inputs[unknown] = 0.0
        rows = np.flatnonzero(unknown.any(axis=0))
        for _ in range(_ROUNDS if rows.size else 0):
            filled = np.clip(self._sums(inputs[:, rows]), self.low[:, None], self.high[:, None])
            inputs[:, rows] = np.where(unknown[:, rows], filled, inputs[:, rows])
        return self._sums(inputs)

    def _sums(self, inputs: FloatArray) -> FloatArray:
        out = np.zeros(inputs.shape)
        for row, weights in zip(inputs, self.coefficients, strict=True):
            for tag in np.flatnonzero(weights):
                out[tag] += weights[tag] * row
        return out


def fit_others(z: FloatArray, block: NDArray[np.intp], penalties: Sequence[float]) -> tuple[OthersModel, FloatArray]:
    """Fit standardised rows without unknown values, shape (rows, tags).

    Return the model, and the predictions of models without a row's block, shape (rows, tags).
    """
    low, high = z.min(axis=0), z.max(axis=0)
    margin = 0.5 * (high - low)
    held = np.clip(z, -20.0, 20.0)
    predicted = np.empty((len(penalties), *z.shape))
    gram = held.T @ held
    for left_out in np.unique(block):
        test = block == left_out
        rest = gram - held[test].T @ held[test]
        rows = len(z) - int(np.count_nonzero(test))
        for number, penalty in enumerate(penalties):
            predicted[number, test] = held[test] @ _coefficients(rest / max(rows, 1), penalty)
    errors = np.abs(predicted - held).mean(axis=1)
    good = errors <= _TIE * errors.min(axis=0)
    choice = len(penalties) - 1 - np.argmax(good[::-1], axis=0)
    coefficients = np.zeros((z.shape[1], z.shape[1]))
    for number in np.unique(choice):
        tags = choice == number
        coefficients[:, tags] = _coefficients(gram / max(len(z), 1), penalties[number])[:, tags]
    held_out = np.take_along_axis(predicted, choice[None, None, :], axis=0)[0]
    return OthersModel(coefficients=coefficients, low=low - margin, high=high + margin), held_out


def _coefficients(correlation: FloatArray, penalty: float) -> FloatArray:
    precision = np.linalg.inv(correlation + penalty * np.eye(len(correlation)))
    coefficients: FloatArray = -precision / np.diag(precision)[None, :]
    np.fill_diagonal(coefficients, 0.0)
    return coefficients
