"""``forewarn logs``: the log of one process."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from forewarn_local.commands.common import fail, here
from forewarn_local.display import Display
from forewarn_local.processes import log_path
from forewarn_local.spawn import tail

_POLL_S = 0.3


def logs(
    service: Annotated[str, typer.Argument(help="Name of a service, or kafka, postgres, supervisor, provision.")],
    lines: Annotated[int, typer.Option("--lines", "-n", help="Number of lines.")] = 50,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow the log until Ctrl-C.")] = False,
) -> None:
    """Show the end of a process's log."""
    home, _ = here()
    path = log_path(home, service)
    if not path.exists():
        known = ", ".join(sorted(found.stem for found in home.logs.glob("*.log"))) or "none yet"
        raise fail(Display(), f"No log of {service!r}. Logs: {known}.")
    typer.echo(tail(path, lines))
    if follow:
        try:
            for text in _appended(path):
                typer.echo(text, nl=False)
        except KeyboardInterrupt:
            return


def _appended(path: Path) -> Iterator[str]:
    """Yield text as it is appended to a file, across its rotation."""
    stream = path.open(errors="replace")
    stream.seek(0, 2)
    try:
        while True:
            if text := stream.read():
                yield text
                continue
            time.sleep(_POLL_S)
            if path.exists() and path.stat().st_ino != Path(f"/proc/self/fd/{stream.fileno()}").stat().st_ino:
                stream.close()
                stream = path.open(errors="replace")
    finally:
        stream.close()
