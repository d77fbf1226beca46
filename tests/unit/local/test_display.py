"""What the user sees."""

import io

from rich.console import Console

from forewarn_local.display import Display, Lasting


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text):
        raise OSError(5, "Input/output error")


def test_steps_are_plain_lines_without_a_terminal():
    stream = io.StringIO()
    display = Display(Console(file=stream, highlight=False))
    with display.step("Fetching") as step:
        step.update("1 of 2")
        step.update("1 of 2")
        step.result = "Fetched [all]"
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["• Fetching", "  … 1 of 2"]
    assert lines[2].startswith("✓ Fetched [all] (")
    assert len(lines) == 3


def test_a_terminal_that_is_gone_does_not_keep_anything_from_stopping():
    display = Display(Console(file=Lasting(Gone()), force_terminal=True))
    with display.step("Stopping"):
        display.note("still here")
