"""``forewarn evaluate``: figures on published data sets, next to published ones."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from forewarn_local.commands.evaluate_cmapss import cmapss
from forewarn_local.commands.offline import refusing, stderr_display
from forewarn_local.display import plain_table
from forewarn_local.evaluation.nab import FAR, run_nab
from forewarn_local.evaluation.skab import GROUPS, Outcome, Points, clean, points, run_skab

app = typer.Typer(help="Figures on published data sets, with their protocols.", no_args_is_help=True)
app.command("cmapss")(cmapss)

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder with the data set.")]

_WIDTH = 120

_SKAB_BOARD = (
    ("Conv-AE (board, 2024-08)", Points(f1=0.78, far=0.1355, mar=0.2802)),
    ("MSET (board, 2024-08; looks ahead)", Points(f1=0.78, far=0.3973, mar=0.1413)),
    ("T² + Q (board, 2024-08)", Points(f1=0.76, far=0.2662, mar=0.2492)),
    ("Isolation forest (board, 2024-08)", Points(f1=0.29, far=0.0256, mar=0.8289)),
)


@app.command("skab")
def skab(*, data: Data) -> None:
    """Evaluate on a pump loop with 34 recorded faults (Skoltech Anomaly Benchmark)."""
    display = stderr_display()
    with refusing(display), display.step("SKAB: 34 recordings, a model for each"):
        outcomes = run_skab(data)
    out = Console(highlight=False, width=_WIDTH)
    out.print(
        "SKAB: causal, all 8 tags; trained on the first 400 rows of each recording, tested on all other rows pooled; "
        "threshold from training rows\n"
    )
    out.print(_skab_points(outcomes))
    out.print()
    out.print(_skab_events(clean(outcomes)))


def _skab_points(outcomes: list[Outcome]) -> Table:
    table = plain_table("all test rows", right=("F1", "false alarms", "missed"))
    _points_row(table, "forewarn", points(outcomes))
    for group in GROUPS:
        _points_row(table, f"  {group}", points([o for o in outcomes if o.group == group]))
    _points_row(table, "always alarmed", points(outcomes, always=True))
    for name, its in _SKAB_BOARD:
        _points_row(table, name, its)
    return table


def _skab_events(outcomes: list[Outcome]) -> Table:
    delays = np.array([outcome.delay_s for outcome in outcomes])
    table = plain_table(f"events ({len(outcomes)} recordings, without the one with a dirty baseline)", right=("",))
    table.add_row("faults flagged", f"{np.isfinite(delays).sum()}")
    table.add_row("false alarm of 10 s or more before onset", f"{sum(o.cries_before_onset for o in outcomes)}")
    table.add_row("median delay", f"{np.median(delays):.0f} s")
    return table


def _points_row(table: Table, name: str, its: Points) -> None:
    table.add_row(name, f"{its.f1:.3f}", f"{its.far:.1%}", f"{its.mar:.1%}")


@app.command("nab")
def nab(*, data: Data) -> None:
    """Evaluate on the temperature of a machine that failed (Numenta Anomaly Benchmark)."""
    display = stderr_display()
    with refusing(display), display.step("NAB machine temperature"):
        outcomes = run_nab(data)
    out = Console(highlight=False, width=_WIDTH)
    out.print(
        "NAB machine temperature: sorted; trained on the first 15 % of the rows (which contain the first window), "
        f"with {FAR:.1%} false alarms allowed\n"
    )
    table = plain_table("rows after the training rows", right=("windows hit", "flagged outside", "episodes outside"))
    for its in outcomes:
        hits = f"{its.hits} of {len(its.windows)}"
        table.add_row(its.name, hits, f"{its.share_outside:.2%}", f"{its.episodes_outside}")
    table.add_row("HalfSpaceTrees (measured beforehand, 4 windows)", "2 of 4", "0.25%", "8")
    table.add_row("robust z-score over 7 days, k = 4 (measured beforehand, 4 windows)", "2 of 4", "1.30%", "11")
    out.print(table)
