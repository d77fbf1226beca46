"""CPU and memory of processes: services by pid, the database with all its backends."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.figures import Footprint

_MIB = 1024 * 1024
DATABASE = "database"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """CPU seconds used so far, by stage."""

    at_s: float
    cpu_s: Mapping[str, float]


class Meter:
    """Reads what stages have used.

    Parameters
    ----------
    stages
        Process of each stage.
    postmaster
        The database server; backends that have ended count as its children's time.
    not_counted
        Backends that only measure, by pid.
    """

    def __init__(self, stages: Mapping[str, int], postmaster: int, not_counted: frozenset[int] = frozenset()) -> None:
        self._stages = {name: psutil.Process(pid) for name, pid in stages.items()}
        self._postmaster = psutil.Process(postmaster)
        self._not_counted = not_counted

    def sample(self) -> Sample:
        """Read all stages now."""
        used = {name: _own_cpu_s(process) for name, process in self._stages.items()}
        ended = self._postmaster.cpu_times()
        backends = (b for b in self._postmaster.children() if b.pid not in self._not_counted)
        used[DATABASE] = _own_cpu_s(self._postmaster) + ended.children_user + ended.children_system
        used[DATABASE] += sum(map(_own_cpu_s, backends))
        return Sample(at_s=time.monotonic(), cpu_s=used)

    def memory(self) -> dict[str, Footprint]:
        """Memory of each stage; shared memory of the database counts once."""
        own = {name: footprint(process) for name, process in self._stages.items()}
        server = [self._postmaster, *self._postmaster.children()]
        resident = sum(map(_proportional_mib, server))
        return own | {DATABASE: Footprint(resident_mib=resident, peak_mib=resident)}


def footprint(process: psutil.Process) -> Footprint:
    """Resident memory of a process now, and the most it ever had."""
    resident = process.memory_info().rss / _MIB
    return Footprint(resident_mib=resident, peak_mib=max(resident, _peak_mib(process.pid)))


def cpu_s(pid: int) -> float:
    """CPU seconds of a process."""
    return _own_cpu_s(psutil.Process(pid))


def _own_cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a backend that has just ended: its time is with the postmaster
        return 0.0
    return float(times.user + times.system)


def _peak_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _proportional_mib(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / _MIB
    except psutil.NoSuchProcess:
        return 0.0
