"""What several subcommands need."""

import typer

from forewarn_local.display import Display
from forewarn_local.home import Home, find_home
from forewarn_local.settings import user_environment


def here() -> tuple[Home, Display]:
    """Return the home of the working directory and a display."""
    return find_home(user_environment(find_home().root)), Display()


def fail(display: Display, text: str) -> typer.Exit:
    """Show a problem and return the exit to raise."""
    display.problem(text)
    return typer.Exit(1)
