"""Show progress: a live line on a terminal, plain lines elsewhere."""

import contextlib
import io
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table


class Lasting(io.TextIOBase):
    """A stream that ignores a closed terminal or pipe, so that stopping because of it does not fail."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write if possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor; rich reads the terminal's size from it."""
        return self._stream.fileno()


def plain_table(*left: str, right: Sequence[str] = (), title: str | None = None) -> Table:
    """Return a table without lines: columns of text, then columns of numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for heading in left:
        table.add_column(heading, overflow="fold")
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


class Step:
    """A piece of work in progress."""

    def __init__(self, console: Console, status: Status | None, text: str) -> None:
        self._console = console
        self._status = status
        self._last = text
        self.result = text

    def update(self, text: str) -> None:
        """Show progress; repeated texts are shown once."""
        if text == self._last:
            return
        self._last = text
        if self._status is not None:
            self._status.update(escape(text))
        else:
            self._console.print(f"  … {escape(text)}")


class Display:
    """Progress and messages on one console."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=cast("TextIO", Lasting(sys.stdout)), highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Show work in progress and, after success, its result and duration."""
        begin = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(escape(text)) as status:
                step = Step(self._console, status, text)
                yield step
        else:
            self._console.print(f"• {escape(text)}")
            step = Step(self._console, None, text)
            yield step
        self._console.print(f"[green]✓[/] {escape(step.result)} [dim]({time.monotonic() - begin:.1f} s)[/]")

    def note(self, text: str) -> None:
        """Show something worth knowing."""
        self._console.print(f"[yellow]•[/] {escape(text)}")

    def problem(self, text: str) -> None:
        """Show what went wrong."""
        self._console.print(f"[red]✗[/] {escape(text)}")

    def say(self, text: str = "") -> None:
        """Show a plain line."""
        self._console.print(escape(text))
