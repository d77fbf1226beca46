"""Fits a fleet model to recorded runs."""

import math

import numpy as np

from forewarn.adapters.boosting.lightgbm_trees import LightGbmTrees
from forewarn.adapters.fleet_life.model_file import FleetFile, FleetModelSummary
from forewarn.adapters.fleet_life.recorded_runs import TrainingRuns
from forewarn.domain.prognosis.cross_fitting import Progress
from forewarn.domain.prognosis.fleet import FleetTraining, HeldOut, interval, train
from forewarn.domain.prognosis.metrics import coverage, rmse


def fit_fleet(
    training: TrainingRuns, *, cap: float = math.inf, seed: int = 0, progress: Progress = lambda _done, _all: None
) -> tuple[FleetFile, HeldOut]:
    """Fit a model; return it with its predictions for units held out.

    Raises
    ------
    ValueError
        If there is too little to learn from.
    BoostingUnavailable
        If LightGBM cannot be loaded.
    """
    runs = training.recorded.runs
    trained = train(runs, training.failed, LightGbmTrees(), np.random.default_rng(seed), cap=cap, progress=progress)
    summary = _summary(trained, training, seed)
    return FleetFile(model=trained.model, columns=training.recorded.columns, summary=summary), trained.held_out


def _summary(trained: FleetTraining, training: TrainingRuns, seed: int) -> FleetModelSummary:
    held_out, cap = trained.held_out, trained.model.cap
    known = held_out.known
    actual, mean = np.minimum(held_out.actual, cap)[known], held_out.mean[known]
    seen = interval(trained.model.outlook, mean, cap)
    return FleetModelSummary(
        units=training.recorded.runs.units,
        failures=int(np.count_nonzero(training.failed)),
        rows=training.recorded.runs.time.size,
        seed=seed,
        rmse=rmse(seen.mean, actual),
        rmse_of_constant=rmse(np.full(actual.shape, actual.mean()), actual),
        coverage=coverage(seen.p10, seen.p90, actual),
        width=float(np.mean(seen.p90 - seen.p10)),
    )
