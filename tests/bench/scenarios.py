"""What the platform makes of every scenario: ``python tests/bench/scenarios.py`` prints the table of ``scenarios.md``.

Guard, twin, anomaly stage, health and alarms run as they do in the services, in one process and without a broker, on
readings of several seeds. Times count from the onset of the fault.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.alarms import Transition
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import Hint
from forewarn.contracts.health import AssetHealth, RulEstimate
from forewarn.domain.alarms.asset import AssetAlarms
from forewarn.domain.alarms.health import observe_health
from forewarn.domain.alarms.rows import observe_frame as observe_alarms
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step as score
from forewarn.domain.frames.frame import Frame
from forewarn.domain.guard.batch import GuardResult, GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.health.asset import HealthState, judge
from forewarn.domain.health.rows import observe_frame as observe_health_rows
from forewarn.domain.simulation.indicator import stated_nameplate
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.recording import SimulatedRecording, record
from forewarn.domain.simulation.scenarios import SCENARIOS, Scenario
from forewarn.domain.simulation.story import Plot, play
from forewarn.domain.simulation.weather import Climate
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step as twin
from support.raw_batches import columns_of, raw_batch

START_S: Final = 1_790_000_000.0
STEP_S: Final = 300.0
SENSOR_STEP_S: Final = 120.0  # a sensor that is stuck shows only to who looks often
LEAD_IN_DAYS: Final = 4.0  # healthy days before the scenario, in which the twin learns
_DAY_S: Final = 86_400.0
_ROWS: Final = 288  # of a frame: a day at 5-minute steps; health is judged after each
_ASSET: Final = "M"
_WATCHED_DAYS: Final = 3.0  # after the first alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The true remaining life of a machine at one moment, and what the platform says of it; None: nothing."""

    true_days: float
    said: RulEstimate | None


@dataclass(slots=True)
class Outcome:
    """What one run showed; times in days from the onset, None: never."""

    warned_d: float | None = None
    alarmed_d: float | None = None
    fails_d: float | None = None
    early: int = 0  #: alarms before the onset
    seen_by: Counter[str] = field(default_factory=Counter)
    lives: list[Life] = field(default_factory=list)

    @property
    def is_early_enough(self) -> bool:
        """Alarmed before half of the way from the onset to the failure."""
        if self.alarmed_d is None or self.fails_d is None:
            return False
        return self.alarmed_d < 0.5 * self.fails_d

    def warn(self, at_s: float, onset_s: float | None, by: str) -> None:
        """Note something that people see before an alarm."""
        if onset_s is not None and at_s >= onset_s:
            self.seen_by[by] += 1
            after_d = (at_s - onset_s) / _DAY_S
            self.warned_d = after_d if self.warned_d is None else min(self.warned_d, after_d)

    def is_complete(self, onset_s: float | None, now_s: float) -> bool:
        """Whether the first alarm is long enough ago for the table to be final."""
        if onset_s is None or self.alarmed_d is None:
            return False
        return now_s > onset_s + (self.alarmed_d + _WATCHED_DAYS) * _DAY_S

    def alarm(self, at_s: float, onset_s: float | None) -> None:
        """Note an alarm."""
        if onset_s is None or at_s < onset_s:
            self.early += 1
        else:
            after_d = (at_s - onset_s) / _DAY_S
            self.alarmed_d = after_d if self.alarmed_d is None else min(self.alarmed_d, after_d)


class Chain:
    """The stages of the platform for one machine."""

    def __init__(self, asset_class: AssetClass) -> None:
        self._settings = AnomalySettings()
        self._guard = GuardState.empty(asset_class)
        self._twin = TwinState.empty(asset_class)
        self._anomaly = AnomalyState.empty(asset_class, self._settings)
        self._health: dict[str, HealthState] = {}
        self._alarms: dict[str, AssetAlarms] = {}
        self._seen = Seen()
        self._class = asset_class
        self.health: AssetHealth | None = None  #: as judged after the last frame

    def run(self, batch: RawBatch) -> tuple[GuardResult, list[Frame], list[float]]:
        """Judge readings; returns the guard's result, scored frames and the times of alarms [s]."""
        guarded = check(batch, self._guard, GuardSettings(), {_ASSET: stated_nameplate(self._class, {})})
        self._guard = guarded.state
        self._twin, judged, _ = twin(self._twin, guarded.frame, TwinSettings())
        raised = self._alarmed(guarded.frame)
        scored = []
        for frame in judged:
            self._anomaly, result = score(self._anomaly, frame, self._settings)
            scored.append(result)
            raised += self._alarmed(result)
            self._health |= observe_health_rows(self._health, result).states
            raised += self._judged()
        return guarded, scored, raised

    def _alarmed(self, frame: Frame) -> list[float]:
        result = observe_alarms(self._alarms, self._seen, frame)
        self._alarms |= result.states
        return [alert.at.timestamp() for alert in result.alerts if alert.transition is Transition.RAISED]

    def _judged(self) -> list[float]:
        health = judge(self._health[_ASSET], self._class) if _ASSET in self._health else None
        self.health = health
        if health is None:
            return []
        before = self._alarms.get(_ASSET) or AssetAlarms(asset_id=_ASSET)
        self._alarms[_ASSET], alerts = observe_health(before, self._seen, self._class, health)
        return [alert.at.timestamp() for alert in alerts if alert.transition is Transition.RAISED]


