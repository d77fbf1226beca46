"""Trees grown for each fold of the units on all other folds, so that some trees have never seen a given unit."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.outlook import LifeOutlook, learn_outlook
from forewarn.domain.prognosis.runs import BoolArray, IntArray
from forewarn.domain.prognosis.trees import Forest, TreeLearner

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoldSample:
    """Training rows; arrays of length rows."""

    features: FloatArray  #: Features, shape (rows, features).
    actual: FloatArray  #: Observed further life of the unit.
    known: BoolArray  #: Whether it then failed.
    unit: IntArray  #: Position of the unit.
    cap: float  #: Longest life distinguished.

    @property
    def unsure(self) -> BoolArray:
        """Return the rows with only a lower bound of the target."""
        return ~self.known & (self.actual < self.cap)

    def outlook(self, mean: FloatArray) -> LifeOutlook:
        """Compare held-out predictions with outcomes."""
        return learn_outlook(mean, self.actual, self.known, self.unit, cap=self.cap)


class CrossFit:
    """Grows the trees of all folds.

    ``folds`` has the fold of each unit in each repeat, shape (repeats, units); ``progress`` is called with the numbers
    of forests grown and to grow.
    """

    def __init__(
        self, sample: FoldSample, learn: TreeLearner, folds: IntArray, rng: np.random.Generator, progress: Progress
    ) -> None:
        self._sample = sample
        self._learn = learn
        self._held_out = [own[sample.unit] == fold for own in folds for fold in range(int(own.max()) + 1)]
        self._repeats = len(folds)
        self._seeds = rng.integers(2**31, size=len(self._held_out)).tolist()
        self._progress = progress
        self._grown = 0

    def run(self) -> tuple[FloatArray, list[Forest]]:
        """Return held-out predictions, averaged over the repeats, of shape (rows,), and the forests."""
        everything = np.ones(self._sample.unit.size, dtype=np.bool_)
        forests = [self._grow(part, target, everything) for part, target in enumerate(self._targets())]
        seen = [
            forest.predict(self._sample.features[away]) for forest, away in zip(forests, self._held_out, strict=True)
        ]
        return self._merged(seen), forests

    def _targets(self) -> list[FloatArray]:
        """Return targets for each part; units still alive get their expected total life.

        The expectation comes from trees grown without these units and without the part's own fold; otherwise the
        targets would leak the held-out fold.
        """
        sample = self._sample
        target = np.minimum(sample.actual, sample.cap)
        if not sample.unsure.any():
            return [target] * len(self._held_out)
        seen = [self._clipped(self._grow(part, target, ~sample.unsure)) for part in range(len(self._held_out))]
        outlook = sample.outlook(self._merged([p[away] for p, away in zip(seen, self._held_out, strict=True)]))
        return [self._filled(target, predicted, outlook) for predicted in seen]

    def _filled(self, target: FloatArray, predicted: FloatArray, outlook: LifeOutlook) -> FloatArray:
        filled = target.copy()
        for row in np.flatnonzero(self._sample.unsure).tolist():
            expected = float(predicted[row])
            filled[row] = outlook.around(expected).mean_beyond(expected, float(target[row]), self._sample.cap)
        return filled

    def _grow(self, part: int, target: FloatArray, usable: BoolArray) -> Forest:
        rows = usable & ~self._held_out[part]
        forest = self._learn(self._sample.features[rows], target[rows], seed=self._seeds[part])
        self._grown += 1
        self._progress(self._grown, len(self._held_out) * (2 if self._sample.unsure.any() else 1))
        return forest

    def _clipped(self, forest: Forest) -> FloatArray:
        return np.clip(forest.predict(self._sample.features), 0.0, self._sample.cap)

    def _merged(self, seen: list[FloatArray]) -> FloatArray:
        """Average predictions for the held-out rows over the repeats."""
        total = np.zeros(self._sample.unit.size)
        for away, predicted in zip(self._held_out, seen, strict=True):
            total[away] += np.clip(predicted, 0.0, self._sample.cap)
        return total / self._repeats
