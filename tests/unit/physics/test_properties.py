"""Laws the formulae must keep whatever the numbers: monotony, conservation, similarity, symmetry."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forewarn.domain.physics import (
    chiller,
    compressor,
    cooling_tower,
    effectiveness,
    exchanger,
    fan,
    gas,
    motor,
    part_load,
    pump,
    reciprocating,
    turbine,
    water,
)


def numbers(low: float, high: float) -> st.SearchStrategy[np.ndarray]:
    return st.floats(low, high).map(lambda x: np.array([x]))


positive = numbers(0.1, 1e4)
share = numbers(0.0, 1.0)
close = np.testing.assert_allclose


# --- pumps and fans: similarity


@given(flow=positive, head=positive, ratio=numbers(0.1, 2.0))
def test_affinity_laws_agree_with_hydraulic_power(flow, head, ratio):
    density = np.array([998.0])
    power = pump.hydraulic_power_kw(pump.affinity_flow(flow, ratio), pump.affinity_head(head, ratio), density)
    close(power, pump.affinity_power(pump.hydraulic_power_kw(flow, head, density), ratio))


@given(flow=positive, pressure=positive, speed=numbers(0.2, 2), size=numbers(0.2, 2), density=numbers(0.5, 1.5))
def test_fan_laws_agree_with_air_power(flow, pressure, speed, size, density):
    moved = fan.fan_law_flow(flow, speed, size)
    pushed = fan.fan_law_pressure(pressure, speed, size, density)
    close(fan.air_power_kw(moved, pushed), fan.fan_law_power(fan.air_power_kw(flow, pressure), speed, size, density))


@given(one=numbers(0.2, 2), other=numbers(0.2, 2), head=positive)
def test_two_changes_of_speed_are_one(one, other, head):
    close(pump.affinity_head(pump.affinity_head(head, one), other), pump.affinity_head(head, one * other))


@given(suction=st.floats(-1, 100), rise=st.floats(0.01, 100), density=st.floats(500, 2000))
def test_head_is_positive_exactly_when_pressure_rises(suction, rise, density):
    low, high, rho = np.array([suction]), np.array([suction + rise]), np.array([density])
    assert (pump.pump_head_m(low, high, rho) > 0).all()
    close(pump.pump_head_m(high, low, rho), -pump.pump_head_m(low, high, rho))


@given(flow=numbers(100, 1e5), pressure=numbers(10, 2500), area=numbers(0.05, 10), power=numbers(0.5, 1000))
def test_total_efficiency_of_a_fan_is_never_below_the_static_one(flow, pressure, area, power):
    total = fan.fan_total_efficiency_pct(flow, pressure, area, np.array([1.2]), power)
    assert (total >= fan.fan_static_efficiency_pct(flow, pressure, power)).all()


# --- motors


@given(phases=st.tuples(*[st.floats(1, 1e4)] * 3), scale=st.floats(1, 100))
def test_imbalance_knows_neither_the_order_nor_the_size_of_the_phases(phases, scale):
    r, y, b = (np.array([p]) for p in phases)
    imbalance = motor.phase_imbalance_pct(r, y, b)
    assert (imbalance >= 0).all()
    assert (imbalance <= 200).all()
    close(motor.phase_imbalance_pct(b, r, y), imbalance, atol=1e-9)
    close(motor.phase_imbalance_pct(r * scale, y * scale, b * scale), imbalance, atol=1e-9)


@given(phases=st.tuples(*[st.floats(100, 1000)] * 3))
def test_imbalance_lies_between_half_and_two_thirds_of_the_span(phases):
    assume(max(phases) - min(phases) > 1e-6)
    span_pct = 100 * (max(phases) - min(phases)) / np.mean(phases)
    (imbalance,) = motor.phase_imbalance_pct(*(np.array([p]) for p in phases))
    assert 0.5 * span_pct * (1 - 1e-9) <= imbalance <= 2 / 3 * span_pct * (1 + 1e-9)


@given(low=st.floats(0, 10), more=st.floats(0, 10))
def test_more_imbalance_never_permits_more_power(low, more):
    factors = motor.derating_factor(np.array([low, low + more]))
    assert 1 >= factors[0] >= factors[1] >= 0


@given(voltage=numbers(100, 1000), current=numbers(1, 1000), factor=numbers(0.1, 1))
def test_power_factor_is_the_inverse_of_power(voltage, current, factor):
    power = motor.three_phase_power_kw(voltage, current, factor)
    close(motor.power_factor(power, voltage, current), factor)


# --- gases

start_c = numbers(-50, 100)
pressure_ratios = numbers(1.06, 20)
exponents = numbers(1.05, 1.67)


@given(start=start_c, ratio=pressure_ratios, exponent=exponents, rise=st.floats(1, 500))
def test_polytropic_efficiency_of_a_compression_is_above_the_isentropic_one(start, ratio, exponent, rise):
    end = start + rise
    isentropic = gas.isentropic_compression_efficiency_pct(start, end, ratio, exponent)
    polytropic = gas.polytropic_compression_efficiency_pct(start, end, ratio, exponent)
    assume(0 < isentropic[0] < 99.9)
    assert isentropic[0] < polytropic[0] < 100


@given(start=start_c, ratio=pressure_ratios, exponent=exponents)
def test_an_ideal_compression_has_100_percent_in_both_efficiencies(start, ratio, exponent):
    end = gas.isentropic_temp_c(start, ratio, exponent)
    close(gas.isentropic_compression_efficiency_pct(start, end, ratio, exponent), 100.0)
    close(gas.polytropic_compression_efficiency_pct(start, end, ratio, exponent), 100.0)


@given(start=start_c, first=pressure_ratios, second=pressure_ratios, exponent=exponents, efficiency=st.floats(0.5, 1))
def test_stages_of_one_polytropic_efficiency_have_it_together(start, first, second, exponent, efficiency):
    def after(temp_c, ratio):
        return (temp_c + 273.15) * ratio ** ((exponent - 1) / exponent / efficiency) - 273.15

    end = after(after(start, first), second)
    together = gas.polytropic_compression_efficiency_pct(start, end, first * second, exponent)
    close(together, 100 * efficiency, rtol=1e-9)


@given(start=start_c, ratio=pressure_ratios, exponent=exponents, rise=st.floats(0.5, 400))
def test_polytropic_head_is_the_textbook_expression_with_n(start, ratio, exponent, rise):
    end = start + rise
    n = gas.polytropic_exponent(start, end, ratio)
    assume(np.isfinite(n).all() and abs(n[0] - 1) > 1e-6)
    textbook = 8.314462618 / 29 * (start + 273.15) * n / (n - 1) * (ratio ** ((n - 1) / n) - 1)
    close(gas.polytropic_head_kj_kg(start, end, ratio, np.array([29.0]), np.array([1.0])), textbook, rtol=1e-6)


@given(start=start_c, ratio=pressure_ratios, exponent=exponents)
def test_compression_and_expansion_between_two_pressures_lead_back(start, ratio, exponent):
    up = gas.isentropic_temp_c(start, ratio, exponent)
    close(gas.isentropic_temp_c(up, 1 / ratio, exponent), start, atol=1e-8)


@given(inlet=numbers(300, 1300), ratio=numbers(1.5, 20), exponent=numbers(1.1, 1.4), part=st.floats(0.3, 1))
def test_expansion_efficiency_is_the_share_of_the_ideal_drop(inlet, ratio, exponent, part):
    ideal = inlet - gas.isentropic_temp_c(inlet, 1 / ratio, exponent)
    exhaust = inlet - part * ideal
    close(turbine.isentropic_expansion_efficiency_pct(inlet, exhaust, ratio, exponent), 100 * part)


@given(flow=numbers(10, 1e5), surge=numbers(10, 1e5), scale=st.floats(0.1, 10))
def test_surge_margin_is_a_ratio_of_flows(flow, surge, scale):
    close(
        compressor.surge_margin_pct(flow * scale, surge * scale),
        compressor.surge_margin_pct(flow, surge),
        rtol=1e-6,
        atol=1e-9,
    )


@given(head=positive, design_head=positive, design_flow=positive, ratio=numbers(0.3, 1.5))
def test_the_surge_line_follows_the_fan_laws(head, design_head, design_flow, ratio):
    line = compressor.surge_flow_m3_h(head, design_flow, design_head)
    slower = compressor.surge_flow_m3_h(pump.affinity_head(head, ratio), design_flow, design_head)
    close(slower, pump.affinity_flow(line, ratio))


@given(ratio=numbers(1, 20), exponent=exponents, clearance=numbers(0, 40), more=st.floats(0, 20))
def test_clearance_and_ratio_only_cost_volume(ratio, exponent, clearance, more):
    here = reciprocating.volumetric_efficiency_pct(ratio, exponent, clearance)
    assert 0 <= here[0] <= 100
    assert reciprocating.volumetric_efficiency_pct(ratio, exponent, clearance + more)[0] <= here[0] + 1e-9
    assert reciprocating.volumetric_efficiency_pct(ratio + more, exponent, clearance)[0] <= here[0] + 1e-9


@given(low=st.floats(0, 50), rise=st.floats(0, 100), bore=numbers(100, 1000), part=st.floats(0.05, 0.5))
def test_the_rod_is_pressed_harder_than_pulled_by_both_pressures_on_its_section(low, rise, bore, part):
    suction, discharge, rod = np.array([low]), np.array([low + rise]), part * bore
    pressed = reciprocating.rod_load_compression_kn(suction, discharge, bore, rod)
    pulled = reciprocating.rod_load_tension_kn(suction, discharge, bore, rod)
    section_mm2 = np.pi / 4 * rod**2
    close(pressed - pulled, (suction + discharge) * section_mm2 / 1e4, atol=1e-9, rtol=1e-6)


# --- heat exchangers


@given(one=numbers(1e-3, 1e3), other=numbers(1e-3, 1e3))
def test_the_logarithmic_mean_is_symmetric_and_between_geometric_and_arithmetic_mean(one, other):
    mean = exchanger.log_mean_difference_k(one, other)
    close(mean, exchanger.log_mean_difference_k(other, one))
    assert np.sqrt(one * other) * (1 - 1e-9) <= mean <= (one + other) / 2 * (1 + 1e-9)


@given(difference=numbers(0.1, 100), tiny=st.floats(-1e-3, 1e-3))
def test_the_logarithmic_mean_is_smooth_where_both_ends_are_equal(difference, tiny):
    mean = exchanger.log_mean_difference_k(difference, difference * (1 + tiny))
    close(mean, difference * (1 + tiny / 2), rtol=1e-6)


@given(
    hot=numbers(60, 150),
    cold=numbers(0, 50),
    hot_c=numbers(1, 100),
    cold_c=numbers(1, 100),
    conductance=numbers(0.1, 50),
)
def test_rating_by_transfer_units_and_by_lmtd_agree_and_conserve_heat(hot, cold, hot_c, cold_c, conductance):
    ntu = effectiveness.transfer_units(conductance, hot_c, cold_c)
    assume(ntu[0] < 8)
    effect = effectiveness.effectiveness_counterflow(ntu, effectiveness.capacity_ratio(hot_c, cold_c))
    duty = effect * np.minimum(hot_c, cold_c) * (hot - cold)
    assume(duty[0] > 1.01 * exchanger.MIN_DUTY_KW)
    hot_out, cold_out = hot - duty / hot_c, cold + duty / cold_c
    close(exchanger.duty_imbalance_pct(hot_c * (hot - hot_out), cold_c * (cold_out - cold)), 0.0, atol=1e-6)
    mean = exchanger.lmtd_counterflow_k(hot, hot_out, cold, cold_out)
    close(exchanger.conductance_kw_k(duty, mean), conductance, rtol=1e-5)
    close(effectiveness.effectiveness(duty, hot_c, cold_c, hot, cold), effect, rtol=1e-9)


@given(ntu=numbers(0, 10), ratio=share, more=st.floats(0, 5))
def test_effectiveness_rises_with_size_and_stays_below_its_limit(ntu, ratio, more):
    for formula, limit in (
        (effectiveness.effectiveness_counterflow, 1.0),
        (effectiveness.effectiveness_parallel, 1.0 / (1.0 + ratio[0])),
    ):
        small, large = formula(ntu, ratio)[0], formula(ntu + more, ratio)[0]
        assert 0 <= small <= large + 1e-12
        assert large <= limit + 1e-12
    assert (
        effectiveness.effectiveness_parallel(ntu, ratio) <= effectiveness.effectiveness_counterflow(ntu, ratio) + 1e-9
    )


@given(ntu=numbers(1e-3, 5), ratio=share)
def test_transfer_units_are_the_inverse_of_effectiveness(ntu, ratio):
    effect = effectiveness.effectiveness_counterflow(ntu, ratio)
    close(effectiveness.transfer_units_counterflow(effect, ratio), ntu, rtol=1e-6)


@given(hot=st.floats(60, 150), cold=st.floats(0, 40), hot_drop=st.floats(0.05, 0.45), cold_rise=st.floats(0.05, 0.45))
def test_the_correction_factor_is_at_most_one_and_parallel_lmtd_at_most_the_counterflow_one(
    hot, cold, hot_drop, cold_rise
):
    span = hot - cold
    ends = [np.array([t]) for t in (hot, hot - hot_drop * span, cold, cold + cold_rise * span)]
    assert 0.5 < exchanger.correction_factor(*ends)[0] <= 1 + 1e-9
    assert exchanger.lmtd_parallel_k(*ends) <= exchanger.lmtd_counterflow_k(*ends) * (1 + 1e-12)


@given(hot=st.floats(80, 150), drop=st.floats(5, 30))
def test_the_correction_factor_passes_smoothly_where_both_streams_change_alike(hot, drop):
    def factor(rise):
        return exchanger.correction_factor(*(np.array([t]) for t in (hot, hot - drop, 20.0, 20.0 + rise)))

    close(factor(drop), factor(drop * (1 + 1e-7)), rtol=1e-5)


@given(clean=numbers(100, 5000), resistance=st.floats(0, 1e-2))
def test_fouling_adds_to_the_resistance(clean, resistance):
    dirty = 1 / (1 / clean + resistance)
    close(exchanger.fouling_resistance_m2_k_w(dirty, clean), resistance, atol=1e-12)


# --- chillers and towers


@given(cooling=numbers(50, 1e4), power=numbers(5, 3000))
def test_specific_power_cop_and_eer_are_the_same_figure(cooling, power):
    kw_per_ton = chiller.kw_per_ton(power, cooling)
    close(kw_per_ton * chiller.coefficient_of_performance(cooling, power), 3.516853)
    close(kw_per_ton * chiller.energy_efficiency_ratio(cooling, power), 12.0, rtol=1e-5)


@given(cooling=numbers(50, 1e4), power=numbers(5, 3000))
def test_heat_rejected_is_cooling_plus_power(cooling, power):
    close(chiller.energy_balance_residual_pct(cooling + power, cooling, power), 0.0, atol=1e-9)


@given(values=st.tuples(*[st.floats(0.3, 1.5)] * 4))
def test_iplv_lies_between_its_best_and_worst_point(values):
    iplv = part_load.iplv_kw_per_ton(*(np.array([v]) for v in values))
    assert min(values) * (1 - 1e-9) <= iplv[0] <= max(values) * (1 + 1e-9)


@given(load=st.floats(10, 105), more=st.floats(0.1, 5))
def test_more_load_takes_more_power(load, more):
    assert part_load.part_load_power_pct(np.array([load])) < part_load.part_load_power_pct(np.array([load + more]))


@given(wet=st.floats(5, 28), approach=st.floats(0.5, 10), cooled=st.floats(0.6, 15))
def test_range_and_approach_make_up_the_whole(wet, approach, cooled):
    hot, cold, bulb = np.array([wet + approach + cooled]), np.array([wet + approach]), np.array([wet])
    whole = cooling_tower.tower_range_k(hot, cold) + cooling_tower.tower_approach_k(cold, bulb)
    close(cooling_tower.tower_effectiveness_pct(hot, cold, bulb), 100 * cooling_tower.tower_range_k(hot, cold) / whole)


# --- moist air


@given(dry=numbers(-15, 50), humidity=numbers(10, 100))
def test_dew_point_wet_bulb_and_dry_bulb_are_in_order(dry, humidity):
    wet = water.wet_bulb_c(dry, humidity)
    assert wet <= dry
    assert water.dew_point_c(dry, humidity) <= wet + 1.0  # Stull's own error


@given(dry=numbers(0, 45), humidity=st.floats(20, 90), more=st.floats(0.5, 9))
def test_moister_air_has_a_higher_wet_bulb(dry, humidity, more):
    assert water.wet_bulb_c(dry, np.array([humidity])) < water.wet_bulb_c(dry, np.array([humidity + more]))


@given(dry=numbers(-10, 60), humidity=numbers(5, 100))
def test_air_is_saturated_at_its_dew_point(dry, humidity):
    vapour = water.vapour_pressure_pa(dry) * humidity / 100
    dew = water.dew_point_c(dry, humidity)
    assume(dew[0] >= -20)
    close(water.vapour_pressure_pa(dew), vapour, rtol=1e-9)


def _psychrometer_wet_bulb_c(dry_c, humidity_pct):
    """Wet bulb by the psychrometer equation (WMO-No. 8, annex 4.B), solved by bisection."""
    vapour_pa = float(water.vapour_pressure_pa(np.array(dry_c))) * humidity_pct / 100

    def excess(wet_c):
        cooled = 101_325 * 0.000653 * (1 + 0.000944 * wet_c) * (dry_c - wet_c)
        return float(water.vapour_pressure_pa(np.array(wet_c))) - cooled - vapour_pa

    low, high = dry_c - 40.0, dry_c
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return high


@pytest.mark.parametrize("dry_c", [21.0, 25.0, 30.0, 35.0, 40.0])
@pytest.mark.parametrize("humidity_pct", [15.0, 30.0, 50.0, 70.0, 90.0])
def test_the_wet_bulb_agrees_with_the_psychrometer_equation(dry_c, humidity_pct):
    wet_c = water.wet_bulb_c(np.array([dry_c]), np.array([humidity_pct]))
    close(wet_c, _psychrometer_wet_bulb_c(dry_c, humidity_pct), atol=0.7)  # Stull states up to 0.65 K
