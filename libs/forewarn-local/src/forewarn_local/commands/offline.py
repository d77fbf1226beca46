"""Shared by the offline commands: messages on stderr, one line for each problem."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from forewarn.adapters.scoring.model import ModelFileError
from forewarn.adapters.tables.table import TableError
from forewarn_local.commands.common import fail
from forewarn_local.display import Display


def stderr_display() -> Display:
    """Return a display on stderr: stdout is for results."""
    return Display(Console(stderr=True, highlight=False, soft_wrap=True))


def need_directory(file: Path) -> None:
    """Raise TableError if the output file has no directory: before the work, not after."""
    if not file.parent.is_dir():
        raise TableError(f"{file}: there is no directory {file.parent}")


@contextmanager
def refusing(display: Display, *besides: type[Exception]) -> Iterator[None]:
    """Turn problems with the user's files, and the exceptions named, into a message and exit code 1."""
    expected: tuple[type[Exception], ...] = (TableError, ModelFileError, *besides)
    try:
        yield
    except expected as exc:
        raise fail(display, str(exc)) from exc
