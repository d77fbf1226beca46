"""Shared by the subcommands."""

from pathlib import Path

import typer

from forewarn_local.display import Display
from forewarn_local.home import Home, find_home
from forewarn_local.settings import user_environment


def here() -> tuple[Home, dict[str, str]]:
    """Return the home of the working directory, and the environment with ``.env``."""
    environment = user_environment(find_home().root)
    return find_home(environment), environment


def catalogue_path() -> Path | None:
    """Return the directory of the user's own asset classes; a relative path counts from the repository."""
    home, environment = here()
    path = environment.get("CATALOGUE_PATH")
    return None if path is None else home.root / path


def fail(display: Display, text: str) -> typer.Exit:
    """Show a problem and return the exit to raise."""
    display.problem(text)
    return typer.Exit(1)
