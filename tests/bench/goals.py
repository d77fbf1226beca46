"""Goals of the platform beside what was measured. Nothing here decides over success: it is printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Idle, Micro, Step
from bench.options import GOAL_RATE, LEAST_RATE
from bench.table import number

GOAL_SECONDS = 60.0
_SCORED_MS = 150.0
_QUERYABLE_MS = 1_000.0
_IDLE_CORES = 1.0
_IDLE_MIB = 3 * 1024
#: A step was sustained if this share of the offered rate became queryable, its drain included.
_SUSTAINED = 0.95


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A goal and whether it was reached; None if it was not measured."""

    text: str
    measured: str
    reached: bool | None

    @property
    def verdict(self) -> str:
        """One word."""
        return {None: "not measured", True: "ok", False: "MISSED"}[self.reached]


def sustained(step: Step) -> bool:
    """Whether the pipeline kept up with the offered rate, and lost nothing."""
    return step.intact and step.readings_per_s >= _SUSTAINED * step.offered_per_s


def pipeline_goals(steps: Sequence[Step]) -> list[Goal]:
    """Throughput and latencies."""
    # A step that was offered too much shows what it carried all the same.
    best = max((s.offered_per_s if sustained(s) else s.readings_per_s for s in steps if s.intact), default=0)
    goal = next((step for step in steps if step.offered_per_s == GOAL_RATE), None)
    least = Goal(
        text=f"least acceptable: {number(LEAST_RATE)} readings/s sustained",
        measured=f"{number(best)} readings/s",
        reached=None if not any(s.offered_per_s >= LEAST_RATE for s in steps) else best >= LEAST_RATE,
    )
    if goal is None:
        text = f"{number(GOAL_RATE)} readings/s: throughput and latencies"
        return [Goal(text=text, measured="no such step", reached=None), least]
    long_enough = goal.seconds >= 0.99 * GOAL_SECONDS
    scored, queryable = goal.raw_to_scored.p99_ms, goal.result_queryable.p99_ms
    return [
        Goal(
            text=f"{number(GOAL_RATE)} readings/s for {GOAL_SECONDS:g} s, nothing lost",
            measured=f"{number(goal.readings_per_s)}/s for {goal.seconds:.0f} s, lost {goal.lost}",
            reached=sustained(goal) if long_enough or not sustained(goal) else None,
        ),
        _latency(f"p99 raw -> scored < {_SCORED_MS:g} ms at {number(GOAL_RATE)}/s", scored, _SCORED_MS),
        _latency(f"p99 raw -> queryable < {_QUERYABLE_MS:g} ms at {number(GOAL_RATE)}/s", queryable, _QUERYABLE_MS),
        least,
    ]


def idle_goals(idle: Idle | None) -> list[Goal]:
    """Cost of a platform that has nothing to do."""
    cores = None if idle is None else sum(idle.core_share.values())
    mib = None if idle is None else sum(f.resident_mib for f in idle.memory.values())
    return [
        Goal(
            text=f"idle below {_IDLE_CORES:g} core",
            measured="–" if cores is None else f"{cores:.2f} cores",
            reached=None if cores is None else cores < _IDLE_CORES,
        ),
        Goal(
            text=f"idle below {_IDLE_MIB // 1024} GiB",
            measured="–" if mib is None else f"{mib / 1024:.2f} GiB",
            reached=None if mib is None else mib < _IDLE_MIB,
        ),
    ]


def micro_goals(micro: Sequence[Micro]) -> list[Goal]:
    """Cost of single parts."""
    return [
        Goal(
            text=f"{part.name} at most {part.goal:g} {part.unit}",
            measured=f"{part.value:.2f} {part.unit}",
            reached=part.value <= part.goal,
        )
        for part in micro
        if part.goal is not None
    ]


def _latency(text: str, measured_ms: float | None, limit_ms: float) -> Goal:
    shown = "–" if measured_ms is None else f"{measured_ms:.0f} ms"
    return Goal(text=text, measured=shown, reached=None if measured_ms is None else measured_ms < limit_ms)
