"""Values of the formulae, worked by hand unless a source is named."""

import numpy as np
import pytest

from unit.physics.examples import at_point

GOLDEN = [
    # pumps: 100 m3/h, 40 m, 998 kg/m3, 75 %
    ("hydraulic_power_kw", {}, 10.874, 5e-4),
    ("shaft_power_kw", {"hydraulic_power_kw": 10.874}, 14.499, 5e-4),
    ("efficiency_pct", {"useful_kw": 10.874, "input_kw": 14.499}, 75.0, 5e-3),
    ("pump_head_m", {"suction_pressure_bar": 1.0, "discharge_pressure_bar": 4.91481}, 40.0, 5e-4),
    ("affinity_flow", {"flow_m3_h": 1.0}, 0.8, 1e-12),
    ("affinity_head", {"head_m": 1.0}, 0.64, 1e-12),
    ("affinity_power", {"power_kw": 1.0}, 0.512, 1e-12),
    ("npsh_available_m", {}, 11.114, 5e-4),
    ("npsh_margin_m", {"npsh_available_m": 11.114, "npsh_required_m": 4.0}, 7.114, 1e-9),
    ("npsh_margin_ratio", {"npsh_available_m": 11.0, "npsh_required_m": 10.0}, 1.1, 1e-9),
    ("share_of_best_flow_pct", {"flow_m3_h": 96.0, "best_flow_m3_h": 120.0, "speed_ratio": 0.8}, 100.0, 1e-9),
    ("specific_energy_kwh_m3", {"power_kw": 15.0, "flow_m3_h": 100.0}, 0.15, 1e-12),
    ("share_of_rated_pct", {}, 75.0, 1e-9),
    # motors
    ("phase_imbalance_pct", {}, 1.087, 5e-4),
    ("phase_imbalance_pct", {"phase_r": 480, "phase_y": 476, "phase_b": 472}, 0.840, 5e-4),
    ("phase_imbalance_pct", {"phase_r": 460, "phase_y": 467, "phase_b": 450}, 1.961, 5e-4),
    ("derating_factor", {"voltage_imbalance_pct": 1.961}, 0.95, 5e-3),
    ("derating_factor", {"voltage_imbalance_pct": 0.0}, 1.0, 0.0),
    ("derating_factor", {"voltage_imbalance_pct": 3.5}, 0.85, 1e-12),
    ("derating_factor", {"voltage_imbalance_pct": 5.0}, 0.76, 1e-12),
    ("derating_factor", {"voltage_imbalance_pct": 5.01}, 0.0, 0.0),
    ("extra_temperature_rise_pct", {"voltage_imbalance_pct": 3.5}, 24.5, 1e-9),  # MG-1's own example: "about 25 %"
    ("synchronous_speed_rpm", {"line_frequency_hz": 60.0, "pole_count": 4.0}, 1800.0, 1e-9),
    ("slip_pct", {"synchronous_speed_rpm": 1800.0, "speed_rpm": 1750.0}, 2.778, 5e-4),
    ("three_phase_power_kw", {"line_voltage_v": 400, "line_current_a": 100, "power_factor": 0.86}, 59.583, 5e-4),
    ("motor_load_pct", {"power_kw": 75 / 0.94, "motor_efficiency_pct": 94, "rated_power_kw": 75}, 100.0, 1e-9),
    # US DOE fact sheet: 1800 synchronous, 1770 measured, 1750 rated: 60 %
    ("motor_load_by_slip_pct", {"synchronous_speed_rpm": 1800, "speed_rpm": 1770, "rated_speed_rpm": 1750}, 60.0, 1e-9),
    # compressors: air, 20 C, r = 7, 260 K
    ("isentropic_temp_c", {}, 511.15 - 273.15, 5e-3),
    ("isentropic_compression_efficiency_pct", {}, 83.85, 5e-3),
    ("polytropic_compression_efficiency_pct", {}, 87.56, 5e-3),
    ("polytropic_exponent", {}, 1.4843, 5e-5),
    ("polytropic_head_kj_kg", {}, 228.73, 5e-3),
    ("gas_power_kw", {"mass_flow_kg_s": 10.0, "head_kj_kg": 228.73, "efficiency_pct": 87.56}, 2612.3, 0.05),
    # 10,000 m3/h of air at 1.01325 bar and 20 C are 3.345 kg/s; c_p = 1.0047 kJ/(kg.K), 165 K
    ("measured_gas_power_kw", {}, 554.5, 0.2),
    ("surge_margin_pct", {"flow_m3_h": 10000.0, "surge_flow_m3_h": 9000.0}, 10.0, 1e-9),
    ("surge_flow_m3_h", {"head_kj_kg": 25.0}, 3500.0, 1e-9),
    ("pressure_ratio", {"low_pressure_bar": 0.0, "high_pressure_bar": 6.078}, 7.0, 5e-4),
    # reciprocating: hand-checked
    ("volumetric_efficiency_pct", {"pressure_ratio": 1.0}, 100.0, 1e-9),
    ("volumetric_efficiency_pct", {"pressure_ratio": 3.0, "exponent": 1.0, "clearance_pct": 10.0}, 80.0, 1e-9),
    ("swept_flow_m3_h", {}, 928.30, 0.05),  # pi/4 (2*0.3^2 - 0.07^2) 0.15 * 750 * 60
    ("rod_load_compression_kn", {}, 58.088, 5e-3),  # 12 bar on 706.86 cm2 less 4 bar on 668.37 cm2
    ("rod_load_tension_kn", {}, 51.931, 5e-3),
    ("stage_pressure_ratio", {"total_pressure_ratio": 27.0, "stage_count": 3.0}, 3.0, 1e-9),
    # heat exchangers: 90 -> 60 / 20 -> 45, C 10 and 12 kW/K
    ("stream_duty_kw", {"mass_flow_kg_s": 10.0, "heat_capacity_kj_kg_k": 1.0}, 300.0, 1e-9),
    ("lmtd_counterflow_k", {}, 42.451, 5e-4),
    ("lmtd_parallel_k", {}, 55.0 / np.log(70 / 15), 1e-9),
    ("least_difference_k", {}, 40.0, 1e-9),
    ("corrected_difference_k", {}, 36.0, 1e-9),
    ("effectiveness", {}, 0.42857, 5e-6),
    ("conductance_kw_k", {}, 7.0670, 5e-5),
    ("transfer_units", {}, 0.70670, 5e-6),
    ("effectiveness_counterflow", {"ntu": 0.70670, "capacity_ratio": 10 / 12}, 0.42857, 5e-6),
    ("transfer_units_counterflow", {"effectiveness": 3 / 7, "capacity_ratio": 10 / 12}, 0.70670, 5e-6),
    ("effectiveness_counterflow", {"ntu": 1.0, "capacity_ratio": 1.0}, 0.5, 1e-12),
    ("effectiveness_counterflow", {"ntu": 1.0, "capacity_ratio": 0.0}, 1 - np.exp(-1), 1e-12),
    ("effectiveness_parallel", {"ntu": 1.0, "capacity_ratio": 0.0}, 1 - np.exp(-1), 1e-12),
    ("effectiveness_parallel", {"ntu": 50.0, "capacity_ratio": 1.0}, 0.5, 1e-12),
    # Bowman's chart: P = 0.5 and R = 1 give F = 0.80
    (
        "correction_factor",
        {"hot_inlet_c": 100.0, "hot_outlet_c": 50.0, "cold_inlet_c": 0.0, "cold_outlet_c": 50.0},
        0.802,
        1e-3,
    ),
    ("fouling_resistance_m2_k_w", {}, 3.1746e-4, 5e-9),
    ("cleanliness_pct", {"conductance_kw_k": 7.0, "clean_conductance_kw_k": 9.0}, 77.78, 5e-3),
    ("duty_imbalance_pct", {"hot_duty_kw": 300.0, "cold_duty_kw": 285.0}, 5.0, 1e-9),
    # chillers: 1000 gpm x 10 F, 250 kW
    ("refrigeration_tons", {"duty_kw": 1465.36}, 416.67, 5e-3),
    ("kw_per_ton", {"power_kw": 250.0, "cooling_kw": 1465.36}, 0.600, 5e-4),
    ("coefficient_of_performance", {"power_kw": 250.0, "cooling_kw": 1465.36}, 5.861, 5e-4),
    # an ideal machine between 0 and 40 C has a COP of 273.15/40
    (
        "second_law_efficiency_pct",
        {"cop": 273.15 / 40, "evaporator_sat_temp_c": 0.0, "condenser_sat_temp_c": 40.0},
        100.0,
        1e-9,
    ),
    ("energy_efficiency_ratio", {"power_kw": 250.0, "cooling_kw": 1465.36}, 20.0, 5e-3),
    ("water_duty_kw", {"flow_m3_h": 227.1247, "warm_c": 12.2222, "cold_c": 6.6667}, 1465.36, 1465.36 * 5e-3),
    ("iplv_kw_per_ton", {}, 0.45563, 5e-6),
    ("temperature_difference_k", {}, 5.0, 1e-12),
    ("evaporator_approach_k", {}, 1.5, 1e-12),
    ("condenser_approach_k", {}, 2.0, 1e-12),
    ("energy_balance_residual_pct", {"rejected_kw": 1000.0, "cooling_kw": 700.0, "power_kw": 200.0}, 10.0, 1e-9),
    ("energy_balance_tolerance_pct", {"load_pct": 100.0, "full_load_difference_k": 10 / 1.8}, 5.0, 1e-9),
    ("energy_balance_tolerance_pct", {"load_pct": 50.0, "full_load_difference_k": 10 / 1.8}, 10.0, 1e-9),
    ("energy_balance_tolerance_pct", {"load_pct": 25.0, "full_load_difference_k": 10 / 1.8}, 14.75, 1e-9),
    ("part_load_power_pct", {"load_pct": 100.0}, 100.0, 1e-9),
    ("part_load_power_pct", {"load_pct": 50.0}, 49.552, 5e-4),  # DOE-2 curve by hand
    # fans: 10 m3/s, 1 kPa
    ("air_power_kw", {"flow_m3_h": 36000.0, "pressure_rise_pa": 1000.0}, 10.0, 1e-9),
    ("velocity_pressure_pa", {"flow_m3_h": 36000.0, "duct_area_m2": 1.0, "density_kg_m3": 1.2}, 60.0, 1e-9),
    ("fan_static_efficiency_pct", {"flow_m3_h": 36000.0, "static_pressure_pa": 1000.0, "power_kw": 16.0}, 62.5, 1e-9),
    ("specific_fan_power_kw_m3_s", {"power_kw": 16.0, "flow_m3_h": 36000.0}, 1.6, 1e-9),
    ("belt_slip_pct", {}, 1.695, 5e-4),
    # cooling towers: 35 -> 29 C at 25 C wet bulb
    ("tower_range_k", {}, 6.0, 1e-12),
    ("tower_approach_k", {}, 4.0, 1e-12),
    ("tower_effectiveness_pct", {}, 60.0, 1e-9),
    ("evaporation_m3_h", {"heat_rejected_kw": 1000.0}, 1.262, 1e-3),
    ("makeup_need_m3_h", {"evaporation_m3_h": 3.0, "cycles": 4.0}, 4.0, 1e-12),
    ("cycles_of_concentration", {"circulating_us_cm": 1600.0}, 4.0, 1e-12),
    # Stull (2011): 20 C and 50 % give 13.7 C
    ("wet_bulb_c", {}, 13.7, 0.05),
    ("vapour_pressure_pa", {"temp_c": 20.0}, 2339.0, 10.0),  # steam table
    ("vapour_pressure_pa", {"temp_c": 50.0}, 12352.0, 60.0),  # steam table
    ("dew_point_c", {}, 9.26, 0.02),
    # turbines
    ("heat_rate_kj_kwh", {"heat_input_kw": 10000.0, "power_kw": 3600.0}, 10000.0, 1e-6),
    ("thermal_efficiency_pct", {"heat_input_kw": 10000.0, "power_kw": 3600.0}, 36.0, 1e-9),
    # by hand: 800 K to 479.46 K in the ideal, to 500 K in the real expansion
    (
        "isentropic_expansion_efficiency_pct",
        {"inlet_temp_c": 526.85, "exhaust_temp_c": 226.85, "pressure_ratio": 6.0, "exponent": 1.4},
        93.59,
        0.01,
    ),
    (
        "steam_efficiency_pct",
        {"inlet_enthalpy_kj_kg": 3231.7, "exhaust_enthalpy_kj_kg": 2682.4, "isentropic_enthalpy_kj_kg": 2407.9},
        66.7,
        0.05,  # Cengel, Thermodynamics, ex. 7-14: 3 MPa 400 C to 50 kPa 100 C
    ),
]