def play_one(scenario: Scenario, name: str, seed: int, *, to_failure: bool = False) -> Outcome:
    """One scenario with one machine, after healthy days; ends soon after the first alarm, or with the failure."""
    asset_class = load_catalogue()[name]
    begin_s = START_S + LEAD_IN_DAYS * _DAY_S
    weather = Profile(climate=Climate(seed=seed))
    plot = Plot(asset_class=asset_class, start_s=begin_s, days=scenario.days, seed=seed, profile=weather)
    story = play(scenario, plot)
    step_s = STEP_S if scenario.effect is None else SENSOR_STEP_S
    rows = int((LEAD_IN_DAYS + scenario.days) * _DAY_S / step_s)
    recording = record(story, start_s=START_S, step_s=step_s, rows=rows)
    onset_s = story.onset_s
    outcome = Outcome()
    if onset_s is not None and story.fails_s is not None:
        outcome.fails_d = (story.fails_s - onset_s) / _DAY_S
    chain = Chain(asset_class)
    for batch in _batches(asset_class, recording):
        guarded, scored, alarms = chain.run(batch)
        _note_guard(outcome, batch, guarded, onset_s)
        _note_scores(outcome, scored, onset_s)
        for at_s in alarms:
            outcome.alarm(at_s, onset_s)
        now_s = float(batch.ts[-1]) / 1e6
        if to_failure and story.fails_s is not None:
            if now_s >= story.fails_s:
                break
            if onset_s is not None and now_s >= onset_s:
                outcome.lives.append(_life(chain.health, story.mode, (story.fails_s - now_s) / _DAY_S))
        elif outcome.is_complete(onset_s, now_s):
            break
    return outcome


def _life(health: AssetHealth | None, mode: str | None, true_days: float) -> Life:
    estimates = () if health is None else health.rul
    return Life(true_days=true_days, said=next((item for item in estimates if item.failure_mode == mode), None))


def _batches(asset_class: AssetClass, recording: SimulatedRecording) -> Iterator[RawBatch]:
    values = columns_of(asset_class, recording.columns)
    newest = np.maximum.accumulate(recording.stamped_us - _skew_us(recording))
    for start in range(0, recording.rows, _ROWS):
        part = slice(start, start + _ROWS)
        ts = recording.stamped_us[part]
        yield raw_batch(asset_class, ts, values[part], _ASSET, received_at_us=newest[part])


def _skew_us(recording: SimulatedRecording) -> int:
    return round(recording.story.delivery.clock_skew_s * 1e6)


def _note_guard(outcome: Outcome, batch: RawBatch, guarded: GuardResult, onset_s: float | None) -> None:
    frame = guarded.frame
    for ts_us, text in zip(frame.arrays["ts"].tolist(), frame.strings["findings"].to_list(), strict=True):
        if text:
            outcome.warn(ts_us / 1e6, onset_s, "guard")
    for rejection in guarded.rejections:
        outcome.warn(float(batch.ts[rejection.row]) / 1e6, onset_s, "rejected")
    for what in ("late", "duplicate"):
        outcome.seen_by[what] += getattr(guarded.counters, what)


def _note_scores(outcome: Outcome, scored: Sequence[Frame], onset_s: float | None) -> None:
    names = {Hint.SENSOR_FAULT: "sensor", Hint.ASSET_FAULT: "machine", Hint.NONE: "anomaly"}
    for frame in scored:
        flagged = frame.arrays["flag"]
        times, hints = frame.arrays["ts"][flagged], frame.arrays["hint"][flagged]
        for ts_us, hint in zip(times.tolist(), hints.tolist(), strict=True):
            outcome.warn(ts_us / 1e6, onset_s, names[hint])


def table(seeds: Sequence[int], only: str | None) -> Iterator[str]:
    """Rows of the table in Markdown, as they come."""
    yield "| scenario | class | days | first warning | first alarm | failure | lead time | seen as | early alarms |"
    yield "|---|---|---:|---:|---:|---:|---:|---|---:|"
    for scenario in SCENARIOS.values():
        if only is not None and only not in scenario.name:
            continue
        for name in scenario.classes if scenario.wears or scenario.name == "healthy" else scenario.classes[:2]:
            yield _row(scenario, name, [play_one(scenario, name, seed) for seed in seeds])


def _row(scenario: Scenario, name: str, runs: Sequence[Outcome]) -> str:
    leads = [run.fails_d - run.alarmed_d for run in runs if run.fails_d is not None and run.alarmed_d is not None]
    seen = sum((run.seen_by for run in runs), Counter[str]())
    total = sum(seen.values())
    most = ", ".join(f"{by} {100 * count / total:.0f} %" for by, count in seen.most_common(3) if count)
    cells = (
        scenario.name,
        name,
        f"{scenario.days:g}",
        _span([run.warned_d for run in runs]),
        _span([run.alarmed_d for run in runs]),
        _span([run.fails_d for run in runs]),
        _span(leads),
        most or "–",
        str(sum(run.early for run in runs)),
    )
    return f"| {' | '.join(cells)} |"


def _span(days: Sequence[float | None]) -> str:
    """Smallest to largest; how many had none, if some."""
    known = sorted(day for day in days if day is not None)
    if not known:
        return "–"
    ends = dict.fromkeys((f"{known[0]:.1f}", f"{known[-1]:.1f}"))
    text = "–".join(ends)  # a range
    return text if len(known) == len(days) else f"{text} ({len(known)} of {len(days)})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default 3)")
    parser.add_argument("--only", help="scenarios whose names contain this")
    options = parser.parse_args()
    begin_s = time.process_time()
    for line in table(range(1, options.seeds + 1), options.only):
        print(line, flush=True)  # noqa: T201  # the table is what the program is for
    print(f"\n{options.seeds} seeds, {time.process_time() - begin_s:.0f} s CPU")  # noqa: T201  # the table is what the program is for


if __name__ == "__main__":
    main()
