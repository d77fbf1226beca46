"""``forewarn catalogue``: asset classes, without starting anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from forewarn.adapters.catalogue import CatalogueError, load_catalogue
from forewarn_local.commands.common import catalogue_path, fail
from forewarn_local.display import Display, plain_table

app = typer.Typer(help="Check asset classes without starting anything.", no_args_is_help=True)


@app.command("check")
def check(
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", exists=True, file_okay=False, help="Your own classes; CATALOGUE_PATH by default."
        ),
    ] = None,
) -> None:
    """Check your asset classes as every service does at start; exit code 1 if there are problems."""
    display = Display()
    try:
        catalogue = load_catalogue(directory or catalogue_path())
    except CatalogueError as exc:
        raise fail(display, str(exc)) from exc
    display.say(f"{len(catalogue)} classes, no problems")
    table = plain_table("class", right=("tags", "derived", "rules", "alarms"))
    for name, its in sorted(catalogue.items()):
        table.add_row(name, *(str(len(part)) for part in (its.tags, its.derived, its.rules, its.alarms)))
    Console(highlight=False).print(table)
