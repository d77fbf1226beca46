import math
from itertools import pairwise

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.plant_document import PastReadings, PlannedFault, SimulatedSource
from forewarn.contracts.readings import Reading
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import FaultCourse
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.reading import encode_reading

CATALOGUE = load_catalogue()
T0 = 1_790_000_000.4
US = 1_000_000


def machine(interval_s: float = 1.0, **source) -> SimulatedMachine:
    return SimulatedMachine(
        "P-1",
        "centrifugal_pump",
        SimulatedSource(**source),
        interval_s=interval_s,
        registered_s=T0,
        start_s=T0,
    )


def test_readings_stand_at_whole_multiples_of_the_interval():
    pump = machine(interval_s=2.0)
    assert pump.next_due_s == 1_790_000_002.0
    assert list(pump.due(T0 + 1)) == []
    (reading,) = pump.due(1_790_000_002.1)
    assert reading.ts_us == 1_790_000_002 * US
    assert list(pump.due(1_790_000_002.2)) == []


def test_ticks_that_passed_while_the_process_was_blocked_are_left_out():
    pump = machine()
    assert [r.ts_us for r in pump.due(T0 + 100)] == [1_790_000_100 * US]
    assert pump.next_due_s == 1_790_000_101.0


def test_history_ends_before_the_first_live_reading():
    pump = machine(history=PastReadings(length_s=100, every_s=10))
    times = [reading.ts_us for reading in pump.history(T0)]
    assert len(times) == 10
    assert [b - a for a, b in pairwise(times)] == [10 * US] * 9
    (live,) = pump.due(T0 + 1)
    assert 0 < live.ts_us - times[-1] <= US


@pytest.mark.parametrize("length_s", [3_000, 3_300, 3_600, 3_900])
def test_a_history_begins_as_warm_as_a_longer_one_was_then(length_s):
    def temperatures(rows):
        pump = machine(day={"period_s": 1200.0}, history=PastReadings(length_s=10 * rows, every_s=10))
        return {reading.ts_us: reading.metrics["bearing_temp_c"] for reading in pump.history(T0)}

    begin_us, first_c = next(iter(temperatures(length_s // 10).items()))
    assert first_c == pytest.approx(temperatures(900)[begin_us], abs=0.7)


@pytest.mark.parametrize("later_s", [4_000, 4_300, 4_600, 4_900])
def test_a_restart_finds_the_machine_as_warm_as_it_was(later_s):
    day = {"period_s": 1200.0}
    before = machine(interval_s=10.0, day=day)
    for at_s in range(0, later_s, 10):
        (running,) = before.due(T0 + 10 + at_s)
    after = SimulatedMachine(
        "P-1",
        "centrifugal_pump",
        SimulatedSource(day=day),
        interval_s=10.0,
        registered_s=T0,
        start_s=T0 + later_s - 10,
    )
    (restarted,) = after.due(T0 + later_s)
    assert restarted.ts_us == running.ts_us
    assert restarted.metrics["bearing_temp_c"] == pytest.approx(running.metrics["bearing_temp_c"], abs=0.7)


def test_an_encoded_reading_is_a_reading_of_the_contract():
    (reading,) = machine().due(T0 + 1)
    decoded = Reading.model_validate_json(encode_reading(reading, 7))
    assert (decoded.asset_id, decoded.seq, decoded.source) == ("P-1", 7, "simulator")
    assert decoded.ts.timestamp() * US == reading.ts_us
    assert decoded.metrics == reading.metrics
    assert len(decoded.metrics) == 10


def vibration(pump: SimulatedMachine, at_s: float) -> float:
    (reading,) = pump.due(at_s)
    return reading.metrics["vibration_mm_s"]


def test_a_planned_fault_grows_from_the_time_of_registration():
    pump = machine(faults=(PlannedFault(fault="bearing_wear", after_s=100, duration_s=100),))
    assert vibration(pump, T0 + 99) < 2
    assert 2 < vibration(pump, T0 + 160) < 5
    assert vibration(pump, T0 + 201) > 7


def test_of_two_courses_of_one_fault_the_worse_counts():
    pump = machine(faults=(PlannedFault(fault="bearing_wear", after_s=0, duration_s=1000),))
    pump.inject(FaultCourse(fault="bearing_wear", onset_s=T0, duration_s=10))
    assert vibration(pump, T0 + 20) > 7


@pytest.mark.parametrize("seed", [1, 2])
def test_machines_of_equal_seed_and_start_give_equal_readings(seed):
    one, other = machine(seed=seed), machine(seed=seed)
    assert [r.metrics for r in one.due(T0 + 1)] == [r.metrics for r in other.due(T0 + 1)]
    assert [r.metrics for r in machine(seed=9).due(T0 + 1)] != [r.metrics for r in machine(seed=seed).due(T0 + 1)]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_of_machine_can_be_run_and_broken(name):
    faults = tuple(PlannedFault(fault=fault, after_s=10, duration_s=10) for fault in KINDS[name].faults)
    simulated = SimulatedMachine(
        "M-1", name, SimulatedSource(faults=faults), interval_s=1.0, registered_s=T0, start_s=T0
    )
    readings = [reading for second in range(1, 31) for reading in simulated.due(T0 + second)]
    assert [set(reading.metrics) for reading in readings] == [set(CATALOGUE[name].tag_names)] * 30
    assert all(math.isfinite(value) for reading in readings for value in reading.metrics.values())
