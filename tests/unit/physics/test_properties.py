import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.domain.physics.motor import phase_imbalance_pct
from forewarn.domain.physics.pump import affinity_flow, affinity_head, affinity_power, hydraulic_power_kw, pump_head_m
from forewarn.domain.physics.registry import FORMULAE

positive = st.floats(0.1, 1e4).map(lambda x: np.array([x]))


@given(flow=positive, head=positive, ratio=st.floats(0.1, 2.0).map(lambda x: np.array([x])))
def test_affinity_laws_agree_with_hydraulic_power(flow, head, ratio):
    density = np.array([998.0])
    power = hydraulic_power_kw(affinity_flow(flow, ratio), affinity_head(head, ratio), density)
    np.testing.assert_allclose(power, affinity_power(hydraulic_power_kw(flow, head, density), ratio))


@given(suction=st.floats(-1, 100), rise=st.floats(0.01, 100), density=st.floats(500, 2000))
def test_head_is_positive_exactly_when_pressure_rises(suction, rise, density):
    low, high, rho = np.array([suction]), np.array([suction + rise]), np.array([density])
    assert (pump_head_m(low, high, rho) > 0).all()
    np.testing.assert_allclose(pump_head_m(high, low, rho), -pump_head_m(low, high, rho))


@given(phases=st.tuples(*[st.floats(1, 1e4)] * 3), scale=st.floats(1, 100))
def test_imbalance_knows_neither_the_order_nor_the_size_of_the_phases(phases, scale):
    r, y, b = (np.array([p]) for p in phases)
    imbalance = phase_imbalance_pct(r, y, b)
    assert (imbalance >= 0).all()
    assert (imbalance <= 200).all()
    np.testing.assert_allclose(phase_imbalance_pct(b, r, y), imbalance, atol=1e-9)
    np.testing.assert_allclose(phase_imbalance_pct(r * scale, y * scale, b * scale), imbalance, atol=1e-9)


@pytest.mark.parametrize("name", sorted(FORMULAE))
def test_an_unknown_input_makes_the_result_unknown(name):
    formula = FORMULAE[name]
    count = formula.__code__.co_argcount
    healthy = [np.full(3, 30.0 + i) for i in range(count)]
    assert np.isfinite(formula(*healthy)).all()
    for position in range(count):
        inputs = [values.copy() for values in healthy]
        inputs[position][1] = np.nan
        np.testing.assert_array_equal(np.isnan(formula(*inputs)), [False, True, False])
