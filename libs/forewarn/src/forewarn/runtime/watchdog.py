"""Kills a process whose main loop hangs, so that its supervisor restarts it."""

import faulthandler
import os
import sys
import threading
from typing import Final, Self

import structlog

from forewarn.runtime.heartbeat import Heartbeat

EXIT_HUNG: Final = 3
_CHECK_EVERY_S: Final = 5.0
_log = structlog.get_logger(__name__)


class Watchdog:
    """Checks a heartbeat from its own thread, which keeps running while a C library hangs."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_CHECK_EVERY_S):
            problem = self._heartbeat.check()
            if problem is not None:
                _log.critical("process_hangs", problem=problem)
                faulthandler.dump_traceback(sys.stderr, all_threads=True)
                os._exit(EXIT_HUNG)  # nothing is lost: uncommitted work is done again
