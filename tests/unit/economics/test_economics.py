"""Costs and savings by hand: every figure is worked out on paper beside it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.asset_class import Repair
from forewarn.contracts.assets import Asset, AssetRates
from forewarn.contracts.health import AssetHealth, FailureRisk, RulEstimate
from forewarn.domain.economics.energy import energy_waste
from forewarn.domain.economics.failures import failure_costs, total_cost
from forewarn.domain.economics.rates import Rates, rates_of
from forewarn.domain.economics.repairs import repair_choices
from forewarn.domain.economics.report import Power, economic_report
from forewarn.domain.economics.savings import savings

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
SHIPPED = load_catalogue()["centrifugal_pump"]
BEARING = Repair(
    planned_cost=2_000, planned_downtime_h=2, unplanned_cost=10_000, unplanned_downtime_h=20, service_life_days=1_000
)
PUMP = SHIPPED.model_copy(
    update={
        "failure_modes": tuple(
            mode.model_copy(update={"repair": BEARING if mode.id == "bearing_wear" else None})
            for mode in SHIPPED.failure_modes
        )
    }
)
RATES = Rates(currency="EUR", downtime_cost_per_min=150, energy_price_per_kwh=0.2, monitoring_cost_per_year=365)
#: 10,000 + 20 h × 60 × 150, and 2,000 + 2 h × 60 × 150
FAILURE, REPAIR = 190_000, 20_000


def life(p50=20.0, week=0.1, month=0.8, quarter=1.0, mode="bearing_wear"):
    risk = FailureRisk(within_7_days=week, within_30_days=month, within_90_days=quarter)
    return RulEstimate(
        failure_mode=mode,
        p10_days=p50 / 2,
        p50_days=p50,
        p90_days=p50 * 2,
        indicator="vibration_mm_s",
        threshold=7.1,
        model="m/1",
        risk=risk,
    )


def event(hours, *rul, health=95.0):
    return AssetHealth(
        asset_id="P",
        asset_class="centrifugal_pump",
        ts=NOW - timedelta(hours=100 - hours),
        health=health,
        category="good",
        trend="stable",
        trend_per_day=None,
        metrics=(),
        anomaly_score=None,
        anomaly_flag=False,
        deviation=None,
        rul=rul,
    )


def asset(**rates):
    return Asset(
        asset_id="P", asset_class="centrifugal_pump", name="P", economics=AssetRates(**rates) if rates else None
    )


def test_a_minute_of_downtime_costs_150_unless_the_asset_says_otherwise():
    assert rates_of(PUMP, asset()).downtime_cost_per_min == 150
    own = rates_of(PUMP, asset(downtime_cost_per_min=0, monitoring_cost_per_year=99))
    assert (own.downtime_cost_per_min, own.energy_price_per_kwh, own.monitoring_cost_per_year) == (0, 0.15, 99)


def test_the_expected_cost_is_probability_times_downtime_and_repair():
    (cost,) = failure_costs(PUMP, [life()], RATES)
    assert (cost.downtime_cost, cost.repair_cost) == (180_000, 10_000)
    expected = cost.expected_cost
    assert (expected.within_7_days, expected.within_30_days) == (pytest.approx(19_000), pytest.approx(152_000))
    assert expected.within_90_days == FAILURE
    assert total_cost([cost, cost]).within_7_days == pytest.approx(38_000)
    assert total_cost([]) is None


def test_of_a_mode_without_a_price_nothing_is_said():
    assert failure_costs(PUMP, [life(mode="impeller_wear")], RATES) == ()
    assert repair_choices(PUMP, [life(mode="impeller_wear")], RATES, waste_per_day=1) == ()


def test_energy_waste_is_the_excess_times_hours_times_price():
    times = np.arange(0.0, 4 * 3600.0, 60.0)  # 4 h
    waste = energy_waste(times, np.full(240, 22.0), np.full(240, 20.0), price_per_kwh=0.2)
    assert waste.hours == pytest.approx(4)
    assert (waste.mean_excess_kw, waste.wasted_kwh, waste.cost) == pytest.approx((2.0, 8.0, 1.6))
    assert waste.cost_per_day == pytest.approx(9.6)


def test_noise_about_the_expectation_is_no_waste():
    noise = np.where(np.arange(600) % 2, 1.0, -1.0)
    waste = energy_waste(np.arange(600) * 60.0, 20.0 + noise, np.full(600, 20.0), 0.2)
    assert waste.wasted_kwh == pytest.approx(0, abs=1e-9)
    saving = energy_waste(np.arange(600) * 60.0, np.full(600, 19.0), np.full(600, 20.0), 0.2)
    assert (saving.mean_excess_kw, saving.cost) == (pytest.approx(-1), 0)


def test_a_gap_in_the_data_is_not_filled():
    times = np.array([0.0, 60.0, 120.0, 36_000.0, 36_060.0])
    waste = energy_waste(times, np.full(5, 30.0), np.full(5, 20.0), 1.0)
    assert waste.hours == pytest.approx((60 + 60 + 120 + 60 + 60) / 3600)


@pytest.mark.parametrize(
    ("times", "measured", "expected"),
    [([0.0], [1.0], [1.0]), ([0.0, 60.0], [np.nan, np.nan], [1.0, 1.0]), ([0.0, 60.0], [1.0, 1.0], [np.nan, np.nan])],
)
def test_without_measured_and_expected_power_nothing_is_said_of_energy(times, measured, expected):
    assert energy_waste(np.array(times), np.array(measured), np.array(expected), 1.0) is None


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=30))
def test_waste_is_never_negative_and_never_more_than_all_energy(rows):
    measured, expected = np.array(rows).T
    waste = energy_waste(np.arange(len(rows)) * 60.0, measured, expected, 1.0)
    assert 0 <= waste.wasted_kwh <= measured.sum() / 60 + 1e-9


def test_waiting_costs_the_risk_and_the_waste_less_the_life_kept():
    (choice,) = repair_choices(PUMP, [life()], RATES, waste_per_day=10)
    assert [option.in_days for option in choice.options] == [0, 7, 30, 90]
    now, week, month, quarter = (option.expected_cost for option in choice.options)
    assert now == REPAIR
    assert week == pytest.approx(0.1 * FAILURE + 0.9 * REPAIR + 70 - REPAIR * 7 / 1_000)
    assert month == pytest.approx(0.8 * FAILURE + 0.2 * REPAIR + 300 - REPAIR * 20 / 1_000)  # its life ends after 20 d
    assert quarter == pytest.approx(FAILURE + 900 - REPAIR * 20 / 1_000)
    assert choice.cheapest_in_days == 0
    assert choice.cost_of_waiting == pytest.approx(month - now)
    assert choice.return_on_repair == pytest.approx((month - now) / now)


def test_while_failure_is_far_a_later_repair_is_cheaper():
    (choice,) = repair_choices(PUMP, [life(p50=300, week=0, month=0, quarter=0.001)], RATES, waste_per_day=0)
    assert choice.cheapest_in_days == 90
    assert choice.options[3].expected_cost < REPAIR


def test_only_the_nearest_failures_repair_ends_the_waste():
    both = PUMP.model_copy(
        update={"failure_modes": tuple(m.model_copy(update={"repair": BEARING}) for m in PUMP.failure_modes)}
    )
    near, far = repair_choices(both, [life(), life(mode="impeller_wear")], RATES, waste_per_day=10)
    assert near.options[2].expected_cost - far.options[2].expected_cost == pytest.approx(300)


def test_a_failure_that_was_near_and_did_not_come_is_saved():
    course = [event(0), event(1, life(month=0.3)), event(2, life(month=0.9), health=35), event(3, health=40), event(4)]
    found = savings(PUMP, course, RATES, period_days=10)
    (averted,) = found.averted
    assert (averted.probability, averted.until) == (0.9, event(4).ts)
    assert (found.avoided_cost, found.repair_cost) == (pytest.approx(0.9 * FAILURE), REPAIR)
    assert found.monitoring_cost == pytest.approx(10)
    assert found.net == pytest.approx(0.9 * FAILURE - REPAIR - 10)
    assert found.return_on_investment == pytest.approx(found.net / (REPAIR + 10))


@pytest.mark.parametrize(
    "course",
    [
        [event(1, life(month=0.4)), event(2)],  # it was not near
        [event(1, life(month=0.9)), event(2, life(p50=0.0, week=1, month=1), health=10), event(3)],  # it failed
        [event(1, life(month=0.9)), event(2, health=40)],  # it is not good again
        [event(1, life(month=0.9)), event(2, life(month=0.9))],  # it is still under way
    ],
)
def test_nothing_else_is_a_saving(course):
    found = savings(PUMP, course, RATES, period_days=10)
    assert (found.averted, found.avoided_cost, found.net) == ((), 0, pytest.approx(-10))


def test_where_nothing_was_spent_there_is_no_return():
    free = Rates(currency="EUR", downtime_cost_per_min=1, energy_price_per_kwh=1, monitoring_cost_per_year=0)
    assert savings(PUMP, [], free, period_days=10).return_on_investment is None


def test_the_report_says_what_it_assumes():
    power = Power(times_s=np.arange(60) * 60.0, measured_kw=np.full(60, 21.0), expected_kw=np.full(60, 20.0))
    report = economic_report(
        asset(downtime_cost_per_min=200),
        PUMP,
        now=NOW,
        period_days=30,
        health=event(100, life()),
        course=[],
        power=power,
    )
    assert report.assumptions[0] == "A minute of downtime costs 200 EUR."
    assert any("kWh costs 0.15 EUR" in text for text in report.assumptions)
    assert report.expected_failure_cost.within_90_days == 10_000 + 20 * 60 * 200
    assert report.energy.cost == pytest.approx(0.15)
    quiet = economic_report(asset(), PUMP, now=NOW, period_days=30, health=None, course=[], power=None)
    assert (quiet.expected_failure_cost, quiet.energy, quiet.repairs) == (None, None, ())
