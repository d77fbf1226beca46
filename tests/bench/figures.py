"""Values the benchmark reports, as plain data: everything here goes to the table and to the JSON file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Distribution of a latency [ms]; None where nothing was measured."""

    count: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None

    @classmethod
    def of(cls, values_ms: ArrayLike) -> "Latency":
        """Summarise measurements [ms]."""
        values = np.asarray(values_ms, dtype=np.float64)
        if values.size == 0:
            return cls(count=0)
        p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
        return cls(count=int(values.size), p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=float(values.max()))


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Memory of a process, or of all processes of a server [MiB]."""

    resident_mib: float
    peak_mib: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """CPU that a stage used during a step."""

    us_per_reading: float
    core_share: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of offered rate.

    ``ran_s`` is the time from the first reading offered until all rows were queryable. ``waiting`` is what
    had not been scored (``readings``), or not been handled by a group (messages), when the load ended.
    """

    offered_per_s: int
    seconds: float
    sent: int
    delivered: int
    failed: int
    readings_rows: int
    results_rows: int
    warned: int
    rejected: int
    lost: int
    duplicated: int
    ran_s: float
    drain_s: float
    raw_to_scored: Latency
    event_to_scored: Latency
    reading_queryable: Latency
    result_queryable: Latency
    alert: Latency
    alerts_missing: int
    cost: Mapping[str, Cost]
    memory: Mapping[str, Footprint]
    waiting: Mapping[str, int]
    lag_after: Mapping[str, int]
    load_average: float

    @property
    def readings_per_s(self) -> float:
        """Readings that became queryable, with their results, per second."""
        return min(self.readings_rows, self.results_rows) / self.ran_s

    @property
    def rows_per_s(self) -> float:
        """Rows written and queryable per second, in both tables."""
        return (self.readings_rows + self.results_rows) / self.ran_s

    @property
    def intact(self) -> bool:
        """Nothing lost, nothing twice."""
        return self.lost == 0 and self.duplicated == 0 and self.failed == 0


@dataclass(frozen=True, kw_only=True)
class Idle:
    """The platform with its demo plant and nothing else to do."""

    core_share: Mapping[str, float]
    memory: Mapping[str, Footprint]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Something measured as a rate, and what it cost."""

    name: str
    readings_per_s: float
    us_per_reading: float | None
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Micro:
    """One figure; of a part by itself, CPU time of a single process."""

    name: str
    value: float
    unit: str
    goal: float | None = None


@dataclass(kw_only=True)
class Results:
    """Everything one run has measured."""

    hardware: Mapping[str, str]
    options: Mapping[str, object]
    steps: list[Step] = field(default_factory=list)
    idle: Idle | None = None
    limits: list[Rate] = field(default_factory=list)
    faust: list[Rate] = field(default_factory=list)
    micro: list[Micro] = field(default_factory=list)
    imports: list[Micro] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def best(self) -> Step | None:
        """The intact step with the most readings queryable per second."""
        return max((step for step in self.steps if step.intact), key=lambda s: s.readings_per_s, default=None)

    @property
    def failed(self) -> bool:
        """Something could not be measured, or readings were lost or doubled."""
        return bool(self.problems) or not all(step.intact for step in self.steps)
