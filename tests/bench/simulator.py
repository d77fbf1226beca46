"""Figures on the simulator: ``python tests/bench/simulator.py`` plays every fault to its failure and healthy machines.

Printed are how many faults have raised an alarm by half of their way from the onset to the failure, how many false
alarms there are, and how good the remaining life is that the platform states in the last third of the way. The stages
are those of ``scenarios.py``, fed as a stream; what is stated is taken once a day. Seeds
from 100 on are for tuning.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.scenarios import LEAD_IN_DAYS, Life, Outcome, play_one
from forewarn.domain.simulation.scenarios import SCENARIOS, Scenario

WITHIN: Final = 0.2  # of the true life
LAST: Final = 1.0 / 3.0  # of the way from the onset to the failure
_MONTH_DAYS: Final = 30.0
_HEADS: Final = ("alarm in time", "early alarms", "RUL stated", "median error", "within 20 %", "P10–P90 holds", "width")


@dataclass(slots=True)
class Tally:
    """Outcomes of runs to failure."""

    runs: list[Outcome] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """What the table says of them, in the order of ``_HEADS``."""
        in_time = sum(run.is_early_enough for run in self.runs)
        lives = [life for run in self.runs for life in _last(run)]
        stated = [life for life in lives if life.said is not None]
        return (
            f"{in_time} of {len(self.runs)}",
            str(sum(run.early for run in self.runs)),
            _share([life.said is not None for life in lives]),
            _median([_error(life) for life in stated]),
            _share([life.said is not None and _error(life) <= WITHIN for life in lives]),
            _share([_holds(life) for life in stated]),
            _median([_width(life) for life in stated]),
        )


def _last(run: Outcome) -> list[Life]:
    """What was said in the last part of the way."""
    return [] if run.fails_d is None else [life for life in run.lives if life.true_days <= LAST * run.fails_d]


def _error(life: Life) -> float:
    """Distance of P50 from the truth, relative to the truth."""
    return np.nan if life.said is None else abs(life.said.p50_days - life.true_days) / life.true_days


def _holds(life: Life) -> bool:
    return life.said is not None and life.said.p10_days <= life.true_days <= life.said.p90_days


def _width(life: Life) -> float:
    """P90 − P10, relative to the truth."""
    return np.nan if life.said is None else (life.said.p90_days - life.said.p10_days) / life.true_days


def _share(hits: Sequence[bool]) -> str:
    return f"{100.0 * np.mean(hits):.0f} %" if hits else "–"


def _median(ratios: Sequence[float]) -> str:
    return f"{100.0 * np.median(ratios):.0f} %" if ratios else "–"


def failures(seeds: Sequence[int], only: str | None) -> Iterator[str]:
    """Rows of the table of growing faults in Markdown, as they come; the last one is of all runs."""
    yield f"| scenario | class | {' | '.join(_HEADS)} |"
    yield f"|---|---|{'---:|' * len(_HEADS)}"
    total = Tally()
    for scenario, name in _cases(only):
        runs = [play_one(scenario, name, seed, to_failure=True) for seed in seeds]
        failing = [run for run in runs if run.fails_d is not None]
        if failing:
            total.runs += failing
            yield f"| {scenario.name} | {name} | {' | '.join(Tally(failing).cells())} |"
    yield f"| all | | {' | '.join(total.cells())} |"


def _cases(only: str | None) -> Iterator[tuple[Scenario, str]]:
    for scenario in SCENARIOS.values():
        if scenario.wears and (only is None or only in scenario.name):
            for name in scenario.classes:
                yield scenario, name


def false_alarms(seeds: Sequence[int]) -> Iterator[str]:
    """Rows of the table of healthy machines, in Markdown."""
    yield "| healthy class | alarms | asset-months | alarms per asset-month |"
    yield "|---|---:|---:|---:|"
    healthy = SCENARIOS["healthy"]
    months = len(seeds) * (LEAD_IN_DAYS + healthy.days) / _MONTH_DAYS
    alarms = {name: sum(play_one(healthy, name, seed).early for seed in seeds) for name in healthy.classes}
    for name, count in alarms.items():
        yield f"| {name} | {count} | {months:.1f} | {count / months:.2f} |"
    count, months = sum(alarms.values()), months * len(alarms)
    yield f"| all | {count} | {months:.1f} | {count / months:.2f} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds (default 10)")
    parser.add_argument("--first", type=int, default=1, help="first seed (default 1)")
    parser.add_argument("--scenario", help="faults whose names contain this, and no healthy machines")
    options = parser.parse_args()
    seeds, begin_s = range(options.first, options.first + options.seeds), time.process_time()
    for line in failures(seeds, options.scenario):
        print(line, flush=True)  # noqa: T201  # the table is what the program is for
    if options.scenario is None:
        print()  # noqa: T201  # the table is what the program is for
        for line in false_alarms(seeds):
            print(line, flush=True)  # noqa: T201  # the table is what the program is for
    print(f"\n{options.seeds} seeds from {options.first} on, {time.process_time() - begin_s:.0f} s CPU")  # noqa: T201  # the table is what the program is for


if __name__ == "__main__":
    main()
