"""Report progress, with the time since the start."""

import time

_BEGIN_S = time.monotonic()


def say(text: str) -> None:
    """Print a line at once."""
    print(f"[{time.monotonic() - _BEGIN_S:6.1f} s] {text}", flush=True)  # noqa: T201  # the command's output
