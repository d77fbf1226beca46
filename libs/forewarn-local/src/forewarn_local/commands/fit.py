"""``forewarn fit``: learn normal behaviour from a file of healthy readings."""

from pathlib import Path
from typing import Annotated

import typer

from forewarn.adapters.scoring.model import save_model
from forewarn.adapters.scoring.training import Request, Training, train
from forewarn_local.commands.offline import need_directory, refusing, stderr_display
from forewarn_local.display import Display

#: With fewer independent readings, a share of false alarms of _FEW_AT cannot be kept; smaller shares need more.
_FEW = 20.0
_FEW_AT = 0.01


def fit(
    *,
    normal: Annotated[Path, typer.Option("--normal", metavar="F", help="CSV or Parquet file of healthy readings.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Model file to write.")],
    time: Annotated[
        str | None, typer.Option("--time", metavar="C", help="Column of times; without it, rows are independent.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", metavar="C", help="Column that identifies the machine.")] = None,
    drivers: Annotated[
        str, typer.Option("--drivers", metavar="A,B", help="Columns set from outside, such as load and weather.")
    ] = "",
    far: Annotated[
        float, typer.Option("--far", min=0.0001, max=0.1, help="Share of healthy rows that may be flagged.")
    ] = 0.01,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse healthy rows with suspicious stretches.")] = False,
    sort: Annotated[bool, typer.Option("--sort", help="Sort rows by time and drop exact duplicates.")] = False,
) -> None:
    """Learn normal behaviour from healthy readings, for `forewarn score`."""
    display = stderr_display()
    names = tuple(name.strip() for name in drivers.split(",") if name.strip())
    request = Request(path=normal, time=time, unit=unit, drivers=names, far=far, sort=sort)
    with refusing(display):
        need_directory(out)
        with display.step(f"Learning from {normal}") as step:
            training = train(request)
            step.result = f"Learned from {training.lesson.rows:,} rows"
        _report(training, display)
        if strict and training.lesson.suspicious:
            display.problem(f"{normal}: the healthy rows hold {len(training.lesson.suspicious)} suspicious stretches")
            raise typer.Exit(1)
        save_model(training.model, out)
    judged = len(training.model.detector.twin.responses)
    display.say(f"{out}: {judged} tag{'s' if judged > 1 else ''} judged, nominal false alarms {far:.2%}")


def _report(training: Training, display: Display) -> None:
    if training.readings.dropped:
        display.note(f"{training.readings.dropped} exact duplicates dropped")
    for name, reason in training.unused.items():
        display.note(f"column {name!r} is not used: {reason}")
    for name in training.lesson.wanders:
        display.note(f"tag {name!r} wanders through these rows: it is judged by its changes, not by its level")
    if training.lesson.disturbed:
        share = training.lesson.disturbed / (training.lesson.rows + training.lesson.disturbed)
        display.note(
            f"{training.lesson.disturbed} rows ({share:.1%}) lie far beyond the rest and were not learned: "
            "rows like them will be flagged"
        )
    for text in training.suspicions():
        display.note(f"suspicious stretch: {text}")
    if training.lesson.independent < _FEW * max(1.0, _FEW_AT / training.model.far):
        display.note(
            f"these rows are worth only about {training.lesson.independent:.0f} independent readings: expect more "
            "false alarms than --far, and learn from more days or operating points if you can"
        )
    shares = sorted(training.lesson.r2.items(), key=lambda item: item[1])
    display.say("share of variance explained, cross-validated: " + ", ".join(f"{n} {r2:.2f}" for n, r2 in shares))
