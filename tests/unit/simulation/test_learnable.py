"""What the twin and the derived quantities make of simulated machines, healthy and faulty."""

import time
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from forewarn.contracts.frames import Phase
from forewarn.domain.frames.frame import Frame
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from unit.simulation.cases import CATALOGUE, DAY, findings, guarded, simulate

SEEDS = (1, 2, 3)
LIVE = 240
SETTLED = 120  # readings after which thermal lags are over
CALM = DAY.without_fronts()  # over days of 20 minutes they would outrun the thermal lags; true days: scenarios.md
MODES = [
    (name, mode) for name, kind in KINDS.items() for mode in CATALOGUE[name].failure_modes if mode.id in kind.faults
]
# a cavitating pump is not a worn one: its mode has no end of life, see test_machines
LASTING = [(name, mode) for name, mode in MODES if mode.id != "cavitation"]


@cache
def twinned(name: str, fault: str | None, seed: int) -> Frame:
    """Live readings with a half-grown fault, after a healthy baseline."""
    faults = {} if fault is None else {fault: 0.5}
    baseline = CATALOGUE[name].twin.baseline_readings
    columns = simulate(name, faults, steps=baseline + LIVE, seed=seed, onset=baseline, day=CALM)
    judged = guarded(CATALOGUE[name], columns, 10.0)
    assert (findings(judged), judged.rejections) == (set(), ())
    valid = judged.frame
    _, frames, _ = step(TwinState.empty(CATALOGUE[name]), valid, TwinSettings())
    live = [frame.take(frame.arrays["phase"] == Phase.LIVE) for frame in frames]
    (found,) = [frame for frame in live if frame.rows]
    assert found.rows == LIVE
    return found


def median(name: str, fault: str, indicator: str, severity: float, seed: int) -> float:
    """Of the indicator, once thermal lags are over; equal seeds meet equal loads and weather at every severity."""
    columns = simulate(name, {fault: severity}, steps=LIVE, seed=seed, day=CALM)
    return float(np.median(guarded(CATALOGUE[name], columns, 10.0).frame.arrays[indicator][SETTLED:]))


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("seed", SEEDS)
def test_the_guard_passes_and_the_twin_explains_healthy_readings_it_has_not_learned(name, seed):
    live = twinned(name, None, seed)
    for response in CATALOGUE[name].twin.responses:
        residual = live.arrays[f"residual_{response}"]
        assert abs(float(np.median(residual))) < 0.5, response
        assert float(np.std(residual)) < 1.5, response


@pytest.mark.parametrize(("name", "mode"), LASTING, ids=[f"{name}-{mode.id}" for name, mode in LASTING])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_growing_fault_moves_its_indicator_steadily_to_the_limit(name, mode, seed):
    course = [median(name, mode.id, mode.indicator, severity, seed) for severity in (0.0, 0.25, 0.5, 0.75, 1.0)]
    rising = mode.threshold > course[0]
    assert all((after > before) == rising for before, after in pairwise(course)), course
    assert (course[-1] > mode.threshold) == rising, course
    assert (course[2] < mode.threshold) == rising, course  # half way there is still time


@pytest.mark.parametrize(("name", "mode"), MODES, ids=[f"{name}-{mode.id}" for name, mode in MODES])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_half_grown_fault_is_seen_by_the_twin_or_by_its_indicator(name, mode, seed):
    healthy, faulty = twinned(name, None, seed), twinned(name, mode.id, seed)
    indicator = healthy.arrays[mode.indicator], faulty.arrays[mode.indicator][SETTLED:]
    outside = not indicator[0].min() <= float(np.median(indicator[1])) <= indicator[0].max()
    deviation = faulty.arrays["deviation"][SETTLED:]
    deviates = float(np.median(deviation)) > float(np.quantile(healthy.arrays["deviation"], 0.99))
    assert outside or deviates


@pytest.mark.parametrize("name", sorted(KINDS))
def test_seeds_make_the_readings(name):
    one, again, other = (simulate(name, {}, steps=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_equal(one, again)
    assert all((one[tag] != other[tag]).any() for tag in one)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_tenth_of_a_day_is_simulated_in_a_fraction_of_a_second(name):
    def cpu_s() -> float:
        start = time.process_time()
        simulate(name, {}, steps=864)
        return time.process_time() - start

    assert min(cpu_s() for _ in range(3)) < 0.2
