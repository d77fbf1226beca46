"""Progress callback of work that may take minutes, so that a watchdog sees it move."""

from collections.abc import Callable

#: Called after each asset.
ProgressCallback = Callable[[], None]


def no_progress() -> None:
    """Report progress to nobody."""
