"""``forewarn clean``: delete all data."""

import shutil

from forewarn_local.artefacts import cache_dir
from forewarn_local.commands.common import fail, here
from forewarn_local.display import Display
from forewarn_local.errors import PreflightError
from forewarn_local.launch import UP, only_one
from forewarn_local.leftovers import end_leftovers, find_leftovers


def clean() -> None:
    """Delete the data of broker and database and the logs; keep environment and downloads."""
    home, _ = here()
    display = Display()
    try:
        with only_one(home):
            end_leftovers(find_leftovers(home.pids, besides=frozenset({UP})))
            for directory in (home.data, home.logs, home.imports):
                shutil.rmtree(directory, ignore_errors=directory == home.imports)
    except PreflightError as exc:
        raise fail(display, str(exc)) from exc
    display.say(f"Deleted {home.data} and {home.logs}. Kept: .venv and the download cache {cache_dir()}.")
