"""The main function of every service: settings, logs, signals, exit codes."""

import faulthandler
import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn, TypeVar

import structlog

from forewarn.adapters.catalogue import CatalogueError
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.logging import configure_logging
from forewarn.runtime.probes import Check, ProbeServer
from forewarn.runtime.settings import ServiceSettings, SettingsError, load_settings
from forewarn.runtime.watchdog import Watchdog

EXIT_CRASHED: Final = 1
#: Settings, or the files they name, are wrong: a restart does not help.
EXIT_BAD_SETTINGS: Final = 2

#: A turn allocates tens of thousands of small objects, all freed by reference counting: with Python's default
#: of 700 the collector would run dozens of times a turn, sometimes over all modules.
_COLLECT_AFTER_OBJECTS: Final = 100_000

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
_log = structlog.get_logger(__name__)


class RestartNeeded(Exception):  # noqa: N818  # a state of the world, not a mistake
    """Only a new process can continue; an expected event, so it is logged without a traceback."""


def run_service(name: str, settings_type: type[SettingsT], main: Callable[[SettingsT, threading.Event], None]) -> None:
    """Run ``main(settings, stop)`` until it returns, and exit.

    SIGTERM and SIGINT only set ``stop``; ``main`` drains and returns. The exit code is 0 then, 2 for
    bad settings or asset classes, 1 for any other exception: supervisors restart on a non-zero code.
    SIGUSR1 prints the stacks of all threads.
    """
    try:
        settings = load_settings(settings_type)
    except SettingsError as exc:
        _refuse_to_start(name, exc)
    configure_logging(name, settings.log_level, settings.log_format)
    stop = threading.Event()

    def request_stop(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    faulthandler.register(signal.SIGUSR1, all_threads=True)
    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    _log.info("service_starting", environment=settings.forewarn_env.value)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_OBJECTS)
    try:
        main(settings, stop)
    except CatalogueError as exc:  # files of the user, read before anything else happens
        _refuse_to_start(name, exc)
    except RestartNeeded as exc:
        _log.error("restart_needed", reason=str(exc))
        sys.exit(EXIT_CRASHED)
    except Exception:  # noqa: BLE001  # the process ends here either way; this only logs why
        _log.exception("service_crashed")
        sys.exit(EXIT_CRASHED)
    _log.info("service_stopped")


@contextmanager
def supervised(
    settings: ServiceSettings,
    heartbeat: Heartbeat,
    *,
    ready: Check,
    failure: Check = lambda: None,
) -> Iterator[None]:
    """Answer probes, and kill the process when its heartbeat stops, while the context is open.

    The process is live while its heart beats and ``failure``, which only a restart cures, returns None.
    """

    def live() -> str | None:
        return heartbeat.check() or failure()

    with ProbeServer(settings.probe_host, settings.probe_port, live=live, ready=ready), Watchdog(heartbeat):
        yield


def _refuse_to_start(name: str, problem: Exception) -> NoReturn:
    """Print what to change, without a traceback, and exit."""
    sys.stderr.write(f"{name}: cannot start\n{problem}\n")
    sys.exit(EXIT_BAD_SETTINGS)
