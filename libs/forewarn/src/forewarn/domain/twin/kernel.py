"""Auto-associative kernel regression (AAKR): each tag from remembered similar healthy states.

Estimate of a state x from remembered states m_i (standardised): x̂ = Σ w_i m_i / Σ w_i with w_i = exp(−|x − m_i|² /
2h²) (Nadaraya 1964; Watson 1964; Hines & Garvey 2006). The smallest distance is subtracted in the exponent, which
changes no ratio of weights, so that far from all memory the result is the nearest state and not 0/0. Every number comes
from element-wise operations and sums within one row: the estimate of a reading does not depend on its neighbours in the
batch.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.others import OthersModel
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.statistics import fold_of

Float32Array = NDArray[np.float32]

_NEIGHBOUR: Final = 10
_BLOCK_ROWS: Final = 64  # times 500 memory rows of float32 fits into a core's cache
_FARTHEST: Final = 1e4  # standard deviations; beyond, squares would lose the differences between states
_MEMORY_BYTES: Final = 30_000  # an asset's whole state must stay below 50 kB


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KernelModel:
    """Fitted memory of one asset; tags that wander, whose states do not recur, are regressed on all others."""

    judged: NDArray[np.intp]  #: Positions of the responses that take part.
    #: Standardisation of those, in the responses' units, shape (judged,).
    centre: FloatArray
    spread: FloatArray
    fast: NDArray[np.intp]  #: Positions among the judged tags of those in the memory.
    memory: Float32Array  #: Remembered healthy states, standardised, shape (fast, states).
    bandwidth: float  #: h above, in standard deviations.
    #: ``OthersModel`` of the judged tags; coefficients of no tags if the memory holds all.
    coefficients: FloatArray
    low: FloatArray
    high: FloatArray
    scale: FloatArray  #: Healthy standard deviation of the residuals, shape (responses,); NaN for unjudged ones.
    typical: float  #: 95th percentile of the healthy root mean square residual.

    def expect(self, responses: FloatArray) -> FloatArray:
        """Predict responses, shape (responses, rows); NaN for unjudged ones and where too little is known.

        A missing tag is estimated from the others if half of the judged tags are known.
        """
        values = (responses[self.judged] - self.centre[:, None]) / self.spread[:, None]
        out = np.full(responses.shape, np.nan)
        out[self.judged] = self.centre[:, None] + self.spread[:, None] * self.expect_standard(values)
        return out

    def expect_standard(self, values: FloatArray) -> FloatArray:
        """Predict tags in standardised units, shape (judged, rows)."""
        if self.coefficients.size:
            expected = OthersModel(coefficients=self.coefficients, low=self.low, high=self.high).expect(values)
        else:
            expected = np.zeros(values.shape)
        if self.fast.size:
            expected[self.fast] = estimate_states(self.memory, self.bandwidth, values[self.fast])
        return expected


def choose_memory(states: FloatArray, settings: TwinSettings) -> Float32Array:
    """Keep as many states as memory allows, evenly spread in time; shape (tags, states)."""
    room = min(settings.memory_rows, _MEMORY_BYTES // (4 * states.shape[1]))
    rows = states.shape[0]
    kept = np.arange(rows) if rows <= room else np.arange(room) * rows // room
    return np.ascontiguousarray(states[kept].T, dtype=np.float32)


def bandwidth_of(memory: Float32Array) -> float:
    """Return the median distance of a remembered state to its tenth neighbour."""
    squared = np.zeros((memory.shape[1], memory.shape[1]))
    for tag in memory.astype(np.float64):
        squared += (tag[:, None] - tag[None, :]) ** 2
    neighbour = min(_NEIGHBOUR, memory.shape[1] - 1)
    distances = np.sqrt(np.partition(squared, neighbour, axis=1)[:, neighbour])
    # Quantised tags repeat states exactly; a kernel of width 0 would know only those.
    return max(float(np.median(distances)), 0.05 * float(np.sqrt(memory.shape[0])))


def held_out_states(states: FloatArray, settings: TwinSettings, block: NDArray[np.intp] | None = None) -> FloatArray:
    """Estimate each contiguous block from the memory of all others; shape (rows, tags)."""
    fold = fold_of(states.shape[0], settings.folds) if block is None else block
    out = np.empty(states.shape)
    for left_out in np.unique(fold):
        memory = choose_memory(states[fold != left_out], settings)
        test = fold == left_out
        out[test] = estimate_states(memory, bandwidth_of(memory), np.ascontiguousarray(states[test].T)).T
    return out


def estimate_states(memory: Float32Array, bandwidth: float, values: FloatArray) -> FloatArray:
    """Estimate standardised states, shape (tags, rows); NaN where less than half of the tags is known."""
    out = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    complete = known.all(axis=0)
    query = np.clip(values, -_FARTHEST, _FARTHEST).astype(np.float32)
    for rows, mask in ((complete, None), (~complete & (2 * known.sum(axis=0) >= values.shape[0]), known)):
        positions = np.flatnonzero(rows)
        for start in range(0, positions.size, _BLOCK_ROWS):
            block = positions[start : start + _BLOCK_ROWS]
            weights = _weights(memory, bandwidth, query[:, block], None if mask is None else mask[:, block])
            total = weights.sum(axis=1)
            for tag, remembered in enumerate(memory):
                out[tag, block] = (weights * remembered).sum(axis=1) / total
    return out


def _weights(
    memory: Float32Array, bandwidth: float, query: Float32Array, known: NDArray[np.bool_] | None
) -> Float32Array:
    """Return the weight of each remembered state for each row, shape (rows, states); the nearest has weight 1."""
    squared = np.zeros((query.shape[1], memory.shape[1]), dtype=np.float32)
    step = np.empty_like(squared)
    for tag, remembered in enumerate(memory):
        np.subtract(query[tag][:, None], remembered, out=step)
        if known is not None:
            step[~known[tag]] = 0.0
        np.multiply(step, step, out=step)
        squared += step
    squared -= squared.min(axis=1, keepdims=True)
    sharpness = np.full(query.shape[1], -0.5 / bandwidth**2, dtype=np.float32)
    if known is not None:
        sharpness *= memory.shape[0] / known.sum(axis=0)  # unknown tags count as far off as the known ones
    squared *= sharpness[:, None]
    weights: Float32Array = np.exp(squared, out=squared)
    return weights
