"""``forewarn evaluate cmapss``: remaining useful life of simulated turbofans, by the published protocol."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from forewarn.adapters.boosting.lightgbm_trees import BoostingUnavailable
from forewarn.adapters.fleet_life.cmapss import (
    ALPHA,
    CAP_CYCLES,
    HORIZON_TOLERANCE,
    LAMBDA,
    RISK_HORIZON_CYCLES,
    CmapssResult,
    LastCycle,
    evaluate_set,
    find_sets,
)
from forewarn_local.commands.offline import refusing, stderr_display
from forewarn_local.display import Display, plain_table

#: RMSE (PHM08 score) against capped lives, as published; sources in docs/prognosis.md.
_PUBLISHED: Final = {"FD001": "10.97 (175) MTSTAN, 16.14 deep LSTM", "FD003": "10.90 (188) MTSTAN, 16.18 deep LSTM"}

_PROTOCOL: Final = (
    f"Protocol: last cycle of each test engine; predicted lives are capped at {CAP_CYCLES:g} cycles. 'capped': so are "
    "the true ones; 'as is': not. PHM08: sum over the engines, late predictions cost more. constant: RMSE of "
    "predicting the mean of the training labels. An interval that ends at the cap means 'at least'. Intervals are "
    "calibrated on held-out training engines; nothing is tuned on test engines.\n"
)

_COURSE: Final = (
    f"α-λ: share of training engines, each predicted by trees that had not seen it, within ±{ALPHA:.0%} at "
    f"{LAMBDA:.0%} of the run. accuracy: median of 1 - |error| / remaining life, capped. horizon: median cycles before "
    "failure from which on predictions stay within the tolerance. P(failure): mean prediction for the test engines, "
    "and the share that did fail."
)

_FILE_WIDTH: Final = 120


def cmapss(
    data: Annotated[
        Path, typer.Option("--data", file_okay=False, help="Directory with train_, test_ and RUL_ files, or above it.")
    ],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the folds and trees.")] = 0,
) -> None:
    """Evaluate remaining life on C-MAPSS: fit on engines run to failure, predict others from their last cycle."""
    display = stderr_display()
    with refusing(display, BoostingUnavailable):
        results = [_evaluate(display, name, files, seed) for name, files in find_sets(data).items()]
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_WIDTH)
    console.print(_last_cycle_table(results))
    console.print(_PROTOCOL)
    console.print(_course_table(results))
    console.print(_COURSE)


def _evaluate(display: Display, name: str, files: tuple[Path, Path, Path], seed: int) -> CmapssResult:
    with display.step(f"{name}: growing trees") as step:
        result = evaluate_set(
            name, files, seed=seed, progress=lambda done, total: step.update(f"{name}: {done} of {total} parts grown")
        )
        step.result = f"{name}: {result.engines} test engines"
    return result


def _last_cycle_table(results: list[CmapssResult]) -> Table:
    figures = ("RUL", "RMSE", "constant", "PHM08", "coverage", "width")
    table = plain_table("set", right=figures, title="C-MAPSS, last cycle")
    table.add_column("published, capped", no_wrap=True)
    for result in results:
        published = _PUBLISHED.get(result.name, "")
        table.add_row(result.name, "capped", *_cells(result.capped), published)
        table.add_row("", "as is", *_cells(result.uncapped), "")
    return table


def _cells(its: LastCycle) -> list[str]:
    errors = [f"{its.rmse:.2f}", f"{its.rmse_of_constant:.1f}", f"{its.phm08:.0f}"]
    return [*errors, f"{its.coverage:.0%}", f"{its.width:.1f}"]


def _course_table(results: list[CmapssResult]) -> Table:
    horizon, risk = f"horizon ±{HORIZON_TOLERANCE * CAP_CYCLES:g}", f"P(failure ≤ {RISK_HORIZON_CYCLES:g})"
    figures = (f"α-λ {ALPHA:.0%} at {LAMBDA:.0%}", "accuracy", horizon, risk, "failed by then")
    table = plain_table("set", right=figures, title="During the run")
    for its in results:
        shares = f"{its.alpha_lambda:.0%}", f"{its.accuracy:.0%}"
        table.add_row(its.name, *shares, f"{its.horizon:.0f}", f"{its.risk:.1%}", f"{its.failures:.1%}")
    return table
