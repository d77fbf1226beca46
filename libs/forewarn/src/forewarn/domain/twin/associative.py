"""Fit the model of tags without drivers: each from all of them, by memory or by regression."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.kernel import KernelModel, bandwidth_of, choose_memory, held_out_states
from forewarn.domain.twin.others import fit_others
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.statistics import WANDERS_BELOW, effective_readings, fold_of

_KERNEL_TAGS: Final = 3  # fewer tags would explain themselves
#: With a tenth left out, a wandering tag has nearly the same states in the rest. The halves of the baseline are more
#: like different days.
_HALVES: Final = 2
_NONE: Final = np.empty(0, dtype=np.intp)


def fast_tags(z: FloatArray, breaks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return positions of tags whose states recur, from shape (rows, tags); none if too few for a memory."""
    fast = np.flatnonzero([effective_readings(column, breaks) >= WANDERS_BELOW for column in z.T])
    return fast if fast.size >= _KERNEL_TAGS else _NONE


def fit_associative(
    z: FloatArray, fast: NDArray[np.intp], block: NDArray[np.intp], settings: TwinSettings
) -> tuple[KernelModel, FloatArray]:
    """Fit standardised rows without unknown values, shape (rows, tags).

    Return a model of all tags in standardised units, with a scale of 1, and the predictions of models without a row's
    block, shape (rows, tags).
    """
    width = z.shape[1]
    expected = np.zeros(z.shape)
    coefficients, low, high = np.empty((0, 0)), np.empty(0), np.empty(0)
    if fast.size < width and width > 1:
        others, expected = fit_others(z, block, settings.penalties)
        expected = _worse(z, expected, fit_others(z, fold_of(len(z), _HALVES), settings.penalties)[1])
        slow = np.setdiff1d(np.arange(width), fast)
        kept = np.zeros(width, dtype=np.bool_)
        kept[slow] = True
        coefficients, low, high = others.coefficients * kept, others.low, others.high
    memory, bandwidth = np.zeros((0, 1), dtype=np.float32), 1.0
    if fast.size:
        expected[:, fast] = held_out_states(z[:, fast], settings, block)
        memory = choose_memory(z[:, fast], settings)
        bandwidth = bandwidth_of(memory)
    model = KernelModel(
        judged=np.arange(width),
        centre=np.zeros(width),
        spread=np.ones(width),
        fast=fast,
        memory=memory,
        bandwidth=bandwidth,
        coefficients=coefficients,
        low=low,
        high=high,
        scale=np.ones(width),
        typical=1.0,
    )
    return model, expected


def _worse(z: FloatArray, one: FloatArray, other: FloatArray) -> FloatArray:
    """Return for each tag the prediction with the larger error; shape (rows, tags)."""
    errors = [((z - expected) ** 2).mean(axis=0) for expected in (one, other)]
    return np.where(errors[1] > errors[0], other, one)
