"""The C-MAPSS benchmark: fit on engines run to failure, predict the last cycle of truncated ones."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from forewarn.adapters.fleet_life.fitting import fit_fleet
from forewarn.adapters.fleet_life.recorded_runs import read_runs, read_training_runs
from forewarn.adapters.tables.table import TableError
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.cross_fitting import Progress
from forewarn.domain.prognosis.fleet import Forecast, HeldOut
from forewarn.domain.prognosis.metrics import (
    alpha_lambda,
    coverage,
    phm08_score,
    prognostic_horizon,
    relative_accuracy,
    rmse,
)

#: Longest remaining life of the usual protocol [cycles].
CAP_CYCLES: Final = 125.0

UNIT: Final = "machine_number"
TIME: Final = "uptime"
DRIVERS: Final = ("setting_1", "setting_2", "setting_3")

#: Tolerance and moment of α-λ accuracy; tolerance of the prognostic horizon as a share of the cap.
ALPHA: Final = 0.2
LAMBDA: Final = 0.75
HORIZON_TOLERANCE: Final = 0.1

#: Horizon for which the probability of failure is compared with what happened [cycles].
RISK_HORIZON_CYCLES: Final = 30.0

_SETS: Final = ("FD001", "FD002", "FD003", "FD004")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCycle:
    """Errors of the predictions for the last cycle, against one definition of the truth; lives in cycles."""

    rmse: float
    rmse_of_constant: float
    phm08: float
    coverage: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CmapssResult:
    """Outcome on one data set."""

    name: str
    engines: int
    #: Against true lives cut at the cap, and against them as they are.
    capped: LastCycle
    uncapped: LastCycle
    #: Share of training engines within ±α at λ of their run, each predicted by models that had not seen it.
    alpha_lambda: float
    accuracy: float  #: Median relative accuracy over their rows before the failure.
    horizon: float  #: Median over these engines of how long before failure predictions stay right [cycles].
    #: Mean predicted probability of failure within the risk horizon, and the share of engines that failed.
    risk: float
    failures: float


def find_sets(directory: Path) -> dict[str, tuple[Path, Path, Path]]:
    """Find the training file, test file and true lives of each set in a directory or its folder ``cmapss``.

    Raises
    ------
    TableError
        No set was found.
    """
    for folder in (directory / "cmapss", directory):
        found = {}
        for name in _SETS:
            train, test = (_first(folder, f"{kind}_{name}.csv") for kind in ("train", "test"))
            truth = folder / f"RUL_{name}.txt"
            if train and test and truth.is_file():
                found[name] = (train, test, truth)
        if found:
            return found
    raise TableError(
        f"{directory}: no train_FD001.csv(.gz) with test_FD001.csv(.gz) and RUL_FD001.txt, nor in its folder cmapss"
    )


def evaluate_set(
    name: str, files: tuple[Path, Path, Path], *, seed: int = 0, progress: Progress = lambda _done, _all: None
) -> CmapssResult:
    """Fit on the training engines, predict the test engines.

    Raises
    ------
    TableError
        If a file cannot be used.
    """
    train, test, truth_file = files
    training = read_training_runs(train, unit=UNIT, time=TIME, drivers=DRIVERS)
    fitted, held_out = fit_fleet(training, cap=CAP_CYCLES, seed=seed, progress=progress)
    runs = read_runs(test, fitted.columns).runs
    truth = _truth(truth_file, runs.units)
    forecast = fitted.model.predict(runs, runs.last_rows)
    life = np.minimum(held_out.actual, CAP_CYCLES)
    risk = fitted.model.failure_probability(forecast.mean, [RISK_HORIZON_CYCLES])
    return CmapssResult(
        name=name,
        engines=runs.units,
        capped=_last_cycle(forecast, np.minimum(truth, CAP_CYCLES), float(life.mean())),
        uncapped=_last_cycle(forecast, truth, float(held_out.actual.mean())),
        alpha_lambda=float(np.mean(_of_engines(held_out, _within))),
        accuracy=float(np.nanmedian(relative_accuracy(held_out.mean, life))),
        horizon=float(np.median(_of_engines(held_out, _horizon))),
        risk=float(risk.mean()),
        failures=float(np.mean(truth <= RISK_HORIZON_CYCLES)),
    )


def _last_cycle(forecast: Forecast, truth: FloatArray, constant: float) -> LastCycle:
    at_least = forecast.p90 >= CAP_CYCLES
    return LastCycle(
        rmse=rmse(forecast.mean, truth),
        rmse_of_constant=rmse(np.full(truth.shape, constant), truth),
        phm08=phm08_score(forecast.mean, truth),
        coverage=coverage(forecast.p10, np.where(at_least, np.inf, forecast.p90), truth),
        width=float(np.mean(forecast.p90 - forecast.p10)),
    )


def _of_engines(held_out: HeldOut, judge: Callable[[FloatArray, FloatArray, FloatArray], float]) -> list[float]:
    results = []
    for unit in np.unique(held_out.unit).tolist():
        own = held_out.unit == unit
        actual = held_out.actual[own]
        results.append(judge(actual[0] - actual, held_out.mean[own], np.minimum(actual, CAP_CYCLES)))
    return results


def _within(time: FloatArray, predicted: FloatArray, actual: FloatArray) -> float:
    return float(alpha_lambda(time, predicted, actual, alpha=ALPHA, lambda_=LAMBDA))


def _horizon(time: FloatArray, predicted: FloatArray, actual: FloatArray) -> float:
    horizon = prognostic_horizon(time, predicted, actual, tolerance=HORIZON_TOLERANCE * CAP_CYCLES)
    return 0.0 if horizon is None else horizon


def _truth(path: Path, engines: int) -> FloatArray:
    try:
        lives = np.array([float(text) for text in path.read_text().split()])
    except (OSError, ValueError) as exc:
        raise TableError(f"{path}: cannot be read as one remaining life a line: {exc}") from exc
    if lives.size != engines:
        raise TableError(f"{path}: {lives.size} lives for {engines} engines")
    return lives


def _first(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