def test_a_formula_gives_the_published_value(subtests):
    for name, inputs, expected, tolerance in GOLDEN:
        with subtests.test(name, **inputs):
            assert at_point(name, **inputs) == pytest.approx(expected, abs=tolerance, rel=0)


def test_iplv_is_the_same_through_cop_and_through_specific_power():
    cop = {f"cop_at_{load}": 3.516853 / kw for load, kw in ((100, 0.60), (75, 0.50), (50, 0.42), (25, 0.45))}
    assert at_point("iplv_cop", **cop) == pytest.approx(7.7187, abs=5e-5)
    assert 3.516853 / at_point("iplv_kw_per_ton") == pytest.approx(at_point("iplv_cop", **cop))


def test_the_imbalance_is_not_the_span_over_the_mean():
    assert at_point("phase_imbalance_pct") < 0.7 * 100 * (463 - 455) / 460


def test_the_conductance_of_the_golden_exchanger_is_the_same_by_lmtd_and_by_transfer_units():
    by_lmtd = at_point("conductance_kw_k", mean_difference_k=at_point("lmtd_counterflow_k"))
    by_ntu = 10.0 * at_point("transfer_units_counterflow", effectiveness=3 / 7, capacity_ratio=10 / 12)
    assert by_lmtd == pytest.approx(by_ntu, rel=1e-9)
