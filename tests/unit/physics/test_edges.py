"""What formulae answer where nature or arithmetic ends."""

import math

import pytest

from unit.physics.examples import at_point

NOTHING = [
    # at rest
    ("efficiency_pct", {"input_kw": 0.05}),
    ("specific_energy_kwh_m3", {"flow_m3_h": 0}),
    ("phase_imbalance_pct", {"phase_r": 0.1, "phase_y": 0.2, "phase_b": 0.1}),
    ("power_factor", {"line_current_a": 0}),
    ("kw_per_ton", {"cooling_kw": 3}),
    ("coefficient_of_performance", {"power_kw": 0}),
    ("energy_balance_residual_pct", {"rejected_kw": 0}),
    ("measured_volumetric_efficiency_pct", {"swept_flow_m3_h": 0}),
    ("fan_static_efficiency_pct", {"power_kw": 0}),
    ("specific_fan_power_kw_m3_s", {"flow_m3_h": 0}),
    ("heat_rate_kj_kwh", {"power_kw": 0}),
    ("thermal_efficiency_pct", {"heat_input_kw": 0}),
    ("duty_imbalance_pct", {"hot_duty_kw": 0}),
    ("conductance_kw_k", {"duty_kw": 0}),
    ("surge_margin_pct", {"flow_m3_h": 0}),
    ("isentropic_compression_efficiency_pct", {"pressure_ratio": 1}),
    ("polytropic_compression_efficiency_pct", {"pressure_ratio": 1}),
    ("isentropic_expansion_efficiency_pct", {"pressure_ratio": 1}),
    ("tower_effectiveness_pct", {"hot_water_c": 25.2}),
    # against the second law
    ("lmtd_counterflow_k", {"cold_outlet_c": 95}),
    ("lmtd_counterflow_k", {"hot_outlet_c": 20}),
    ("lmtd_parallel_k", {"cold_outlet_c": 65}),
    ("log_mean_difference_k", {"one_end_k": -1}),
    ("log_mean_difference_k", {"one_end_k": 0}),
    ("correction_factor", {"hot_outlet_c": 25, "cold_outlet_c": 80}),
    ("effectiveness", {"hot_inlet_c": 20}),
    ("polytropic_compression_efficiency_pct", {"discharge_temp_c": 19}),
    ("isentropic_compression_efficiency_pct", {"discharge_temp_c": 20}),
    ("transfer_units_counterflow", {"effectiveness": 1.0}),
    ("effectiveness_counterflow", {"capacity_ratio": 1.01}),
    ("effectiveness_counterflow", {"ntu": -0.1}),
    # no such thing
    ("pump_head_m", {"density_kg_m3": 0}),
    ("shaft_power_kw", {"pump_efficiency_pct": 0}),
    ("shaft_power_kw", {"pump_efficiency_pct": 101}),
    ("share_of_best_flow_pct", {"speed_ratio": 0}),
    ("npsh_margin_ratio", {"npsh_required_m": 0}),
    ("synchronous_speed_rpm", {"pole_count": 0}),
    ("derating_factor", {"voltage_imbalance_pct": -1}),
    ("motor_load_by_slip_pct", {"rated_speed_rpm": 1500}),
    ("isentropic_temp_c", {"start_temp_c": -274}),
    ("isentropic_temp_c", {"exponent": 1.0}),
    ("isentropic_temp_c", {"pressure_ratio": 0}),
    ("pressure_ratio", {"low_pressure_bar": -1.02}),
    ("surge_flow_m3_h", {"head_kj_kg": -1}),
    ("volumetric_efficiency_pct", {"pressure_ratio": 0.9}),
    ("capacity_ratio", {"hot_capacity_kw_k": 0}),
    ("fouling_resistance_m2_k_w", {"coefficient_w_m2_k": 0}),
    ("velocity_pressure_pa", {"duct_area_m2": 0}),
    ("iplv_cop", {"cop_at_50": 0}),
    ("part_load_power_pct", {"load_pct": 9.9}),
    ("part_load_kw_per_ton", {"load_pct": 111}),
    ("share_of_rated_pct", {"rated_value": 0}),
    ("belt_slip_pct", {"motor_speed_rpm": 0}),
    ("belt_slip_pct", {"motor_speed_rpm": 1.5, "speed_rpm": 0.2}),
    ("makeup_need_m3_h", {"cycles": 1}),
    ("second_law_efficiency_pct", {"evaporator_sat_temp_c": 40, "condenser_sat_temp_c": 40}),
    ("measured_gas_power_kw", {"suction_pressure_bar": -1.1}),
    ("cycles_of_concentration", {"makeup_us_cm": 0}),
    ("evaporation_m3_h", {"heat_rejected_kw": -1}),
    ("wet_bulb_c", {"relative_humidity_pct": 4.9}),
    ("wet_bulb_c", {"relative_humidity_pct": 100.1}),
    ("wet_bulb_c", {"dry_bulb_c": 51}),
    ("vapour_pressure_pa", {"temp_c": 101}),
    ("dew_point_c", {"relative_humidity_pct": 0}),
]


