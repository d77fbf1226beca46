"""Watches how much memory a process and its children take."""

import contextlib
import threading
from typing import Self

import psutil

SAMPLE_S = 0.1


class MemoryWatch:
    """Samples the memory of a process and its descendants, what they share counted once, while it is open."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.first_bytes = self._now_bytes()
        self.peak_bytes = self.first_bytes

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def grown_bytes(self) -> int:
        """How much the peak exceeds the beginning."""
        return self.peak_bytes - self.first_bytes

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, self._now_bytes())

    def _now_bytes(self) -> int:
        total = 0
        for process in [self._process, *self._process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total
