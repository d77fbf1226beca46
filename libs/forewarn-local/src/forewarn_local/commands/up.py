"""``forewarn up``: the whole platform in the foreground."""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import typer

from forewarn_local.commands.common import here
from forewarn_local.display import Display
from forewarn_local.errors import LocalStackError
from forewarn_local.home import Home
from forewarn_local.launch import Launch, only_one
from forewarn_local.plan import Addresses
from forewarn_local.settings import load_settings
from forewarn_local.spawn import die_with_parent

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_IGNORE_S = 1.0


class StopRequested(BaseException):
    """A stop was requested; like KeyboardInterrupt, it passes error handlers."""


def up() -> None:
    """Start everything here and stay in the foreground; Ctrl-C stops it."""
    display = Display()
    _end_with_make()
    try:
        home, environment = here()
        settings = load_settings(environment)
        with only_one(home):
            failed = _run(Launch(home, settings, environment, display), home, display)
    except LocalStackError as exc:
        display.problem(str(exc))
        failed = True
    raise typer.Exit(1 if failed else 0)


def _run(launch: Launch, home: Home, display: Display) -> bool:
    try:
        with _stop_on(_SIGNALS):
            _announce(launch.up(), home, display)
            launch.watch(_terminal_watch())
    except StopRequested:
        display.say()
    except LocalStackError as exc:
        display.problem(str(exc))
        return True
    finally:
        _stop(launch, display)
    display.say(f"Data is kept in {home.data}: `make run` continues with it, `make clean` deletes it.")
    return False


def _stop(launch: Launch, display: Display) -> None:
    try:
        with _stop_on([signal.SIGINT], ignore_s=_IGNORE_S):
            launch.stop()
    except StopRequested:
        display.note("Second request: ending everything at once.")
        launch.kill()


def _end_with_make() -> None:
    """Under ``make run``, let the kernel send SIGTERM when make is killed."""
    if "MAKELEVEL" in os.environ and (arm := die_with_parent(signal.SIGTERM)) is not None:
        arm()


def _terminal_watch() -> Callable[[], bool]:
    """Return a function that returns whether the terminal is gone.

    The kernel signals only the first process of the terminal's session; that may be make, which does not pass it on.
    """
    if not sys.stdin.isatty():
        return lambda: False
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # hang-ups are always reported
    return lambda: bool(terminal.poll(0))


def _announce(addresses: Addresses, home: Home, display: Display) -> None:
    display.say()
    display.say(f"  Dashboard  {addresses.dashboard_url}")
    display.say(f"  API        {addresses.api_url}/docs")
    display.say(f"  Kafka      {addresses.kafka}")
    display.say(f"  Logs       {home.logs}")
    display.say()
    display.say("Ctrl-C stops everything.")


@contextmanager
def _stop_on(numbers: Sequence[signal.Signals], *, ignore_s: float = 0.0) -> Iterator[None]:
    """Raise StopRequested on the first of these signals and ignore all later ones.

    Those within ``ignore_s`` are ignored too: make passes on a SIGTERM that the child already has.
    """
    begin = time.monotonic()

    def request(_number: int, _frame: FrameType | None) -> None:
        if time.monotonic() - begin >= ignore_s:
            _ignore_signals()
            raise StopRequested

    for number in numbers:
        signal.signal(number, request)
    try:
        yield
    finally:
        _ignore_signals()


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
