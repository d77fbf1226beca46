"""Progress callback of work that may take minutes, so that the watchdog sees activity."""

from collections.abc import Callable

#: Called after each asset.
ProgressCallback = Callable[[], None]


def no_progress() -> None:
    """Ignore progress."""
