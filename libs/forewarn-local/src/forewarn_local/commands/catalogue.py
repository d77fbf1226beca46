"""``forewarn catalogue``: asset classes, without starting anything."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from forewarn.adapters.catalogue import Catalogue, CatalogueError, load_catalogue
from forewarn_local.commands.common import fail
from forewarn_local.display import Display
from forewarn_local.home import find_home
from forewarn_local.settings import user_environment

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
    """Check your asset classes as every service does when it starts; exit code 1 if one cannot be used."""
    display = Display()
    try:
        catalogue = load_catalogue(directory or _of_the_services())
    except CatalogueError as exc:
        raise fail(display, str(exc)) from exc
    display.say(f"{len(catalogue)} classes, no problems")
    Console(highlight=False).print(_table(catalogue))


def _of_the_services() -> Path | None:
    root = find_home().root
    path = user_environment(root).get("CATALOGUE_PATH")
    return None if path is None else root / path  # services run there


def _table(catalogue: Catalogue) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", no_wrap=True)
    for heading in ("tags", "derived", "rules", "alarms"):
        table.add_column(heading, justify="right")
    for name, its in sorted(catalogue.items()):
        counts = (len(its.tags), len(its.derived), len(its.rules), len(its.alarms))
        table.add_row(name, *map(str, counts))
    return table
