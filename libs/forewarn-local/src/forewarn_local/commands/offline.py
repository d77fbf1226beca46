"""What the offline commands share: messages on stderr only, one clear line when something is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console

from forewarn.adapters.scoring.model import ModelFileError
from forewarn.adapters.tables.table import TableError
from forewarn_local.display import Display


def stderr_display() -> Display:
    """A display on stderr: stdout and files are for results."""
    return Display(Console(stderr=True, highlight=False, soft_wrap=True))


def need_directory(file: Path) -> None:
    """Refuse a file to write before the work is done, not after.

    Raises
    ------
    TableError
        If there is no directory for it.
    """
    if not file.parent.is_dir():
        raise TableError(f"{file}: there is no directory {file.parent}")


@contextmanager
def refusing(display: Display) -> Iterator[None]:
    """Turn what is wrong with the user's files into a message and exit code 1."""
    try:
        yield
    except (TableError, ModelFileError) as exc:
        display.problem(str(exc))
        raise typer.Exit(1) from exc
