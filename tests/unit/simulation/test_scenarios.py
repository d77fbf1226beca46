import time

import numpy as np
import pytest

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.physics.derive import derive
from forewarn.domain.simulation.growth import AFTER_INTERVENTION, GrowthCourse, random_pace
from forewarn.domain.simulation.indicator import mode_of, stated_nameplate
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.recording import record
from forewarn.domain.simulation.run import MachineRun, simulate, times_us
from forewarn.domain.simulation.scenarios import SCENARIOS, UnknownScenarioError, find_scenario
from forewarn.domain.simulation.story import Plot, play, truth_of
from unit.simulation.cases import CATALOGUE

T0 = 1_790_000_000.0
DAY_S = 86_400.0
WEARING = [(item.name, name) for item in SCENARIOS.values() if item.wears for name in item.classes]


def plot(name: str, *, days: float, **changes) -> Plot:
    return Plot(asset_class=CATALOGUE[name], start_s=T0, days=days, **changes)


def test_the_scenarios_of_the_issue_have_their_lengths():
    lengths = {"tube_fouling": 60, "bearing_wear": 45, "refrigerant_leak": 30, "electrical_issue": 14}
    lengths |= {"post_maintenance_misalignment": 7}
    assert {name: SCENARIOS[name].days for name in lengths} == lengths
    others = {"healthy", "cavitation", "impeller_wear", "seal_leak", "compressor_fouling", "valve_leak", "surge"}
    assert others | {"heat_exchanger_fouling", "fan_imbalance", "belt_slip"} <= SCENARIOS.keys()


def test_every_fault_of_every_machine_has_a_scenario():
    shown = {(name, fault) for item in SCENARIOS.values() for name, fault in item.faults.items()}
    assert shown == {(name, fault) for name, kind in KINDS.items() for fault in kind.faults}


def test_unknown_names_say_what_there_is_for_the_class():
    with pytest.raises(
        UnknownScenarioError, match=r"no scenario 'rust' for fan: there are healthy, bearing_wear, .*belt"
    ):
        find_scenario("rust", "fan")
    with pytest.raises(UnknownScenarioError, match="no scenario 'tube_fouling' for fan"):
        find_scenario("tube_fouling", "fan")
    with pytest.raises(UnknownScenarioError, match="cannot be simulated, only centrifugal_pump"):
        find_scenario("healthy", "generic")
    with pytest.raises(UnknownScenarioError, match="has no tag 'colour': there are flow_m3_h"):
        plot("centrifugal_pump", days=1, tag="colour")


def users_chiller(**changes) -> AssetClass:
    """A chiller with a thermometer that no model has, and what the user derives from it."""
    chiller = CATALOGUE["chiller"].model_dump()
    tag = {"name": "oil_temp_c", "title": "Oil temperature", "unit": "Cel", "engineering_range": (10, 90)}
    rise = {"name": "oil_rise_k", "title": "Oil rise", "unit": "K", "function": "temperature_difference_k"}
    inputs = {"warm_c": "oil_temp_c", "cold_c": "chw_supply_temp_c"}
    derived = [*chiller["derived"], {**rise, "inputs": inputs}]
    return AssetClass.model_validate({**chiller, "tags": [tag, *chiller["tags"]], "derived": derived, **changes})


@pytest.mark.parametrize("name", ["tube_fouling", "bearing_wear", "sensor_drift", "swapped_wires"])
def test_a_class_with_tags_of_the_user_plays_every_scenario(name):
    twin = {"responses": ["oil_temp_c", "power_kw"]}
    story = play(SCENARIOS[name], Plot(asset_class=users_chiller(twin=twin), start_s=T0, days=10))
    recording = record(story, start_s=T0, step_s=3600.0, rows=240)
    assert (story.fails_s is not None) == (name in ("tube_fouling", "bearing_wear"))
    assert all(np.isfinite(values).all() for values in recording.columns.values())
    with pytest.raises(UnknownScenarioError, match="chiller has no simulated tag 'oil_temp_c': there are chw_supply"):
        Plot(asset_class=users_chiller(), start_s=T0, days=1, tag="oil_temp_c")


