"""Runs the platform's own load generator and takes its report."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.figures import Footprint
from bench.installation import BenchError, last_json_line


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What a run of the generator sent and used."""

    sent: int
    delivered: int
    failed: int
    seconds: float
    bytes_per_reading: float
    cpu_s: float
    memory: Footprint


class Load:
    """One run of ``python -m forewarn_simulator load``."""

    def __init__(
        self, env: Mapping[str, str], log: Path, *, rate: float, assets: int, seconds: float, baseline: int
    ) -> None:
        sizes = {"--rate": rate, "--assets": assets, "--duration": seconds, "--baseline-rows": baseline}
        options = [word for name, value in sizes.items() for word in (name, str(value))]
        self._log = log
        self._output = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "forewarn_simulator", "load", *options],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        self._output.close()

    @property
    def ended(self) -> bool:
        """Whether it has ended, without taking its report."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> LoadReport:
        """Wait for its end.

        Raises
        ------
        BenchError
            If it did not end well.
        """
        _, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode not in (0, 3):  # 3: it could not deliver all, and says how many
            raise BenchError(f"the load generator ended with {self._process.returncode}:\n{self._tail()}")
        report = last_json_line(self._log.read_text())
        phase = report.get("load") or report["baseline"]
        mib = used.ru_maxrss / 1024
        return LoadReport(
            sent=int(phase["sent"]),
            delivered=int(phase["delivered"]),
            failed=int(phase["failed"]),
            seconds=float(phase["seconds"]),
            bytes_per_reading=float(report["bytes_per_reading"]),
            cpu_s=used.ru_utime + used.ru_stime,
            memory=Footprint(resident_mib=mib, peak_mib=mib),
        )

    def _tail(self) -> str:
        return self._log.read_text()[-3000:]
