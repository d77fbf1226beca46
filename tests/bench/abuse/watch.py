"""What the platform does while it is abused: memory, restarts, liveness, and the time until neighbours pass again."""

import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Self

import psutil

from support.platform import Platform

_MIB = 1024 * 1024
_SAMPLE_S = 0.1
_ANSWER_S = 30.0


@dataclass
class Watch:
    """Samples every process and the API's liveness until left."""

    platform: Platform
    peak_mib: dict[str, float] = field(default_factory=dict)
    live_ms: list[float] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._memory, self._liveness)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _memory(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            for name, service in self.platform.processes.items():
                if not service.running:
                    self.ended.add(name)
                    continue
                self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), resident_mib(service.pid))

    def _liveness(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            begin_s = time.monotonic()
            try:
                with urllib.request.urlopen(f"{self.platform.api_url}/livez", timeout=_ANSWER_S):
                    pass
            except OSError:
                pass  # a refused liveness counts with the time it took
            self.live_ms.append((time.monotonic() - begin_s) * 1000)


def resident_mib(pid: int) -> float:
    """Resident memory of a process with its children; shared pages count once for each."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(one.memory_info().rss for one in family) / _MIB
    except psutil.Error:
        return 0.0
