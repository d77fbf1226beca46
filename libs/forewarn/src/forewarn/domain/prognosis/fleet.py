"""The fleet model: remaining life learned from runs to failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.cross_fitting import CrossFit, FoldSample, Progress
from forewarn.domain.prognosis.outlook import LifeOutlook
from forewarn.domain.prognosis.preparation import Preparation, learn_preparation
from forewarn.domain.prognosis.runs import BoolArray, IntArray, Runs, evenly_spaced
from forewarn.domain.prognosis.trees import Forest, TreeLearner, average

#: Fewest failed units.
MIN_FAILURES: Final = 3

#: Most training rows in all, and fewest and most of a unit.
_MAX_ROWS: Final = 40_000
_MIN_PER_UNIT: Final = 16
_MAX_PER_UNIT: Final = 400
_WANTED_ROWS: Final = 7_000

#: Up to this many units each fold holds one; fleets from ``_MANY`` units are split into ``_FOLDS``, repeatedly.
_MANY: Final = 30
_SINGLE: Final = 10
_FOLDS: Final = 5
_REPEATS: Final = 3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Forecast:
    """Remaining life of several units, in their unit of time, never above the cap; all of shape (units,).

    A value at the cap means "at least".
    """

    p10: FloatArray
    p50: FloatArray
    p90: FloatArray
    mean: FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FleetLifeModel:
    """Predicts remaining life."""

    preparation: Preparation
    forest: Forest
    outlook: LifeOutlook
    cap: float  #: Longest life it distinguishes; may be infinite.

    def predict(self, runs: Runs, rows: IntArray) -> Forecast:
        """Predict from rows (in rising order) and the earlier rows of their units."""
        mean = self.mean(runs, rows)
        return interval(self.outlook, mean, self.cap)

    def mean(self, runs: Runs, rows: IntArray) -> FloatArray:
        """Return the expected remaining life, shape (rows,)."""
        return np.clip(self.forest.predict(self.preparation.features_of(runs, rows)), 0.0, self.cap)

    def failure_probability(self, mean: FloatArray, horizons: Sequence[float]) -> FloatArray:
        """Return the probability of failure within each horizon, given the expected life: shape (rows, horizons)."""
        spreads = [self.outlook.around(value) for value in mean.tolist()]
        return np.array(
            [
                [spread.probability(horizon - value) for horizon in horizons]
                for spread, value in zip(spreads, mean.tolist(), strict=True)
            ]
        ).reshape(mean.size, len(horizons))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HeldOut:
    """Predictions for rows of units that their trees had not seen."""

    rows: IntArray  #: Rows of the training runs.
    mean: FloatArray  #: Predicted life, at most the cap.
    actual: FloatArray  #: Observed further life, a lower bound for survivors; not capped.
    known: BoolArray  #: Whether the unit failed.
    unit: IntArray  #: Position of the unit.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FleetTraining:
    """A model and its results on held-out units."""

    model: FleetLifeModel
    held_out: HeldOut


def interval(outlook: LifeOutlook, mean: FloatArray, cap: float) -> Forecast:
    """Return P10, P50 and P90 around predictions, between zero and the cap, and means between P10 and P90.

    At the cap the whole distribution is at the cap, while trees that average targets end just below it.
    """
    levels = (0.1, 0.5, 0.9)
    spread = np.array([value + outlook.around(value).quantiles(levels) for value in mean.tolist()])
    p10, p50, p90 = np.clip(spread.reshape(-1, len(levels)), 0.0, cap).T
    return Forecast(p10=p10, p50=p50, p90=p90, mean=np.clip(mean, p10, p90))


def train(
    runs: Runs,
    failed: BoolArray,
    learn: TreeLearner,
    rng: np.random.Generator,
    *,
    cap: float = np.inf,
    progress: Progress = lambda _done, _all: None,
) -> FleetTraining:
    """Learn from runs, some of which ended in failure.

    Units are divided into folds; each fold is predicted by trees grown on the others. These held-out predictions show
    the model's errors; all trees together are the model. A unit that did not fail lived at least to its last row: where
    that reaches ``cap``, the longest life distinguished, it is a full example; elsewhere its target is the conditional
    expectation beyond it (Buckley and James 1979). ``progress`` is called with the numbers of forests grown and to
    grow. Raises ValueError if fewer than ``MIN_FAILURES`` units failed, or nothing varies.
    """
    if np.count_nonzero(failed) < MIN_FAILURES:
        raise ValueError(
            f"{np.count_nonzero(failed)} of {runs.units} units ran to failure; at least {MIN_FAILURES} are needed"
        )
    preparation = learn_preparation(runs, failed)
    rows = evenly_spaced(runs, _rows_per_unit(runs.units))
    unit = runs.unit_of_row[rows]
    sample = FoldSample(
        features=preparation.features_of(runs, rows),
        actual=runs.to_the_end[rows],
        known=failed[unit],
        unit=unit,
        cap=cap,
    )
    mean, forests = CrossFit(sample, learn, _folds(failed, rng), rng, progress).run()
    model = FleetLifeModel(preparation=preparation, forest=average(forests), outlook=sample.outlook(mean), cap=cap)
    held_out = HeldOut(rows=rows, mean=mean, actual=sample.actual, known=sample.known, unit=unit)
    return FleetTraining(model=model, held_out=held_out)


def _rows_per_unit(units: int) -> int:
    most = max(_MIN_PER_UNIT, _MAX_ROWS // units)
    return min(most, max(64, min(_MAX_PER_UNIT, _WANTED_ROWS // units)))


def _folds(failed: BoolArray, rng: np.random.Generator) -> IntArray:
    """Return the fold of each unit in each repeat, shape (repeats, units): failed units evenly, then the others."""
    failures = int(np.count_nonzero(failed))
    count = _FOLDS if failures >= _MANY else min(failures, _SINGLE)
    repeats = _REPEATS if failures >= _MANY else 1
    folds = np.empty((repeats, failed.size), dtype=np.intp)
    for own in folds:
        order = np.concatenate([rng.permutation(np.flatnonzero(failed)), rng.permutation(np.flatnonzero(~failed))])
        own[order] = np.arange(failed.size) % count
    return folds
