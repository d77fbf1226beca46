from collections.abc import Mapping

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frame import MISSING, FloatArray, Strings
from forewarn.domain.guard.batch import GuardResult, GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import Profile

CATALOGUE = load_catalogue()
FAULTS = [(name, fault) for name, kind in KINDS.items() for fault in kind.faults]
DAY = Profile(period_s=1200.0)


def simulate(name: str, faults: Mapping[str, float], steps: int = 240, every_s: float = 10.0) -> dict[str, FloatArray]:
    kind, state, rows = KINDS[name], KINDS[name].start, []
    rng = np.random.default_rng(7)
    severities = {fault: np.float64(severity) for fault, severity in faults.items()}
    for i in range(steps):
        state, values = kind.step(
            kind.design(), state, dt_s=every_s, surroundings=DAY.at(i * every_s), faults=severities, rng=rng
        )
        rows.append(values)
    return {tag: np.array([float(row[tag]) for row in rows]) for tag in rows[0]}


def guarded(asset_class: AssetClass, columns: Mapping[str, FloatArray], every_s: float) -> GuardResult:
    rows = len(columns[asset_class.tag_names[0]])
    ts = 1_790_000_000_000_000 + (np.arange(rows) * every_s * 1e6).astype(np.int64)
    batch = RawBatch(
        asset_class=asset_class,
        assets=Strings.of(["M"] * rows),
        ts=ts,
        received_at=ts,
        seq=np.full(rows, MISSING, dtype=np.int64),
        values=np.column_stack([columns[tag] for tag in asset_class.tag_names]),
        gateway_quality=np.zeros((rows, len(asset_class.tags)), dtype=np.uint32),
    )
    return check(batch, GuardState.empty(asset_class), GuardSettings(), {})


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("every_s", [0.01, 1.0, 10.0, 60.0])
def test_healthy_machines_pass_the_guard_without_a_warning(name, every_s):
    result = guarded(CATALOGUE[name], simulate(name, {}, steps=2000, every_s=every_s), every_s)
    assert {f for f in result.frame.strings["findings"].to_list() if f} == set()
    assert (result.counters.accepted, result.rejections) == (2000, ())


@pytest.mark.parametrize(("name", "fault"), FAULTS)
@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_faulty_machines_are_no_faulty_sensors(name, fault, severity):
    result = guarded(CATALOGUE[name], simulate(name, {fault: severity}), 10.0)
    assert {f for f in result.frame.strings["findings"].to_list() if f} == set()
    assert result.rejections == ()


@pytest.mark.parametrize(
    ("name", "fault", "column", "least_change"),
    [
        ("centrifugal_pump", "bearing_wear", "vibration_mm_s", 5.6),
        ("centrifugal_pump", "bearing_wear", "bearing_temp_c", 30.0),
        ("centrifugal_pump", "impeller_wear", "wire_to_water_efficiency_pct", -20.0),
        ("centrifugal_pump", "impeller_wear", "discharge_pressure_bar", -0.5),
        ("centrifugal_pump", "cavitation", "suction_pressure_bar", -1.0),
        ("centrifugal_pump", "cavitation", "vibration_mm_s", 2.0),
        ("chiller", "tube_fouling", "condenser_approach_k", 4.0),
        ("chiller", "tube_fouling", "power_kw", 10.0),
        ("chiller", "refrigerant_leak", "evaporator_approach_k", 4.0),
        ("chiller", "refrigerant_leak", "chw_supply_temp_c", 0.5),
        ("chiller", "electrical_issue", "phase_imbalance_pct", 10.0),
        ("chiller", "electrical_issue", "current_r_a", 10.0),
    ],
)
def test_a_fault_moves_its_tags_the_right_way(name, fault, column, least_change):
    healthy = guarded(CATALOGUE[name], simulate(name, {}), 10.0).frame.arrays[column]
    faulty = guarded(CATALOGUE[name], simulate(name, {fault: 1.0}), 10.0).frame.arrays[column]
    change = float(np.median(faulty) - np.median(healthy))
    assert change / least_change > 1, change


@pytest.mark.parametrize(
    ("name", "fault", "untouched"),
    [
        ("centrifugal_pump", "bearing_wear", "discharge_pressure_bar"),
        ("centrifugal_pump", "cavitation", "ambient_temp_c"),
        ("chiller", "tube_fouling", "evaporator_sat_temp_c"),
        ("chiller", "electrical_issue", "condenser_sat_temp_c"),
    ],
)
def test_a_fault_leaves_the_other_tags_alone(name, fault, untouched):
    np.testing.assert_array_equal(simulate(name, {})[untouched], simulate(name, {fault: 1.0})[untouched])


@pytest.mark.parametrize(
    ("name", "fault"),
    [f for f in FAULTS if f[1] != "cavitation"],  # has no end of life of its own: it wears bearings
)
def test_a_fault_that_fails_the_machine_crosses_the_limit_of_its_failure_mode(name, fault):
    mode = next(mode for mode in CATALOGUE[name].failure_modes if mode.id == fault)
    series = guarded(CATALOGUE[name], simulate(name, {fault: 1.0}), 10.0).frame.arrays
    healthy = guarded(CATALOGUE[name], simulate(name, {}), 10.0).frame.arrays[mode.indicator].mean()
    rising = mode.threshold > healthy
    extreme = series[mode.indicator].max() if rising else series[mode.indicator].min()
    assert (extreme > mode.threshold) == rising


def test_the_heat_balance_of_a_chiller_closes():
    frame = guarded(CATALOGUE["chiller"], simulate("chiller", {"tube_fouling": 0.5}), 10.0).frame
    assert abs(float(np.mean(frame.arrays["energy_balance_pct"]))) < 0.5


def test_the_same_seed_gives_the_same_readings():
    np.testing.assert_equal(simulate("chiller", {}, steps=5), simulate("chiller", {}, steps=5))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_many_machines_are_simulated_at_once(name):
    kind, rng = KINDS[name], np.random.default_rng(0)
    surroundings = DAY.at(np.linspace(0, 1200, 50))
    state, values = kind.step(kind.design(), kind.start, dt_s=1.0, surroundings=surroundings, faults={}, rng=rng)
    _, values = kind.step(kind.design(), state, dt_s=1.0, surroundings=surroundings, faults={}, rng=rng)
    assert {array.shape for array in values.values()} == {(50,)}
    assert set(values) == set(CATALOGUE[name].tag_names)
