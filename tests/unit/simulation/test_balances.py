"""Energy and mass that simulated machines take in are what they give; read back from the sensors."""

import numpy as np
import pytest

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.motor import motor_load_by_slip_pct
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Surroundings
from unit.simulation.cases import CATALOGUE, guarded, simulate

AIR_KJ_KG_K = 1.0046  # kappa/(kappa − 1)·R/M
AIR_KJ_KG_K_OF_VOLUME = 0.28710  # R/M
ATMOSPHERE_KPA = 101.325


def derived(name: str, fault: str | None = None, severity: float = 0.5) -> dict[str, FloatArray]:
    faults = {} if fault is None else {fault: severity}
    return dict(guarded(CATALOGUE[name], simulate(name, faults), 10.0).frame.arrays)


def air_kg_s(suction_gauge_bar: FloatArray, suction_c: FloatArray, flow_m3_h: FloatArray) -> FloatArray:
    density = (100.0 * suction_gauge_bar + ATMOSPHERE_KPA) / (AIR_KJ_KG_K_OF_VOLUME * (suction_c + 273.15))
    return density * flow_m3_h / 3600.0


@pytest.mark.parametrize("fault", [None, "tube_fouling"])
def test_the_heat_balance_of_a_chiller_closes(fault):
    assert abs(float(np.mean(derived("chiller", fault)["energy_balance_pct"]))) < 0.5


@pytest.mark.parametrize("fault", [None, "fouling", "tube_blockage"])
def test_the_cold_stream_takes_what_the_hot_one_gives(fault):
    assert abs(float(np.mean(derived("heat_exchanger", fault)["duty_imbalance_pct"]))) < 0.2


@pytest.mark.parametrize("fault", [None, "compressor_fouling", "surge"])
def test_the_driver_of_a_compressor_gives_the_enthalpy_of_its_gas(fault):
    of = derived("centrifugal_compressor", fault)
    mass = air_kg_s(of["suction_pressure_bar"], of["suction_temp_c"], of["suction_flow_m3_h"])
    gas_kw = mass * AIR_KJ_KG_K * of["temperature_rise_k"]
    assert float(np.mean(gas_kw / of["power_kw"])) == pytest.approx(0.975, abs=0.005)


@pytest.mark.parametrize("fault", [None, "valve_leak", "ring_wear"])
def test_the_card_of_a_reciprocating_compressor_heats_gas_and_jacket(fault):
    of = derived("reciprocating_compressor", fault)
    mass = air_kg_s(of["suction_pressure_bar"], of["suction_temp_c"], of["flow_m3_h"])
    gas_kw = mass * AIR_KJ_KG_K * of["temperature_rise_k"]
    assert float(np.mean(gas_kw / of["power_kw"])) == pytest.approx(0.95 * 0.94, abs=0.005)


@pytest.mark.parametrize("fault", [None, "blade_fouling"])
def test_a_turbine_takes_the_steam_that_its_load_needs(fault):
    of = derived("turbine", fault)
    steam_kg_s = of["heat_input_kw"] / (2771.0 + 2.34 * (of["inlet_temp_c"] - 400.0))
    lost_kw = steam_kg_s * 2.0 * of["temperature_drop_k"] - of["power_kw"]
    assert float(np.mean(lost_kw)) == pytest.approx(150.0, abs=20.0)


@pytest.mark.parametrize("fault", [None, "fill_fouling"])
def test_a_tower_is_given_the_water_that_it_loses(fault):
    of = derived("cooling_tower", fault)
    lost_m3_h = of["evaporation_m3_h"] * of["cycles_of_concentration"] / (of["cycles_of_concentration"] - 1.0)
    assert float(np.mean(of["makeup_flow_m3_h"])) == pytest.approx(float(np.mean(lost_m3_h)), rel=0.15)


def test_slip_and_power_of_a_motor_tell_the_same_load():
    of = derived("electric_motor")
    by_slip = motor_load_by_slip_pct(of["synchronous_speed_rpm"], of["speed_rpm"], np.asarray(1485.0))
    assert float(np.mean(by_slip - of["motor_load_pct"])) == pytest.approx(0.0, abs=2.0)


@pytest.mark.parametrize("fault", [None, "belt_slip", "filter_clogging"])
def test_a_fan_takes_more_power_than_the_air_gets(fault):
    efficiency = derived("fan", fault)["total_efficiency_pct"]
    assert 40.0 < float(efficiency.min()) <= float(efficiency.max()) < 75.0


@pytest.mark.parametrize(("air_c", "humidity_pct"), [(8.0, 60.0), (22.0, 58.0), (28.0, 58.0), (34.0, 80.0)])
def test_the_water_of_a_chiller_s_condenser_is_what_a_tower_makes_of_the_air_but_not_too_cold(air_c, humidity_pct):
    around = Surroundings(
        demand=np.array([0.75]), ambient_temp_c=np.array([air_c]), relative_humidity_pct=np.array([humidity_pct])
    )

    def settled(name: str, tag: str) -> float:
        kind, rng, read = KINDS[name], np.random.default_rng(1), []
        state = kind.start
        for _ in range(60):
            state, values = kind.step(kind.design(), state, dt_s=600.0, surroundings=around, faults={}, rng=rng)
            read.append(float(values[tag][0]))
        return float(np.mean(read))

    tower_c = settled("cooling_tower", "cold_water_temp_c")
    assert settled("chiller", "cdw_inlet_temp_c") == pytest.approx(max(tower_c, 20.0), abs=1.0)