def test_a_failure_that_shows_in_what_the_model_does_not_have_is_never_told():
    modes = [mode.model_dump() for mode in CATALOGUE["chiller"].failure_modes]
    unseen = [{**mode, "indicator": "oil_rise_k"} for mode in modes]
    for name in ("tube_fouling", "bearing_wear"):
        changed = Plot(asset_class=users_chiller(failure_modes=unseen), start_s=T0, days=10)
        story = play(SCENARIOS[name], changed)
        assert (story.mode, story.fails_s) == (name, None)
        assert np.nanmax(story.run.courses[0].at(np.array([T0 + 10 * DAY_S]))) == 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_the_approach_of_a_fouling_condenser_over_twelve_weeks(seed):
    """Mean of all readings of a week, over the days' usual loads."""
    recording = record(
        play(SCENARIOS["tube_fouling"], plot("chiller", days=84, seed=seed)), start_s=T0, step_s=3600.0, rows=84 * 24
    )
    approach = recording.columns["condenser_sat_temp_c"] - recording.columns["cdw_outlet_temp_c"]
    weekly = approach.reshape(12, -1).mean(axis=1)
    assert weekly[[0, 3, 7, 11]] == pytest.approx([2.5, 3.8, 5.2, 7.0], abs=0.1)
    assert (np.diff(weekly) > 0).all()


@pytest.mark.parametrize(("scenario", "name"), WEARING, ids=[f"{name}-{scenario}" for scenario, name in WEARING])
def test_the_truth_is_where_the_indicator_crosses_its_limit(scenario, name):
    asset_class, days = CATALOGUE[name], 20.0
    story = play(SCENARIOS[scenario], plot(name, days=days, seed=5))
    mode = mode_of(asset_class, story.fault)
    if mode is None or story.fails_s is None:
        assert story.fault in ("misalignment", "cavitation")
        return
    recording = record(story, start_s=T0, step_s=1200.0, rows=int(days * 72))
    columns = recording.columns | derive(asset_class, recording.columns, stated_nameplate(asset_class, {}))
    daily = columns[mode.indicator].reshape(int(days), -1).mean(axis=1)
    middle_s = T0 + (np.arange(days) + 0.5) * DAY_S
    rising = daily[-1] > daily[0]
    before, after = daily[middle_s < story.fails_s - DAY_S], daily[middle_s > story.fails_s + DAY_S]
    assert ((before < mode.threshold) == rising).all()
    assert ((after > mode.threshold) == rising).all()


def test_remaining_life_runs_down_to_nothing_and_is_unknown_where_nothing_fails():
    story = play(SCENARIOS["bearing_wear"], plot("centrifugal_pump", days=45, seed=2))
    ts = times_us(T0, 3600.0, 45 * 24)
    truth = truth_of(story, ts)
    assert np.isnan(truth.rul_days[~truth.present]).all()
    known = truth.rul_days[truth.present]
    assert known[0] == pytest.approx((story.fails_s - story.onset_s) / DAY_S, abs=0.1)
    assert (np.diff(known) <= 0).all()
    assert known[-1] == 0.0
    for name, severity in (("healthy", 1.0), ("bearing_wear", 0.3)):
        weak = play(SCENARIOS[name], plot("centrifugal_pump", days=45, seed=2, severity=severity))
        assert weak.fails_s is None
        assert np.isnan(truth_of(weak, ts).rul_days).all()


def test_a_repair_s_mistake_is_there_at_once_settles_and_then_grows():
    course = GrowthCourse(fault="misalignment", onset_s=100.0, end_s=1100.0, curve=AFTER_INTERVENTION)
    severity = course.at(np.array([99.0, 100.0, 220.0, 500.0, 1100.0, 5000.0]))
    assert severity.tolist() == pytest.approx([0.0, 0.62, 0.52, 0.606, 1.0, 1.0], abs=0.01)


