"""How far measurements stray from a forecast, learned from its back-test.

The spread grows with the lead: root mean square of the errors at each lead, made non-decreasing by pooling neighbours
(isotonic regression). Errors divided by it are pooled over leads and origins and form the distribution; normality is
not assumed.
"""

from dataclasses import dataclass

import numpy as np

from forewarn.domain.frames.frame import FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spread:
    """Distribution of errors by lead."""

    scale: FloatArray  #: Typical error at each lead [unit of the column], never falling, shape (horizon,); above 0.
    shape: FloatArray  #: Errors divided by their scale, sorted.
    errors: FloatArray  #: The errors themselves, shape (origins, horizon); NaN where nothing was measured.

    @property
    def origins(self) -> int:
        """Return the number of back-test origins, the effective sample size, as errors of one origin are alike."""
        return len(self.errors)

    def quantile(self, probability: float) -> FloatArray:
        """Return the error not exceeded with this probability, at each lead, shape (horizon,).

        Widened by ``1 + 1/origins``: few origins have not seen the worst.
        """
        return float(np.quantile(self.shape, probability)) * (1.0 + 1.0 / self.origins) * self.scale


def learn_spread(errors: FloatArray, resolution: float) -> Spread:
    """Learn from errors of shape (origins, horizon), NaN where unknown.

    ``resolution`` [unit of the column] is the least scale: a method without errors so far is not infallible.
    """
    counts = np.isfinite(errors).sum(axis=0)
    squares = np.nansum(errors**2, axis=0)
    scale = np.sqrt(_rising(squares, counts))
    scale = np.maximum(scale, resolution)
    scaled = (errors / scale)[np.isfinite(errors)]
    return Spread(scale=scale, shape=np.sort(scaled), errors=errors)


def _rising(sums: FloatArray, counts: FloatArray) -> FloatArray:
    """Return non-decreasing weighted means ``sums / counts``: falling neighbours are pooled (Ayer et al. 1955)."""
    blocks: list[tuple[float, float, int]] = []
    for total, count in zip(sums.tolist(), counts.tolist(), strict=True):
        block = (total, float(count), 1)
        while blocks and _mean(blocks[-1]) >= _mean(block):
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    return np.repeat([_mean(block) for block in blocks], [block[2] for block in blocks])


def _mean(block: tuple[float, float, int]) -> float:
    """Return the mean of a block; a block without measurements takes the next one's."""
    return block[0] / block[1] if block[1] > 0 else np.inf
