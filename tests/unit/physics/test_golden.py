"""Published and hand-checked values of the formulae (shared reference domain.md §4.8)."""

import numpy as np
import pytest

from forewarn.domain.physics.chiller import (
    coefficient_of_performance,
    condenser_approach_k,
    energy_balance_residual_pct,
    evaporator_approach_k,
    kw_per_ton,
    refrigeration_tons,
    temperature_difference_k,
    water_duty_kw,
)
from forewarn.domain.physics.energy import efficiency_pct
from forewarn.domain.physics.motor import phase_imbalance_pct
from forewarn.domain.physics.pump import (
    affinity_flow,
    affinity_head,
    affinity_power,
    hydraulic_power_kw,
    npsh_available_m,
    pump_head_m,
)


def a(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_a_pump_of_100_m3_h_and_40_m_gives_the_liquid_10_874_kw():
    useful = hydraulic_power_kw(a(100.0), a(40.0), a(998.0))
    assert useful == pytest.approx([10.874], abs=5e-4)
    assert useful / 0.75 == pytest.approx([14.499], abs=5e-4)
    assert efficiency_pct(useful, useful / 0.75) == pytest.approx([75.0])


def test_head_is_pressure_over_weight():
    assert pump_head_m(a(1.0), a(1.0 + 998 * 9.80665 * 40 / 1e5), a(998.0)) == pytest.approx([40.0])


def test_affinity_laws_at_80_percent_speed():
    ratio = a(0.8)
    assert affinity_flow(a(1.0), ratio) == pytest.approx([0.8])
    assert affinity_head(a(1.0), ratio) == pytest.approx([0.64])
    assert affinity_power(a(1.0), ratio) == pytest.approx([0.512])


def test_npsh_available_of_an_open_cold_water_tank():
    assert npsh_available_m(a(101325.0), a(2339.0), a(998.0), a(2.0), a(1.0)) == pytest.approx([11.114], abs=5e-4)


@pytest.mark.parametrize(
    ("phases", "percent"), [((462, 463, 455), 1.087), ((480, 476, 472), 0.840), ((460, 467, 450), 1.961)]
)
def test_phase_imbalance_is_largest_deviation_over_mean(phases, percent):
    assert phase_imbalance_pct(*(a(p) for p in phases)) == pytest.approx([percent], abs=5e-4)


def test_a_chiller_of_416_67_tons_at_250_kw_takes_0_6_kw_per_ton():
    cooling = a(1465.36)
    assert refrigeration_tons(cooling) == pytest.approx([416.67], abs=5e-3)
    assert kw_per_ton(a(250.0), cooling) == pytest.approx([0.600], abs=5e-4)
    assert coefficient_of_performance(cooling, a(250.0)) == pytest.approx([5.861], abs=5e-4)


def test_1000_gpm_times_10_degrees_fahrenheit_carry_1465_kw():
    flow_m3_h, difference_k = 1000 * 0.2271247, 10 / 1.8
    assert water_duty_kw(a(flow_m3_h), a(6.667 + difference_k), a(6.667)) == pytest.approx([1465.36], rel=5e-3)


def test_approaches_and_differences_point_the_right_way():
    assert evaporator_approach_k(a(7.0), a(5.5)) == pytest.approx([1.5])
    assert condenser_approach_k(a(37.0), a(35.0)) == pytest.approx([2.0])
    assert temperature_difference_k(a(12.0), a(7.0)) == pytest.approx([5.0])


def test_heat_rejected_equals_cooling_plus_power():
    assert energy_balance_residual_pct(a(1200.0), a(1000.0), a(200.0)) == pytest.approx([0.0])
    assert energy_balance_residual_pct(a(1000.0), a(700.0), a(200.0)) == pytest.approx([10.0])


def test_ratios_of_a_machine_at_rest_are_unknown():
    assert np.isnan(efficiency_pct(a(0.0), a(0.05))).all()
    assert np.isnan(kw_per_ton(a(5.0), a(3.0))).all()
    assert np.isnan(coefficient_of_performance(a(0.0), a(0.0))).all()
    assert np.isnan(energy_balance_residual_pct(a(0.0), a(0.0), a(0.0))).all()
    assert np.isnan(phase_imbalance_pct(a(0.1), a(0.2), a(0.1))).all()
