"""Physics priors: what was learned at part load holds at full load, and a prior that is wrong does no harm."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from forewarn.adapters.catalogue.rules import rule_findings
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.twin.fit import fit
from forewarn.domain.twin.layout import layout_of
from forewarn.domain.twin.model import bank_of, judge
from forewarn.domain.twin.parameters import dump_model, load_model
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from unit.twin.cases import frame, run_twin, tag

NOISE = 0.4
TERMS = [
    {"name": "cube", "powers": {"speed": 3}},
    {"name": "by_flow", "powers": {"speed": 2, "flow": 1}},
    {"name": "nonsense", "powers": {"speed": -7, "flow": 2}},
]


def machine(**priors):
    return AssetClass.model_validate(
        {
            "name": "blower",
            "title": "Blower",
            "tags": [tag("speed", 0, 2), tag("flow", 0, 2), tag("power", 0, 400), tag("heat", 0, 100)],
            "twin": {
                "drivers": ["speed", "flow"],
                "responses": ["power", "heat"],
                "baseline_readings": 400,
                "physics": TERMS if priors else [],
                "priors": priors,
            },
        }
    )


def readings(low, high, rows=400, seed=1):
    """Speed, flow, power and heat of a machine between two loads; shape (rows, 4)."""
    rng = np.random.default_rng(seed)
    load = low + (high - low) * (0.5 + 0.5 * np.sin(np.arange(rows) / 17.0))
    speed, flow = load, load * rng.uniform(0.8, 1.2, rows)
    power = 20.0 + 60.0 * speed**3 + 90.0 * speed**2 * flow + rng.normal(0, NOISE, rows)
    return np.column_stack([speed, flow, power, 30.0 + 10.0 * flow + rng.normal(0, NOISE, rows)])


def expected(asset_class, model, drivers):
    layout = layout_of(asset_class)
    columns = dict(zip(layout.columns, drivers.T, strict=True)) | {"ts": np.zeros(len(drivers), dtype=np.int64)}
    bank = bank_of({"": model})
    return judge(bank, layout, columns, np.zeros(len(drivers), dtype=np.intp)).expected.T


def learned(asset_class, low=0.6, high=0.8, seed=1):
    return fit(readings(low, high, seed=seed), layout_of(asset_class), TwinSettings())


def error(asset_class, fitted, low, high):
    beyond = readings(low, high, seed=9)
    difference = expected(asset_class, fitted.model, beyond) - beyond[:, 2:]
    return np.sqrt((difference**2).mean(axis=0))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_learned_at_part_load_holds_at_full_load(seed):
    with_physics, without = machine(power=["cube", "by_flow"]), machine()
    known = error(with_physics, learned(with_physics, seed=seed), 0.9, 1.1)[0]
    guessed = error(without, learned(without, seed=seed), 0.9, 1.1)[0]
    assert known < 1.5 * NOISE
    assert guessed > 10.0 * known


def test_the_factors_of_this_machine_are_learned_without_its_nameplate():
    asset_class = machine(power=["cube", "by_flow"])
    fitted = learned(asset_class)
    layout = layout_of(asset_class)
    assert layout.priors.names == ("cube", "by_flow")
    assert fitted.method == "physics+ridge2"
    assert fitted.model.factors[:, 0] == pytest.approx([60.0, 90.0], rel=0.1)
    assert fitted.model.factors[:, 1] == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_prior_that_is_wrong_does_no_harm_where_the_twin_has_learned(seed):
    wrong, without = machine(power=["nonsense"], heat=["nonsense"]), machine()
    data = readings(0.6, 0.8, seed=seed)[:, 2:]
    one, other = learned(wrong, seed=seed), learned(without, seed=seed)
    for column in (0, 1):
        with_it, plain = (np.mean((f.held_out - data)[:, column] ** 2) for f in (one, other))
        assert with_it <= 1.02 * plain


def test_a_machine_without_a_driver_follows_no_term_of_it():
    asset_class = machine(power=["cube", "by_flow"])
    data = readings(0.6, 0.8)
    data[:, 1] = np.nan
    fitted = fit(data, layout_of(asset_class), TwinSettings())
    assert fitted.unjudged.keys() == {"flow"}
    assert fitted.model.factors[1, 0] == 0.0
    assert np.isfinite(expected(asset_class, fitted.model, data)).all()


def test_a_term_that_does_not_move_is_not_learned():
    asset_class = machine(power=["cube"])
    data = readings(0.7, 0.7)
    assert not fit(data, layout_of(asset_class), TwinSettings()).model.factors.any()


def test_a_term_without_a_value_leaves_the_response_unknown_and_the_others_known():
    asset_class = machine(power=["nonsense", "cube"])
    model = replace(learned(asset_class).model, factors=np.array([[1.0, 0.0], [1.0, 0.0]]))
    standing = np.array([[0.0, 0.7, 50.0, 37.0]])  # 0 to the power of −7
    power, heat = expected(asset_class, model, standing)[0]
    assert np.isnan(power)
    assert np.isfinite(heat)


@pytest.mark.parametrize("speed", [np.nan, 1e300, -1e12])
def test_absurd_drivers_give_finite_or_unknown_numbers(speed):
    asset_class = machine(power=["cube", "by_flow"])
    said = expected(asset_class, learned(asset_class).model, np.array([[speed, 0.7, 50.0, 37.0]])).astype(np.float32)
    assert not np.isinf(said).any()


def test_a_formula_is_a_term_in_its_own_units():
    spec = machine(heat=["cube"]).model_dump(mode="json")
    spec["twin"]["priors"] = {"heat": ["lift"]}
    spec["tags"][0]["unit"], spec["tags"][1]["unit"] = "kW", "[degF]"
    inputs = {"cooling_kw": "speed", "cold_temp_c": "nameplate.cold", "hot_temp_c": "flow"}
    spec["twin"]["physics"].append({"name": "lift", "function": "carnot_power_kw", "inputs": inputs})
    spec["nameplate"] = [{"name": "cold", "unit": "Cel", "default": 7.0}]
    priors = layout_of(AssetClass.model_validate(spec)).priors
    columns = {"speed": np.array([100.0]), "flow": np.array([98.6]), "ts": np.zeros(1)}
    assert priors.values(columns) == pytest.approx(100.0 * 30.0 / 280.15)


@pytest.mark.parametrize(
    ("term", "priors", "complaint"),
    [
        ({"name": "a"}, {}, "needs a 'function' with 'inputs', or 'powers'"),
        ({"name": "a", "function": "wet_bulb_c", "powers": {"speed": 1}}, {}, "needs a 'function'"),
        ({"name": "a", "powers": {"speed": 2}}, {"power": []}, "at least 1 item"),
    ],
)
def test_terms_that_cannot_be_are_refused(term, priors, complaint):
    spec = machine().model_dump(mode="json")
    spec["twin"] |= {"physics": [term], "priors": priors}
    with pytest.raises(ValidationError, match=complaint):
        AssetClass.model_validate(spec)


@pytest.mark.parametrize(
    ("term", "priors", "problem"),
    [
        ({"name": "a", "powers": {"power": 1}}, {}, "'power' is no driver, earlier term or nameplate field"),
        ({"name": "a", "powers": {"later": 1}}, {}, "'later' is no driver, earlier term or nameplate field"),
        ({"name": "speed", "powers": {"speed": 2}}, {}, "'speed' is the name of a column or an earlier term"),
        ({"name": "a", "powers": {"speed": 2}}, {"power": ["b"]}, "'b' is neither a driver nor a term"),
        ({"name": "a", "powers": {"speed": 2}}, {"speed": ["a"]}, "'speed' is not one of twin.responses"),
    ],
)
def test_terms_of_unknown_or_taken_names_are_a_finding(term, priors, problem):
    spec = machine().model_dump(mode="json")
    spec["twin"] |= {"physics": [term], "priors": priors}
    found = [text for location, text in rule_findings(spec) if location[1] in {"physics", "priors"}]
    assert len(found) == 1, found
    assert found[0].startswith(problem)


def test_a_formula_with_inputs_of_other_units_is_refused():
    spec = machine().model_dump(mode="json")
    inputs = {"dry_bulb_c": "speed", "relative_humidity_pct": "flow"}
    spec["twin"]["physics"] = [{"name": "a", "function": "wet_bulb_c", "inputs": inputs}]
    with pytest.raises(ValueError, match="physics term a: dry_bulb_c of wet_bulb_c is in Cel, speed in 1"):
        layout_of(AssetClass.model_validate(spec))


def test_a_model_with_priors_survives_and_fits_no_other_priors():
    asset_class = machine(power=["cube", "by_flow"])
    model = learned(asset_class).model
    data = dump_model(model, asset_class)
    assert load_model(data, asset_class).factors == pytest.approx(model.factors)
    with pytest.raises(ValueError, match="other physics priors"):
        load_model(data, machine(power=["cube"]))


def test_a_model_from_before_there_were_priors_follows_none():
    without, asset_class = machine(), machine(power=["cube"])
    model = replace(learned(without).model, factors=np.zeros((0, 0)))
    back = load_model(dump_model(model, without), asset_class)
    assert back.factors.shape == (1, 2)
    drivers = readings(0.6, 0.8)
    assert expected(asset_class, back, drivers) == pytest.approx(expected(without, model, drivers))


def test_a_state_from_before_there_were_priors_goes_on_and_one_with_others_starts_anew():
    def state_of(asset_class):
        data = readings(0.6, 0.8)
        columns = dict(zip(("speed", "flow", "power", "heat"), data.T, strict=True))
        return run_twin([frame(asset_class, columns)])[0]

    old, new = machine(), machine(power=["cube"])
    headers, arrays = unpack(b"FWTWIN02", dump([state_of(old)]))
    for header in headers:
        del header["priors"]
    del arrays["blower/0/factors"]
    back = load(pack(b"FWTWIN02", headers, arrays), {"blower": new})["blower"]
    assert back.models["M-1"].factors.shape == (1, 2)
    assert load(dump([state_of(new)]), {"blower": machine(heat=["cube"])}) == {}
