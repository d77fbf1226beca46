"""The tables at the end of a run."""

from collections.abc import Callable, Mapping, Sequence

from bench.figures import Idle, Latency, Micro, Rate, Results, Step
from bench.goals import idle_goals, micro_goals, pipeline_goals, sustained
from bench.table import number, section, table

_STAGES = (
    "load generator", "validator", "twin", "anomaly", "sink", "health", "alerting", "broker", "database", "measuring",
)  # fmt: skip
_HOT_STAGES = ("validator", "twin", "anomaly")
_EVENT_PLANE = ("health", "alerting")


def render(results: Results) -> str:
    """Everything that was measured, as text."""
    lines = section("Forewarn benchmark", [f"{name}: {value}" for name, value in results.hardware.items()])
    if results.steps:
        lines += _pipeline(results.steps)
    lines += _beside(results)
    if results.idle is not None:
        lines += _idle(results.idle)
    if results.micro:
        lines += _micro(results.micro)
    if results.imports:
        lines += _imports(results.imports)
    goals = [*pipeline_goals(results.steps), *idle_goals(results.idle)]
    goals += micro_goals([*results.micro, *results.imports])
    rows = [(goal.text, goal.measured, goal.verdict) for goal in goals]
    lines += section("Goals", table(("goal", "measured", ""), rows))
    if results.problems:
        lines += section("Could not be measured", results.problems)
    return "\n".join(lines)


def _pipeline(steps: Sequence[Step]) -> list[str]:
    head = ("readings/s offered", *(number(step.offered_per_s) for step in steps))
    counts = table(head, _rows(steps, _COUNTS))
    latencies = table(
        ("p50 / p95 / p99 / max ms", *head[1:]),
        [
            (name, *(_latency(getattr(step, field)) for step in steps))
            for name, field in (
                ("raw -> scored", "raw_to_scored"),
                ("event -> scored", "event_to_scored"),
                ("raw -> reading queryable", "reading_queryable"),
                ("raw -> result queryable", "result_queryable"),
                ("raw -> alert", "alert"),
            )
        ],
    )
    costs = table(
        ("CPU us/reading (% of a core)", *head[1:]),
        [(stage, *(_cost(step, stage) for step in steps)) for stage in _STAGES] + [_total(steps)],
    )
    memory = table(
        ("memory MiB after (peak)", *head[1:]),
        [(stage, *(_memory(step, stage) for step in steps)) for stage in _STAGES],
    )
    return [
        *section("Pipeline: raw JSON -> validator -> twin -> anomaly -> rows queryable, 10 tags", counts),
        "",
        *latencies,
        "",
        *costs,
        "",
        *memory,
    ]


_Row = tuple[str, Callable[[Step], str]]
_COUNTS: tuple[_Row, ...] = (
    ("seconds", lambda s: number(s.seconds, 1)),
    ("delivered", lambda s: number(s.delivered)),
    ("readings rows", lambda s: number(s.readings_rows)),
    ("results rows", lambda s: number(s.results_rows)),
    ("lost", lambda s: number(s.lost + s.failed)),
    ("duplicated", lambda s: number(s.duplicated)),
    ("refused with a reason", lambda s: number(s.rejected)),
    ("with warnings", lambda s: number(s.warned)),
    ("readings/s queryable", lambda s: number(s.readings_per_s)),
    ("rows/s queryable", lambda s: number(s.rows_per_s)),
    ("sustained", lambda s: "yes" if sustained(s) else "NO"),
    ("drained after s", lambda s: number(s.drain_s, 1)),
    ("not scored at the end of the load", lambda s: number(s.waiting.get("readings"))),
    ("lag then, frames: health, alerting", lambda s: _lags(s.waiting, _EVENT_PLANE)),
    ("lag drained: validator, twin, anomaly", lambda s: _lags(s.lag_after, _HOT_STAGES)),
    ("lag drained, frames: health, alerting", lambda s: _lags(s.lag_after, _EVENT_PLANE)),
    ("alerts missing", lambda s: number(s.alerts_missing)),
    ("load average before", lambda s: number(s.load_average, 1)),
)


def _lags(lags: Mapping[str, int], stages: Sequence[str]) -> str:
    return ", ".join(number(lags.get(stage)) for stage in stages)


def _rows(steps: Sequence[Step], rows: Sequence[_Row]) -> list[tuple[str, ...]]:
    return [(name, *(show(step) for step in steps)) for name, show in rows]


def _latency(latency: Latency) -> str:
    if latency.count == 0:
        return "–"
    figures = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    return " / ".join(number(figure) for figure in figures)


def _cost(step: Step, stage: str) -> str:
    cost = step.cost.get(stage)
    return "–" if cost is None else f"{cost.us_per_reading:.1f} ({100 * cost.core_share:.0f})"


def _total(steps: Sequence[Step]) -> tuple[str, ...]:
    cells = []
    for step in steps:
        own = [cost for name, cost in step.cost.items() if name not in ("load generator", "measuring")]
        us, share = sum(c.us_per_reading for c in own), sum(c.core_share for c in own)
        cells.append(f"{us:.1f} ({100 * share:.0f})")
    return ("platform in all", *cells)


def _memory(step: Step, stage: str) -> str:
    found = step.memory.get(stage)
    return "–" if found is None else f"{found.resident_mib:.0f} ({found.peak_mib:.0f})"


def _beside(results: Results) -> list[str]:
    rates = [*results.limits, *results.faust]
    if not rates:
        return []
    best = results.best
    own = () if best is None else (_pipeline_rate(best),)
    rows = [
        (rate.name, number(rate.readings_per_s), number(rate.us_per_reading, 1), _ratio(best, rate), rate.remark)
        for rate in (*own, *rates)
    ]
    head = ("", "readings/s", "CPU us/reading", "pipeline is", "")
    return section("Beside it, in the same run", table(head, rows))


def _pipeline_rate(step: Step) -> Rate:
    stages = sum(cost.us_per_reading for name, cost in step.cost.items() if name in _HOT_STAGES)
    remark = f"offered {number(step.offered_per_s)}/s; CPU of {' + '.join(_HOT_STAGES)}"
    return Rate(name="the pipeline", readings_per_s=step.readings_per_s, us_per_reading=stages, remark=remark)


def _ratio(best: Step | None, rate: Rate) -> str:
    if best is None or rate.readings_per_s <= 0:
        return "–"
    ratio = best.readings_per_s / rate.readings_per_s
    return f"x {ratio:,.2f}" if ratio < 10 else f"x {ratio:,.0f}"


def _idle(idle: Idle) -> list[str]:
    rows = [
        (name, number(100 * share, 1), number(idle.memory[name].resident_mib), number(idle.memory[name].peak_mib))
        for name, share in idle.core_share.items()
    ]
    resident = sum(f.resident_mib for f in idle.memory.values())
    rows.append(("in all", number(100 * sum(idle.core_share.values()), 1), number(resident), ""))
    return section("Idle: the whole platform with its demo plant", table(("", "% of a core", "MiB", "peak MiB"), rows))


def _micro(micro: Sequence[Micro]) -> list[str]:
    rows = [(part.name, number(part.value, 2), part.unit) for part in micro]
    return section("Parts by themselves, one process, CPU time", table(("", "", ""), rows)[1:])


def _imports(imports: Sequence[Micro]) -> list[str]:
    rows = [(part.name, number(part.value, 1), part.unit) for part in imports]
    return section("History from a file: wall-clock time from the start of the command", table(("", "", ""), rows)[1:])
