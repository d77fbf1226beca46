"""``forewarn rul``: remaining useful life from a fleet's run-to-failure histories."""

import math
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import typer

from forewarn.adapters.boosting.lightgbm_trees import BoostingUnavailable
from forewarn.adapters.fleet_life.fitting import fit_fleet
from forewarn.adapters.fleet_life.model_file import FleetFile, FleetModelFileError, read_model, write_model
from forewarn.adapters.fleet_life.predictions import predictions_csv
from forewarn.adapters.fleet_life.recorded_runs import RecordedRuns, TrainingRuns, read_runs, read_training_runs
from forewarn.adapters.tables.table import TableError
from forewarn.adapters.whole_file import write_whole
from forewarn_local.commands.common import fail
from forewarn_local.commands.offline import need_directory, stderr_display
from forewarn_local.display import Display

app = typer.Typer(help="Remaining useful life from run-to-failure histories.", no_args_is_help=True)

Sort = Annotated[bool, typer.Option("--sort", help="Sort rows by time, drop exact duplicates.")]


@app.command("fit")
def fit(  # noqa: PLR0913  # one for each option
    *,
    runs: Annotated[Path, typer.Option("--runs", help="CSV or Parquet file: rows of many units up to their failure.")],
    unit: Annotated[str, typer.Option("--unit", help="Column that identifies the unit.")],
    time: Annotated[str, typer.Option("--time", help="Column with the time: numbers (cycles, hours) or ISO 8601.")],
    out: Annotated[Path, typer.Option("--out", help="File the model is written to.")],
    drivers: Annotated[
        str, typer.Option("--drivers", help="Columns set from outside (load, speed, weather), separated by commas.")
    ] = "",
    cap: Annotated[
        float | None,
        typer.Option("--cap", help="Longest remaining life to distinguish; longer ones are reported as this."),
    ] = None,
    censored: Annotated[
        str | None,
        typer.Option("--censored", help="Column that is 1 or true in the last row of units that have not failed."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed and data give the same model.")] = 0,
    sort: Sort = False,
) -> None:
    """Learn from runs to failure; remaining lives are in the unit of the time column, days for timestamps."""
    display = stderr_display()
    if cap is not None and not (cap > 0.0 and math.isfinite(cap)):
        _refuse(display, f"--cap {cap:g}: it must be a positive number")
    try:
        need_directory(out)
        training = read_training_runs(runs, unit=unit, time=time, drivers=_names(drivers), censored=censored, sort=sort)
        _describe(display, training)
        fitted = _grow(display, training, cap=math.inf if cap is None else cap, seed=seed)
        write_model(out, fitted)
    except TableError as exc:
        _refuse(display, str(exc))
    except (ValueError, BoostingUnavailable) as exc:
        _refuse(display, f"{runs}: {exc}" if isinstance(exc, ValueError) else str(exc))
    except OSError as exc:
        _refuse(display, f"{out}: cannot be written: {exc.strerror or exc}")
    _report(display, fitted, out)


@app.command("predict")
def predict(
    *,
    model: Annotated[Path, typer.Option("--model", help="Model from `forewarn rul fit`.")],
    input_: Annotated[Path, typer.Option("--input", help="CSV or Parquet file with the units' rows so far.")],
    output: Annotated[Path, typer.Option("--output", help="CSV file for unit,p10,p50,p90,mean at the last rows.")],
    horizons: Annotated[
        str, typer.Option("--horizons", help="Add the probability of failure within these times, e.g. 7,30,90.")
    ] = "",
    sort: Sort = False,
) -> None:
    """Predict the remaining life of each unit at its last row."""
    display = stderr_display()
    spans = _spans(display, horizons)
    try:
        need_directory(output)
        fitted = read_model(model)
        recorded = read_runs(input_, fitted.columns, sort=sort)
    except (FleetModelFileError, TableError) as exc:
        _refuse(display, str(exc))
    _warn(display, fitted, recorded)
    content = predictions_csv(fitted, recorded, spans)
    try:
        write_whole(output, lambda file: file.write(content.encode()))
    except OSError as exc:
        _refuse(display, f"{output}: cannot be written: {exc.strerror or exc}")
    display.say(f"{len(recorded.names)} units, remaining lives in {fitted.columns.life_unit}: {output}")


def _grow(display: Display, training: TrainingRuns, *, cap: float, seed: int) -> FleetFile:
    with display.step("Growing trees") as step:
        fitted, _ = fit_fleet(
            training,
            cap=cap,
            seed=seed,
            progress=lambda done, total: step.update(f"Growing trees: {done} of {total} parts"),
        )
        step.result = f"Grew {fitted.model.forest.roots.size} trees"
    return fitted


def _describe(display: Display, training: TrainingRuns) -> None:
    columns, runs = training.recorded.columns, training.recorded.runs
    failures = int(np.count_nonzero(training.failed))
    display.say(
        f"{runs.time.size} rows of {runs.units} units, {failures} ran to failure; "
        f"tags: {len(columns.tags)}, drivers: {len(columns.drivers)}; lives in {columns.life_unit}"
    )
    for name, reason in training.left_out.items():
        display.note(f"column {name!r} is not used: {reason}")


def _report(display: Display, fitted: FleetFile, out: Path) -> None:
    its = fitted.summary
    display.say(
        f"On units held out: RMSE {its.rmse:.4g} (a constant: {its.rmse_of_constant:.4g}), P10 to P90 holds "
        f"{its.coverage:.0%} at a mean width of {its.width:.4g}. Model: {out}"
    )
    if its.rmse > 0.95 * its.rmse_of_constant:
        display.note("hardly better than a constant: these columns contain little information about remaining life")


def _warn(display: Display, fitted: FleetFile, recorded: RecordedRuns) -> None:
    outside = fitted.model.preparation.outside(recorded.runs)
    if outside:
        display.note(
            f"{outside} of {recorded.runs.time.size} rows have a driver outside the learned range; "
            "predictions from them are less certain than the interval shows"
        )


def _spans(display: Display, horizons: str) -> list[float]:
    try:
        spans = [float(text) for text in _names(horizons)]
    except ValueError:
        spans = [math.nan]
    if not all(math.isfinite(span) and span > 0.0 for span in spans):
        _refuse(display, f"--horizons {horizons}: use positive numbers separated by commas, e.g. 7,30,90")
    return spans


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _refuse(display: Display, text: str) -> NoReturn:
    raise fail(display, text) from None
