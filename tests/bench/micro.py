"""Single parts by themselves: CPU per reading in frames of 1,000 readings of 10 tags, one process."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from bench.figures import Micro
from bench.installation import BenchError
from bench.offline import CLASS, Fleet, baseline_rows
from bench.options import Options
from bench.progress import say
from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import decode_frame, encode_frame
from forewarn.adapters.raw_readings import RawReadingDecoder
from forewarn.adapters.timescale.copy_binary import encode_frame_rows
from forewarn.adapters.timescale.tables import wide_table
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.domain.anomaly import snapshot as anomaly_snapshot
from forewarn.domain.anomaly import step as anomaly
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.frames.frame import Frame, concat
from forewarn.domain.guard import state as guard_state
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.simulation.recording import record
from forewarn.domain.simulation.scenarios import SCENARIOS
from forewarn.domain.simulation.story import Plot, play
from forewarn.domain.twin import snapshot as twin_snapshot
from forewarn.domain.twin import step as twin
from forewarn.domain.twin.fit import fit
from forewarn.domain.twin.layout import layout_of
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.ports.lanes import Record

T = TypeVar("T")

ROWS = 1_000
_SMALL_ROWS = 125  # what a partition holds after 25 ms at 60,000 readings/s
_ASSETS = 42  # 500 machines on 12 partitions
_GUARD_GOAL_US, _JUDGE_GOAL_US = 3.0, 8.0
_SCENARIO_GOAL_S = 1.0


class Stages:
    """The work of validator, twin and anomaly stage on one partition, part by part."""

    def __init__(self, fleet: Fleet) -> None:
        self._catalogue: Mapping[str, AssetClass] = load_catalogue()
        self.asset_class = self._catalogue[CLASS]
        self._decoder = RawReadingDecoder(self._catalogue, fleet.assets.get)
        self.guard = GuardState.empty(self.asset_class)
        self.twin = TwinState.empty(self.asset_class)
        self._twin_settings, self._anomaly_settings = TwinSettings(), AnomalySettings()
        self.anomaly = AnomalyState.empty(self.asset_class, self._anomaly_settings)
        self.costs_us: dict[str, list[float]] = defaultdict(list)

    def run(self, records: list[Record]) -> Frame:
        """Take raw readings through everything, and note what each part costs per reading."""
        rows = len(records)
        batches, refusals = self._timed("decode", rows, lambda: self._decoder.decode(records))
        assert not refusals, refusals[0]
        guarded = self._timed("guard", rows, lambda: check(batches[0].batch, self.guard, GuardSettings(), {}))
        self.guard = guarded.state
        valid = self._over_the_wire(guarded.frame)
        self._stored(valid)
        self.twin, judged, _ = self._timed("twin", rows, lambda: twin.step(self.twin, valid, self._twin_settings))
        if not judged:
            return valid
        state = self._over_the_wire(concat(judged))
        self.anomaly, scored = self._timed(
            "anomaly", rows, lambda: anomaly.step(self.anomaly, state, self._anomaly_settings)
        )
        if scored.rows:
            self._stored(self._over_the_wire(scored))
        return scored

    def state_bytes(self) -> int:
        """Snapshots of the three stages."""
        parts = (
            guard_state.dump([self.guard]),
            twin_snapshot.dump([self.twin]),
            anomaly_snapshot.dump([self.anomaly]),
        )
        return sum(map(len, parts))

    def _over_the_wire(self, frame: Frame) -> Frame:
        data = self._timed(f"encode {frame.kind}", frame.rows, lambda: encode_frame(frame))
        return self._timed(f"decode {frame.kind}", frame.rows, lambda: decode_frame(data, self._catalogue, frame.kind))

    def _stored(self, frame: Frame) -> None:
        table = wide_table(frame.kind, self.asset_class)
        keys = np.arange(len(frame.assets.categories), dtype=np.int32)
        self._timed(f"pack rows {frame.kind}", frame.rows, lambda: list(encode_frame_rows(frame, table.columns, keys)))

    def _timed(self, part: str, rows: int, work: Callable[[], T]) -> T:
        began_s = time.process_time()
        result = work()
        self.costs_us[part].append((time.process_time() - began_s) / max(1, rows) * 1e6)
        return result


def measure_micro(options: Options) -> list[Micro]:
    """Measure every part."""
    say(f"micro: {options.micro_repeats} frames of {ROWS} readings")
    fleet = Fleet(_ASSETS)
    stages = Stages(fleet)
    stages.run(fleet.baseline())
    small = sum(_costs(stages, fleet, _SMALL_ROWS, options.micro_repeats).values())
    cost = _costs(stages, fleet, ROWS, options.micro_repeats)
    goals = {"guard": _GUARD_GOAL_US}
    found = [Micro(name=name, value=us, unit="us/reading", goal=goals.get(name)) for name, us in cost.items()]
    both = Micro(name="twin + anomaly", value=cost["twin"] + cost["anomaly"], unit="us/reading", goal=_JUDGE_GOAL_US)
    sums = [
        Micro(name=f"all of these, frames of {rows:,}", value=us, unit="us/reading")
        for rows, us in ((ROWS, sum(cost.values())), (_SMALL_ROWS, small))
    ]
    state = Micro(name="state of an asset, all stages", value=stages.state_bytes() / _ASSETS, unit="bytes")
    return [*found, both, *sums, state, *_fits(stages.asset_class, options), *_scenarios()]


def _costs(stages: Stages, fleet: Fleet, rows: int, repeats: int) -> dict[str, float]:
    """Median cost of each part per reading [us] in frames of so many rows."""
    for _ in range(3):
        stages.run(fleet.live(rows))
    stages.costs_us.clear()
    for _ in range(repeats):
        scored = stages.run(fleet.live(rows))
        if scored.kind is not FrameKind.ANOMALY or scored.rows != rows:
            raise BenchError(f"{scored.rows} rows of kind {scored.kind} came out of {rows}: the twins have not learned")
    return {part: float(np.median(values)) for part, values in stages.costs_us.items()}


def _fits(asset_class: AssetClass, options: Options) -> list[Micro]:
    """Fit one machine's model to 10,000 readings of 10 columns, and to a usual baseline."""
    layout = layout_of(asset_class)
    rng = np.random.default_rng(3)
    drivers = rng.uniform(0.5, 1.5, (10_000, len(layout.drivers)))
    weights = rng.normal(size=(len(layout.drivers), len(layout.responses)))
    responses = 50 + drivers @ weights * 10 + rng.normal(scale=0.3, size=(10_000, len(layout.responses)))
    values = np.column_stack([drivers, responses])
    found = []
    for rows in (10_000, baseline_rows()):
        costs = []
        for _ in range(max(3, options.micro_repeats // 10)):
            began_s = time.process_time()
            fit(values[:rows], layout, TwinSettings())
            costs.append((time.process_time() - began_s) * 1e3)
        found.append(Micro(name=f"twin fit, {rows} x {values.shape[1]}", value=float(np.median(costs)), unit="ms"))
    return found


def _scenarios() -> list[Micro]:
    """Generate 30 days of one machine at 5-minute steps, of the commonest class and of the costliest."""
    catalogue, found = load_catalogue(), []
    for name, scenario in (("centrifugal_pump", "bearing_wear"), ("cooling_tower", "fill_fouling")):
        plot = Plot(asset_class=catalogue[name], start_s=0.0, days=30)
        costs = []
        for _ in range(3):
            began_s = time.process_time()
            rows = record(play(SCENARIOS[scenario], plot), start_s=0.0, step_s=300.0, rows=8_640).rows
            costs.append(time.process_time() - began_s)
        label = f"scenario {scenario} of a {name}, {rows:,} readings"
        found.append(Micro(name=label, value=float(np.median(costs)), unit="s", goal=_SCENARIO_GOAL_S))
    return found