def test_growth_runs_ahead_and_behind_at_random_but_never_back():
    rng = np.random.default_rng(0)
    t_s = np.linspace(0.0, 1000.0, 500)
    for _ in range(50):
        course = GrowthCourse(fault="f", onset_s=0.0, end_s=1000.0, pace=random_pace(0.05, rng))
        severity = course.at(t_s)
        assert (np.diff(severity) >= 0).all()
        assert severity[[0, -1]].tolist() == pytest.approx([0.0, 1.0])
        assert np.abs(severity - t_s / 1000.0).max() < 0.08


@pytest.mark.parametrize(
    "wrong", [{"end_s": 0.0}, {"severity": 0.0}, {"curve": ((0.0, 0.0), (0.5, 1.0))}, {"pace": (0.5,)}]
)
def test_an_impossible_course_is_refused(wrong):
    with pytest.raises(ValueError, match=r"course|curve"):
        GrowthCourse(**({"fault": "f", "onset_s": 0.0, "end_s": 10.0} | wrong))


def test_equal_plots_give_equal_readings_and_seeds_other_ones():
    one, again, other = (
        record(play(SCENARIOS["sensor_spikes"], plot("fan", days=2, seed=seed)), start_s=T0, step_s=600.0, rows=288)
        for seed in (1, 1, 2)
    )
    np.testing.assert_equal(one.columns, again.columns)
    assert (one.columns["flow_m3_h"] != other.columns["flow_m3_h"]).any()


@pytest.mark.parametrize("name", [item.name for item in SCENARIOS.values() if not item.wears])
@pytest.mark.parametrize("asset_class", ["chiller", "heat_exchanger"])
def test_scenarios_of_sensors_and_gateways_leave_the_machine_alone(name, asset_class):
    story = play(SCENARIOS[name], plot(asset_class, days=2, seed=1))
    healthy = record(play(SCENARIOS["healthy"], plot(asset_class, days=2, seed=1)), start_s=T0, step_s=300.0, rows=576)
    recording = record(story, start_s=T0, step_s=300.0, rows=576)
    changed = {
        tag for tag, v in recording.columns.items() if not np.array_equal(v, healthy.columns[tag], equal_nan=True)
    }
    if story.run.effects:
        assert 1 <= len(changed) <= 2
    elif name == "clock_skew":
        assert set(recording.stamped_us - healthy.stamped_us) == {480_000_000}
    elif name != "healthy":
        assert recording.rows > 576 or (np.diff(recording.stamped_us) < 0).any()
    assert story.mode is None


def test_stretches_side_by_side_meet_the_same_day_as_one_long_one():
    run = MachineRun(asset_class="centrifugal_pump", seed=1)
    long = simulate(run, start_s=T0, step_s=300.0, rows=4032)["flow_m3_h"].reshape(14, 288)
    assert np.abs(long - long.mean(axis=0)).max() < 30.0, "every day has the same load, but for the wander"
    assert np.abs(np.diff(long.ravel())).max() < 30.0, "no jump where stretches meet"


def test_thirty_days_at_five_minutes_take_less_than_a_second():
    spent = []
    for name in ("cooling_tower", "centrifugal_pump"):  # the costliest and the commonest
        story = play(SCENARIOS["bearing_wear" if "pump" in name else "fill_fouling"], plot(name, days=30))
        begin_s = time.process_time()
        assert record(story, start_s=T0, step_s=300.0, rows=8640).rows == 8640
        spent.append(time.process_time() - begin_s)
    assert max(spent) < 1.0


def test_a_recording_has_a_sensible_number_of_rows():
    story = play(SCENARIOS["healthy"], plot("fan", days=1))
    with pytest.raises(ValueError, match="1 to 1,000,000 readings, not 2,000,000"):
        record(story, start_s=T0, step_s=1.0, rows=2_000_000)
