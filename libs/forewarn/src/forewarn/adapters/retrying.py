"""Retries a call while it fails with a passing error."""

import threading
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, stop_when_event_set, wait_fixed
from tenacity.nap import sleep_using_event

T = TypeVar("T")


def retry(
    call: Callable[[], T],
    passing: Callable[[BaseException], bool],
    *,
    on_wait: Callable[[BaseException], None] = lambda _problem: None,
    pause_s: float = 0.2,
    patience_s: float = float("inf"),
    stop: threading.Event | None = None,
) -> T:
    """Return what ``call`` returns as soon as it succeeds; blocks meanwhile.

    ``on_wait`` is called with each error before the pause that follows it. The last error is raised if it is not a
    passing one, after ``patience_s``, and once ``stop`` is set.
    """
    stop = stop or threading.Event()

    def before_sleep(state: RetryCallState) -> None:
        problem = state.outcome.exception() if state.outcome is not None else None
        if problem is not None:
            on_wait(problem)

    attempts = Retrying(
        retry=retry_if_exception(passing),
        stop=stop_after_delay(patience_s) | stop_when_event_set(stop),
        wait=wait_fixed(pause_s),
        sleep=sleep_using_event(stop),
        before_sleep=before_sleep,
        reraise=True,
    )
    return attempts(call)
