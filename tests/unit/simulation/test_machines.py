import numpy as np
import pytest

from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.weather import Climate
from unit.simulation.cases import CATALOGUE, DAY, findings, guarded, simulate

FAULTS = [(name, fault) for name, kind in KINDS.items() for fault in kind.faults]


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("every_s", [0.01, 1.0, 10.0, 60.0])
def test_healthy_machines_pass_the_guard_without_a_warning(name, every_s):
    result = guarded(CATALOGUE[name], simulate(name, {}, steps=2000, every_s=every_s), every_s)
    assert findings(result) == set()
    assert (result.counters.accepted, result.rejections) == (2000, ())


@pytest.mark.parametrize(("name", "fault"), FAULTS)
@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_faulty_machines_are_no_faulty_sensors(name, fault, severity):
    result = guarded(CATALOGUE[name], simulate(name, {fault: severity}), 10.0)
    assert findings(result) == set()
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
        ("fan", "fan_imbalance", "vibration_nde_mm_s", 3.0),
        ("fan", "bearing_wear", "vibration_de_mm_s", 2.0),
        ("fan", "belt_slip", "flow_m3_h", -1000.0),
        ("fan", "filter_clogging", "flow_m3_h", -3000.0),
        ("heat_exchanger", "fouling", "hot_outlet_temp_c", 5.0),
        ("electric_motor", "bearing_wear", "bearing_de_temp_c", 25.0),
        ("electric_motor", "winding_overheating", "winding_temp_c", 45.0),
        ("electric_motor", "electrical_issue", "current_r_a", 20.0),
        ("electric_motor", "electrical_issue", "current_y_a", -10.0),
        ("centrifugal_compressor", "compressor_fouling", "discharge_temp_c", 20.0),
        ("centrifugal_compressor", "compressor_fouling", "power_kw", 50.0),
        ("centrifugal_compressor", "bearing_wear", "bearing_temp_c", 15.0),
        ("centrifugal_compressor", "thrust_bearing_wear", "axial_position_mm", 0.3),
        ("centrifugal_compressor", "surge", "suction_flow_m3_h", -2000.0),
        ("centrifugal_compressor", "surge", "vibration_mm_s", 0.5),
        ("cooling_tower", "fill_fouling", "cold_water_temp_c", 4.0),
        ("cooling_tower", "fan_imbalance", "vibration_mm_s", 8.0),
        ("cooling_tower", "gearbox_wear", "fan_power_kw", 0.2),
        ("turbine", "blade_fouling", "heat_input_kw", 5000.0),
        ("turbine", "blade_fouling", "exhaust_temp_c", 30.0),
        ("turbine", "bearing_wear", "bearing_temp_c", 15.0),
        ("turbine", "thrust_bearing_wear", "axial_position_mm", 0.3),
        ("reciprocating_compressor", "valve_leak", "discharge_valve_temp_c", 30.0),
        ("reciprocating_compressor", "valve_leak", "flow_m3_h", -80.0),
        ("reciprocating_compressor", "ring_wear", "power_kw", -10.0),
        ("reciprocating_compressor", "seal_leak", "flow_m3_h", -8.0),
        ("reciprocating_compressor", "bearing_wear", "bearing_temp_c", 15.0),
        ("heat_exchanger", "tube_blockage", "cold_flow_kg_s", -0.1),
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
        ("fan", "fan_imbalance", "bearing_de_temp_c"),
        ("fan", "bearing_wear", "static_pressure_pa"),
        ("fan", "belt_slip", "motor_speed_rpm"),
        ("heat_exchanger", "fouling", "shell_pressure_drop_kpa"),
        ("electric_motor", "winding_overheating", "bearing_de_temp_c"),
        ("electric_motor", "electrical_issue", "vibration_de_mm_s"),
        ("centrifugal_compressor", "bearing_wear", "discharge_temp_c"),
        ("centrifugal_compressor", "thrust_bearing_wear", "vibration_de_um"),
        ("centrifugal_compressor", "surge", "speed_rpm"),
        ("cooling_tower", "fill_fouling", "vibration_mm_s"),
        ("cooling_tower", "fan_imbalance", "gearbox_temp_c"),
        ("cooling_tower", "gearbox_wear", "cold_water_temp_c"),
        ("turbine", "blade_fouling", "vibration_de_um"),
        ("turbine", "bearing_wear", "heat_input_kw"),
        ("turbine", "thrust_bearing_wear", "vibration_de_um"),
        ("reciprocating_compressor", "valve_leak", "rod_drop_mm"),
        ("reciprocating_compressor", "rider_ring_wear", "flow_m3_h"),
        ("reciprocating_compressor", "bearing_wear", "discharge_temp_c"),
        ("heat_exchanger", "tube_blockage", "hot_flow_kg_s"),
    ],
)
def test_a_fault_leaves_the_other_tags_alone(name, fault, untouched):
    np.testing.assert_array_equal(simulate(name, {})[untouched], simulate(name, {fault: 1.0})[untouched])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        f for f in FAULTS if f[1] not in ("cavitation", "misalignment")
    ],  # no end of life of their own: they wear bearings
)
def test_a_fault_that_fails_the_machine_crosses_the_limit_of_its_failure_mode(name, fault):
    mode = next(mode for mode in CATALOGUE[name].failure_modes if mode.id == fault)
    series = guarded(CATALOGUE[name], simulate(name, {fault: 1.0}), 10.0).frame.arrays
    healthy = guarded(CATALOGUE[name], simulate(name, {}), 10.0).frame.arrays[mode.indicator].mean()
    rising = mode.threshold > healthy
    extreme = series[mode.indicator].max() if rising else series[mode.indicator].min()
    assert (extreme > mode.threshold) == rising


# a chiller is off without demand, a tower is drained in frost
EXTREMES = [(name, 15.0) for name in KINDS if name != "chiller"] + [
    (name, warmth_c) for name in KINDS if name not in ("chiller", "cooling_tower") for warmth_c in (-5.0, 35.0)
]


@pytest.mark.parametrize(("name", "warmth_c"), [*EXTREMES, ("cooling_tower", 35.0)])
def test_healthy_machines_break_no_rule_from_idle_to_full_load_in_any_weather(name, warmth_c):
    day = Profile(period_s=2400.0, base=0.5, swing=0.5, climate=Climate(mean_temp_c=warmth_c, day_swing_k=8.0))
    columns = simulate(name, {}, day=day)
    assert all(np.isfinite(values).all() for values in columns.values())
    assert findings(guarded(CATALOGUE[name], columns, 10.0)) == set()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_many_machines_are_simulated_at_once(name):
    kind, rng = KINDS[name], np.random.default_rng(0)
    surroundings = DAY.at(np.linspace(0, 1200, 50))
    state, values = kind.step(kind.design(), kind.start, dt_s=1.0, surroundings=surroundings, faults={}, rng=rng)
    _, values = kind.step(kind.design(), state, dt_s=1.0, surroundings=surroundings, faults={}, rng=rng)
    assert {array.shape for array in values.values()} == {(50,)}
    assert set(values) == set(CATALOGUE[name].tag_names)
