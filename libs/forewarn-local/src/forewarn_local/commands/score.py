"""``forewarn score``: how unusual the readings of a file are."""

from pathlib import Path
from typing import Annotated

import typer

from forewarn.adapters.scoring.model import load_model
from forewarn.adapters.scoring.scores import score_file, write_scores
from forewarn_local.commands.offline import need_directory, refusing, stderr_display


def score(
    *,
    model: Annotated[Path, typer.Option("--model", metavar="FILE", help="Model of `forewarn fit`.")],
    input_: Annotated[Path, typer.Option("--input", metavar="F", help="CSV or Parquet file of readings.")],
    output: Annotated[Path, typer.Option("--output", metavar="F", help="CSV file to write, one line per row.")],
    sort: Annotated[bool, typer.Option("--sort", help="Sort rows by time and drop exact duplicates.")] = False,
) -> None:
    """Score readings with a model: how unusual they are, which rows are flagged, and which tags contribute."""
    display = stderr_display()
    with refusing(display), display.step(f"Scoring {input_}") as step:
        need_directory(output)
        known = load_model(model)
        scored = score_file(known, input_, sort=sort)
        write_scores(scored, known.detector.twin.responses, output)
        rows = len(scored.readings.stamps)
        step.result = f"{output}: {rows:,} rows, {int(scored.scores.flag.sum()):,} flagged"
    if scored.readings.dropped:
        display.note(f"{scored.readings.dropped} exact duplicates dropped")
    for text in scored.doubts:
        display.note(text)
    if scored.extra:
        display.note(f"columns not used: {', '.join(map(str, scored.extra))}")
