"""What-if: the same model with other drivers."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.contracts.health import RulEstimate
from forewarn.contracts.questions import ChangeRequest
from forewarn.domain.health.profile import class_profile
from forewarn.domain.physics.derive import derive
from forewarn.domain.twin.fleet import FleetModel
from forewarn.domain.twin.parameters import dump_model, load_model
from forewarn.domain.twin.predict import OwnModel, deviation_in
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from forewarn.domain.whatif.effects import health_effect, life_effects
from forewarn.domain.whatif.presets import presets_of
from forewarn.domain.whatif.question import Machine, complete, what_if
from unit.simulation.cases import CATALOGUE, guarded, simulate
from unit.twin.cases import COUPLED, DRIVEN, coupled, driven, run_twin

PUMP = CATALOGUE["centrifugal_pump"]


@cache
def learned(seed=1, **measured):
    state, _, (card,) = run_twin([driven(400, seed=seed)], TwinSettings(baseline_readings=400))
    own = OwnModel(asset_class=DRIVEN, model=state.models["M-1"])
    return own, card


def machine(card, asset_class=DRIVEN, **measured):
    return Machine(asset_class=asset_class, measured=measured, operating=card.report.operating, nameplate={})


def power_of(load):
    return 10 + 0.8 * load + 0.004 * load**2


@given(st.floats(32, 68), st.floats(18, 22))
def test_within_the_learned_range_the_answer_is_the_truth(load, air):
    own, card = learned()
    now = machine(card, load=50.0, air=20.0, power=power_of(50.0), heat=63.0)
    said = what_if(now, own, [ChangeRequest(column="load", value=load), ChangeRequest(column="air", value=air)])
    assert said.responses["power"].then == pytest.approx(power_of(load), abs=0.5)
    assert said.responses["heat"].then == pytest.approx(30 + 0.3 * load + 0.9 * air, abs=0.5)
    assert said.responses["power"].low < power_of(load) < said.responses["power"].high
    assert said.reach == "learned"
    assert said.cautions == ()


def test_what_the_machine_deviates_now_it_goes_on_deviating():
    own, card = learned()
    now = machine(card, load=50.0, air=20.0, power=power_of(50.0) + 7.0, heat=63.0)
    said = what_if(now, own, [ChangeRequest(column="load", factor=1.2)])
    assert said.after["power"] == pytest.approx(power_of(60.0) + 7.0, abs=0.5)
    assert said.healthy["power"] == pytest.approx(power_of(60.0), abs=0.5)
    assert said.drivers == {"load": 60.0, "air": 20.0}


def test_a_driver_outside_the_learned_range_is_told_with_how_far():
    own, card = learned()
    span = card.report.operating["load"]
    value = span.high + 0.25 * (span.high - span.low)
    said = what_if(machine(card, load=50.0, air=20.0), own, [ChangeRequest(column="load", value=value)])
    (caution,) = [item for item in said.cautions if item.column == "load"]
    assert caution.outside_by == pytest.approx(0.25)
    assert "by 25 % of its width" in caution.message
    assert said.reach == "extrapolated"
    inside = what_if(machine(card, load=50.0, air=20.0), own, [ChangeRequest(column="load", value=60.0)])
    widths = [item.responses["power"].high - item.responses["power"].low for item in (inside, said)]
    assert widths[1] > 1.5 * widths[0]


def test_far_outside_there_is_no_interval():
    own, card = learned()
    said = what_if(machine(card, load=50.0, air=20.0), own, [ChangeRequest(column="air", value=90.0)])
    assert said.reach == "too_far"
    assert said.responses["power"].low is None
    assert any("engineering range" in item.message for item in said.cautions)


def test_a_machine_that_would_stand_still_is_expected_to_do_nothing():
    own, card = learned()
    said = what_if(machine(card, load=50.0, air=20.0), own, [ChangeRequest(column="load", value=2.0)])
    assert said.responses == {}
    assert any("would not run" in item.message for item in said.cautions)


def test_unknown_measurements_are_replaced_by_the_middle_of_what_was_learned():
    own, card = learned()
    said = what_if(machine(card), own, [ChangeRequest(column="load", factor=1.1)])
    assert said.drivers["load"] == pytest.approx(1.1 * card.report.operating["load"].middle)
    assert said.responses["power"].projected is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([ChangeRequest(column="power", value=3.0)], "cannot be changed"),
        ([ChangeRequest(column="load", value=3.0), ChangeRequest(column="load", value=4.0)], "changed twice"),
    ],
)
def test_questions_that_make_no_sense_are_refused(changes, problem):
    own, card = learned()
    with pytest.raises(ValueError, match=problem):
        what_if(machine(card, load=50.0, air=20.0), own, changes)


@pytest.mark.parametrize("wrong", [{}, {"value": 1.0, "factor": 2.0}, {"value": math.inf}, {"shift": math.nan}])
def test_a_change_is_one_finite_number(wrong):
    with pytest.raises(ValueError, match=r"exactly one of|finite number"):
        ChangeRequest(column="load", **wrong)


def test_without_drivers_the_other_tags_follow_the_changed_one():
    state, _, (card,) = run_twin([coupled(500)], TwinSettings(baseline_readings=500))
    own = OwnModel(asset_class=COUPLED, model=state.models["M-1"])
    said = what_if(machine(card, COUPLED, a=0.0, b=0.0, c=0.0, d=0.0), own, [ChangeRequest(column="a", value=1.5)])
    assert "a" not in said.responses
    assert said.responses["b"].then < -0.5 < 0.3 < said.responses["c"].then
    assert said.responses["b"].low < -0.7 * 1.4 < said.responses["b"].high
    far = what_if(machine(card, COUPLED, a=0.0, b=0.0, c=0.0, d=0.0), own, [ChangeRequest(column="a", value=9.0)])
    assert far.reach != "learned"


@cache
def chiller():
    asset_class = CATALOGUE["chiller"]
    valid = guarded(asset_class, simulate("chiller", {}, steps=600, seed=3), 10.0).frame
    state, _, (card,) = step(TwinState.empty(asset_class), valid, TwinSettings())
    measured = {name: float(valid.arrays[name][-1]) for name in asset_class.column_names}
    blob = dump_model(state.models["M"], asset_class)
    return OwnModel(asset_class=asset_class, model=load_model(blob, asset_class)), card, measured


def test_physics_agrees_with_the_drivers_after_the_change():
    own, card, measured = chiller()
    asset_class = own.asset_class
    now = machine(card, asset_class, **measured)
    said = what_if(now, own, [ChangeRequest(column="cooling_kw", factor=0.8)])
    tags = {name: np.array([said.after[name]]) for name in asset_class.tag_names}
    derived = derive(asset_class, tags, {})
    assert derived["cooling_kw"][0] == pytest.approx(0.8 * measured["cooling_kw"], rel=1e-3)
    for name, value in derived.items():
        assert said.after[name] == pytest.approx(value[0], rel=2e-3, abs=1e-6), name
    assert said.after["chw_return_temp_c"] < measured["chw_return_temp_c"]


def test_drivers_that_are_not_changed_stay_although_physics_links_them():
    own, card, measured = chiller()
    now = machine(card, own.asset_class, **measured)
    said = what_if(now, own, [ChangeRequest(column="chw_supply_temp_c", shift=0.05)])
    assert said.after["cooling_kw"] == pytest.approx(measured["cooling_kw"], rel=1e-6)
    assert said.after["chw_return_temp_c"] == pytest.approx(measured["chw_return_temp_c"] + 0.05, abs=0.02)


def test_named_questions_are_made_of_what_a_class_has():
    assert set(presets_of(CATALOGUE["chiller"])) == {"high_load", "reduced_load", "temperature_spike"}
    assert [c.column for c in presets_of(CATALOGUE["chiller"])["temperature_spike"].changes(CATALOGUE["chiller"])] == [
        "cdw_inlet_temp_c"
    ]
    assert "pressure_change" in presets_of(PUMP)
    assert "high_load" not in presets_of(CATALOGUE["generic"])
    for asset_class in CATALOGUE.values():
        for preset in presets_of(asset_class).values():
            assert {c.column for c in preset.changes(asset_class)} <= {
                *asset_class.twin.drivers,
                *asset_class.twin.responses,
            }


def test_a_hotter_bearing_costs_health():
    sound = dict.fromkeys(PUMP.column_names, math.nan) | {"vibration_mm_s": 1.5, "bearing_temp_c": 50.0}
    effect = health_effect(class_profile(PUMP), sound, {**sound, "bearing_temp_c": 95.0})
    assert effect.then < effect.now
    assert [metric.name for metric in effect.metrics_then] == [metric.name for metric in effect.metrics_now]


def wear(**changes):
    values = {"failure_mode": "bearing_wear", "p10_days": 10.0, "p50_days": 20.0, "p90_days": 40.0}
    return RulEstimate.model_validate(
        {**values, "indicator": "vibration_mm_s", "threshold": 7.1, "model": "test", **changes}
    )


@pytest.mark.parametrize(("would", "share"), [(4.5, 1.0), (7.1, 0.0), (9.0, 0.0)])
def test_life_scales_with_the_distance_that_is_left(would, share):
    (effect,) = life_effects(PUMP, [wear()], {"vibration_mm_s": 4.5}, {"vibration_mm_s": would})
    assert effect.then.p50_days == pytest.approx(20.0 * share)
    assert effect.then.p10_days <= effect.then.p50_days <= effect.then.p90_days


@given(st.floats(2.0, 7.0), st.floats(2.0, 7.0))
def test_nearer_to_the_threshold_is_never_longer_life(one, other):
    lives = [
        life_effects(PUMP, [wear()], {"vibration_mm_s": 4.5}, {"vibration_mm_s": level})[0].then.p50_days
        for level in sorted((one, other))
    ]
    assert lives[0] >= lives[1]


def test_an_indicator_that_is_unknown_tells_nothing_of_life():
    assert life_effects(PUMP, [wear()], {"vibration_mm_s": math.nan}, {"vibration_mm_s": 3.0}) == ()


# A model of the class.


@cache
def fleet():
    models = {}
    for number in range(4):
        state, _, _ = run_twin([driven(400, seed=number, asset=f"F-{number}")], TwinSettings(baseline_readings=400))
        models |= state.models
    return FleetModel.of(DRIVEN, models)


def test_the_fleet_expects_what_its_machines_would_measure():
    _, card = learned()
    state = complete(machine(card, load=55.0, air=20.0, power=power_of(55.0), heat=64.5))
    said = fleet().predict(state, frozenset())
    assert said.expected["power"] == pytest.approx(power_of(55.0), abs=0.5)
    assert not said.extrapolated
    assert deviation_in(said, fleet().typical, state) < 10


def test_machines_that_differ_make_the_fleet_uncertain():
    models = {}
    for number in range(4):
        bigger = driven(400, seed=number)
        grown = driven(400, seed=number, asset=f"F-{number}", power=bigger.arrays["power"] * (1 + 0.5 * number))
        state, _, _ = run_twin([grown], TwinSettings(baseline_readings=400))
        models |= state.models
    mixed = FleetModel.of(DRIVEN, models)
    _, card = learned()
    state = complete(machine(card, load=55.0, air=20.0))
    assert mixed.predict(state, frozenset()).scale["power"] > 10 * fleet().predict(state, frozenset()).scale["power"]
    assert mixed.predict(state, frozenset()).scale["heat"] < 3 * fleet().predict(state, frozenset()).scale["heat"]


def test_one_machine_is_no_fleet():
    own, _ = learned()
    with pytest.raises(ValueError, match="needs 2 machines"):
        FleetModel.of(DRIVEN, {"M-1": own.model})


# The model on its own.


@pytest.mark.parametrize("make", [driven, coupled], ids=["ridge", "kernel"])
def test_a_model_comes_back_from_its_bytes_as_it_was(make):
    whole = make(400)
    state, _, _ = run_twin([whole], TwinSettings(baseline_readings=400))
    blob = dump_model(state.models["M-1"], whole.asset_class)
    back = load_model(blob, whole.asset_class)
    assert dump_model(back, whole.asset_class) == blob
    assert len(blob) < 37_500  # 50 kB in base64


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["nothing", "nonsense", "cut short"])
def test_bytes_that_are_no_model_are_refused(damage):
    state, _, _ = run_twin([driven(60)])
    blob = dump_model(state.models["M-1"], DRIVEN)
    with pytest.raises(ValueError, match="no model"):
        load_model(blob[:-20] if damage is None else damage, DRIVEN)


def test_a_model_of_another_class_is_refused():
    state, _, _ = run_twin([driven(60)])
    with pytest.raises(ValueError, match="other drivers"):
        load_model(dump_model(state.models["M-1"], DRIVEN), COUPLED)