def test_there_is_no_answer(subtests):
    for name, inputs in NOTHING:
        with subtests.test(name, **inputs):
            assert math.isnan(at_point(name, **inputs))


LIMITS = [
    ("hydraulic_power_kw", {"flow_m3_h": 0}, 0.0),
    ("pump_head_m", {"discharge_pressure_bar": 1}, 0.0),
    ("npsh_margin_m", {"npsh_available_m": 3, "npsh_required_m": 4}, -1.0),
    ("slip_pct", {"speed_rpm": 0}, 100.0),
    ("slip_pct", {"speed_rpm": 1515}, -1.0),
    ("derating_factor", {"voltage_imbalance_pct": 7}, 0.0),
    ("isentropic_temp_c", {"pressure_ratio": 1}, 20.0),
    ("isentropic_head_kj_kg", {"pressure_ratio": 1}, 0.0),
    ("surge_margin_pct", {"flow_m3_h": 5000, "surge_flow_m3_h": 6000}, -20.0),
    ("volumetric_efficiency_pct", {"pressure_ratio": 100, "clearance_pct": 50}, 0.0),
    ("log_mean_difference_k", {"one_end_k": 40, "other_end_k": 40}, 40.0),
    ("log_mean_difference_k", {"one_end_k": 40, "other_end_k": 40 * (1 + 1e-9)}, 40.0),
    ("effectiveness_counterflow", {"ntu": 0}, 0.0),
    ("effectiveness_counterflow", {"ntu": 1e4, "capacity_ratio": 0.5}, 1.0),
    ("effectiveness_counterflow", {"ntu": 2, "capacity_ratio": 1 - 1e-10}, 2 / 3),
    ("transfer_units_counterflow", {"effectiveness": 0.5, "capacity_ratio": 1}, 1.0),
    ("transfer_units_counterflow", {"effectiveness": 0}, 0.0),
    ("fouling_resistance_m2_k_w", {"coefficient_w_m2_k": 900}, 0.0),
    ("evaporation_m3_h", {"heat_rejected_kw": 0}, 0.0),
    ("wet_bulb_c", {"relative_humidity_pct": 100}, 20.0),
    ("vapour_pressure_pa", {"temp_c": 100}, 101_325.0),
    ("dew_point_c", {"relative_humidity_pct": 100}, 20.0),
]


def test_the_limit_is_answered(subtests):
    for name, inputs, expected in LIMITS:
        relative = 0.04 if name == "vapour_pressure_pa" else 1e-6
        with subtests.test(name, **inputs):
            assert at_point(name, **inputs) == pytest.approx(expected, rel=relative, abs=1e-9)


def test_a_swapped_pair_of_sensors_shows_as_an_efficiency_above_100_percent_or_none():
    good = at_point("polytropic_compression_efficiency_pct")
    assert 0 < good < 100
    assert at_point("isentropic_compression_efficiency_pct", discharge_temp_c=150) > 100
