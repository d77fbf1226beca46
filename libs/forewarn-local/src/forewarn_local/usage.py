"""Disk usage of broker and database, and how long the budgets last."""

import json
import shutil
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from forewarn.contracts.limits import GB
from forewarn_local.budgets import used_bytes
from forewarn_local.home import Home

SAMPLE_EVERY_S: Final = 30.0
_SAMPLES_KEPT: Final = 240
_START_UP_SAMPLES: Final = 6  # creating tables and states at start is not growth
_LEAST_SPAN_S: Final = 120.0
_COMPACTED: Final = ("__", "checkpoint-", "changelog-")
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes of broker and database at one time [s since the machine started]."""

    at_s: float
    kafka: int
    database: int


def take_sample(home: Home) -> Sample:
    """Measure what the budgets limit: no compacted states, nor the write-ahead log, which is reused."""
    storage, cluster = home.data / "kafka" / "storage", home.data / "postgres"
    partitions = [path for path in storage.glob("*-*") if not any(word in path.name for word in _COMPACTED)]
    tables = used_bytes(cluster) - used_bytes(cluster / "pg_wal")
    return Sample(time.monotonic(), sum(map(used_bytes, partitions)), tables)


class UsageLog:
    """Samples of this run, in a file of limited length."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, sample: Sample) -> None:
        """Append a sample, dropping the oldest."""
        samples = [*self.read(), sample][-_SAMPLES_KEPT:]
        self._path.write_text(json.dumps([[one.at_s, one.kafka, one.database] for one in samples]))

    def read(self) -> list[Sample]:
        """Return all samples, oldest first."""
        try:
            return [Sample(*values) for values in json.loads(self._path.read_text())]
        except (OSError, ValueError, TypeError):
            return []


def growth_per_day(samples: list[Sample], what: str) -> float | None:
    """Return bytes written per day, deletions not subtracted; None while unknown."""
    samples = samples[_START_UP_SAMPLES:]
    if len(samples) < 2 or (span_s := samples[-1].at_s - samples[0].at_s) < _LEAST_SPAN_S:
        return None
    sizes: list[int] = [getattr(sample, what) for sample in samples]
    grown = sum(max(0, later - earlier) for earlier, later in pairwise(sizes))
    return grown / span_s * _DAY_S


def describe(home: Home, budgets: dict[str, float], reserve_gb: float) -> list[str]:
    """Return lines with usage, budget [GB] and days left of each server, and the free space of the disk."""
    now, samples = take_sample(home), UsageLog(home.usage).read()
    lines = []
    for what, budget_gb in budgets.items():
        used_gb = getattr(now, what) / GB
        rate = growth_per_day(samples, what)
        if rate is None:
            lasts = "growth not known in the first minutes"
        elif rate == 0:
            lasts = "not growing"
        else:
            lasts = f"{rate / GB:.1f} GB a day: the budget lasts {budget_gb * GB / rate:.1f} days"
        lines.append(f"{what:<9} {used_gb:6.2f} of {budget_gb:.1f} GB   {lasts}")
    free_gb = shutil.disk_usage(home.path).free / GB
    state = "" if free_gb > 2 * reserve_gb else "   LOW: new readings are refused below the reserve"
    if free_gb < reserve_gb:
        state = "   FULL: new readings are refused; free some space or lower DISK_BUDGET_GB and restart"
    lines.append(f"{'disk':<9} {free_gb:6.1f} GB free, reserve {reserve_gb:g} GB{state}")
    return lines
