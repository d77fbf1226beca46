"""The classes that ship: a healthy machine shows nothing, each rule can fire, limits are in the right order."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset
from forewarn.domain.alarms.evaluation import Level, levels
from forewarn.domain.guard.batch import GuardResult, GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.health.index import Observation, health_index
from forewarn.domain.health.profile import profile_of
from forewarn.domain.physics.registry import FORMULAE
from forewarn.domain.physics.units import parse_unit
from forewarn.domain.physics.vibration import BOUNDARIES, Group, Support
from support.raw_batches import raw_batch, rows_of
from unit.catalogue.operating_points import CHILLER_GATEWAY, HEALTHY, STATED, VIOLATIONS

CATALOGUE = load_catalogue()
CLASSES = sorted(CATALOGUE)
T0_US = 1_790_000_000_000_000
DOCUMENTATION = Path(__file__).parents[3] / "libs/forewarn/docs/asset-classes.md"


def guarded(name: str, *changes: Mapping[str, float], every_s: float = 60.0) -> GuardResult:
    """What the guard makes of one reading per change of the healthy point."""
    asset_class = CATALOGUE[name]
    rows = [{**HEALTHY[name], **change} for change in changes]
    ts = T0_US + (np.arange(len(rows)) * every_s * 1e6).astype(np.int64)
    batch = raw_batch(asset_class, ts, rows_of(asset_class, rows))
    return check(batch, GuardState.empty(asset_class), GuardSettings(), {"M": STATED.get(name, {})})


def healthy_columns(name: str) -> dict[str, float]:
    arrays = guarded(name, {}).frame.arrays
    return {column: float(arrays[column][0]) for column in CATALOGUE[name].column_names}


def vibration_group(name: str) -> dict[str, float]:
    """A medium machine on springs, where the class wants to know."""
    return {f.name: 2.0 for f in CATALOGUE[name].nameplate if f.name in ("iso_group", "iso_support")}


def rules_heard(result: GuardResult) -> set[str]:
    findings = ";".join(text for text in result.frame.strings["findings"].to_list() if text)
    return {finding.partition(":")[0] for finding in findings.split(";") if finding} | {
        rejection.rule for rejection in result.rejections if rejection.rule
    }


def test_the_classes_of_the_product_are_there():
    assert set(CLASSES) == {
        "centrifugal_compressor",
        "centrifugal_pump",
        "chiller",
        "cooling_tower",
        "electric_motor",
        "fan",
        "generic",
        "heat_exchanger",
        "pump_loop",
        "reciprocating_compressor",
        "turbine",
    }
    assert set(HEALTHY) == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_healthy_machine_passes_the_guard_and_everything_derived_is_known(name):
    result = guarded(name, {})

    assert rules_heard(result) == set()
    assert result.counters.accepted == 1
    unknown = [column for column, value in healthy_columns(name).items() if np.isnan(value)]
    assert unknown == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_healthy_machine_runs_raises_no_alarm_and_has_full_health(name):
    asset_class, columns = CATALOGUE[name], healthy_columns(name)

    raised = [
        rule.id
        for rule in asset_class.alarms
        if rule.source == "threshold" and levels(np.array([columns[rule.column]]), rule)[0] != Level.CLEAR
    ]
    assert raised == []
    asset = Asset(asset_id="M", asset_class=name, name="M", nameplate={**STATED.get(name, {}), **vibration_group(name)})
    index = health_index(profile_of(asset_class, asset), Observation(values=columns))
    assert {m.name: m.status for m in index.metrics if m.status not in ("excellent", "good")} == {}
    assert {m.name: m.score for m, h in zip(index.metrics, asset_class.health, strict=True) if h.good is not None} == {
        h.column: 100.0 for h in asset_class.health if h.good is not None
    }
    assert index.condition >= 90
    running = asset_class.twin.running
    if running is not None:
        assert running.above is not None
        assert columns[running.column] > running.above


def test_a_rule_of_physics_is_heard_when_nature_is_contradicted(subtests):
    for name, rule, changes in VIOLATIONS:
        with subtests.test(name, rule=rule, changes=changes):
            result = guarded(name, changes)
            assert rule in rules_heard(result)
            severity = next(r.severity for r in CATALOGUE[name].rules if r.id == rule)
            assert len(result.rejections) == (1 if severity == "reject" else result.counters.rejected)


def test_every_rule_of_every_class_is_violated_in_these_tests():
    assert {(name, rule.id) for name in CLASSES for rule in CATALOGUE[name].rules} == {(n, r) for n, r, _ in VIOLATIONS}


def test_a_wrong_sensor_is_heard_where_it_is_wrong_and_the_others_stay():
    frame = guarded("electric_motor", {}, {"winding_temp_c": 12}).frame
    assert frame.strings["findings"].to_list() == [
        None,
        "motor.winding_above_ambient:winding_temp_c;motor.winding_above_ambient:ambient_temp_c",
    ]
    np.testing.assert_array_equal(frame.arrays["quality_power_kw"], [0, 0])


def at_rest(name: str) -> dict[str, float]:
    """Everything that moves is at zero, temperatures are those of the surroundings, pressures are equal."""
    kept = ("relative_humidity_pct", "basin_level_pct", "conductivity_us_cm")
    tags = [tag for tag in CATALOGUE[name].tags if tag.name not in kept]
    return {tag.name: 20.0 if tag.unit == "Cel" else 0.0 for tag in tags}


@pytest.mark.parametrize("name", CLASSES)
def test_a_machine_at_rest_breaks_no_law(name):
    expected = {"engineering_range"} if name == "pump_loop" else set()  # its mains voltage is never zero
    assert rules_heard(guarded(name, at_rest(name))) == expected


@pytest.mark.parametrize("name", CLASSES)
def test_a_machine_at_rest_raises_no_alarm(name):
    columns = guarded(name, at_rest(name)).frame.arrays
    rules = [rule for rule in CATALOGUE[name].alarms if rule.source == "threshold"]
    assert [rule.id for rule in rules if levels(columns[rule.column], rule)[0] == Level.OVER] == []


@pytest.mark.parametrize(
    ("name", "ready"),
    [
        ("electric_motor", {"voltage_ry_v": 400, "voltage_yb_v": 401, "voltage_br_v": 399, "line_frequency_hz": 50}),
        ("electric_motor", {"winding_temp_c": 90}),
        ("centrifugal_compressor", {"discharge_pressure_bar": 2.5, "discharge_temp_c": 22}),
        ("centrifugal_compressor", {"discharge_pressure_bar": 2.5, "suction_temp_c": 30}),
        ("reciprocating_compressor", {"suction_pressure_bar": 3, "discharge_pressure_bar": 9, "suction_temp_c": 30}),
        ("heat_exchanger", {"hot_inlet_temp_c": 15, "cold_outlet_temp_c": 40}),
        ("cooling_tower", {"cold_water_temp_c": 12, "hot_water_temp_c": 8}),
        ("turbine", {"inlet_pressure_bar": 40, "inlet_temp_c": 15, "exhaust_temp_c": 30}),
        ("fan", {"static_pressure_pa": -45}),
    ],
)
def test_a_machine_at_rest_may_be_under_pressure_or_voltage_or_still_warm(name, ready):
    assert rules_heard(guarded(name, at_rest(name) | ready)) == set()


@pytest.mark.parametrize("name", CLASSES)
def test_alarms_come_before_the_failure_they_warn_of(name):
    asset_class, healthy = CATALOGUE[name], healthy_columns(name)
    for mode in asset_class.failure_modes:
        rising = mode.threshold > healthy[mode.indicator]
        assert mode.threshold != healthy[mode.indicator], mode.id
        for rule in asset_class.alarms:
            limit = rule.high if rising else rule.low
            if rule.column == mode.indicator and limit is not None:
                assert (limit <= mode.threshold) == rising or limit == mode.threshold, (mode.id, rule.id)
        watched = {rule.column for rule in asset_class.alarms} | {metric.column for metric in asset_class.health}
        assert mode.indicator in watched, mode.id


@pytest.mark.parametrize("name", CLASSES)
def test_limits_lie_where_a_sensor_can_show_them(name):
    asset_class = CATALOGUE[name]
    ranges = {tag.name: tag.engineering_range for tag in asset_class.tags}
    limits = [(a.column, limit) for a in asset_class.alarms for limit in (a.high, a.low) if limit is not None]
    limits += [(mode.indicator, mode.threshold) for mode in asset_class.failure_modes]
    limits += [(metric.column, metric.bad) for metric in asset_class.health if metric.bad is not None]
    for column, limit in limits:
        low, high = ranges.get(column, (-np.inf, np.inf))
        assert low < limit <= high, (column, limit)


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_weighs_health_names_its_end_and_raises_the_general_alarms(name):
    asset_class = CATALOGUE[name]
    assert sum(metric.weight for metric in asset_class.health) == pytest.approx(1.0)
    assert asset_class.failure_modes
    assert {"anomaly", "health"} <= {rule.source for rule in asset_class.alarms}
    assert {tag.unit for tag in asset_class.tags if tag.name.endswith("_c")} <= {"Cel"}


@pytest.mark.parametrize("name", CLASSES)
def test_every_failure_mode_has_its_price_and_the_class_its_rates(name):
    asset_class = CATALOGUE[name]
    assert asset_class.economics.downtime_cost_per_min == 150
    for mode in asset_class.failure_modes:
        assert mode.repair is not None, mode.id
        assert mode.repair.unplanned_cost > mode.repair.planned_cost


@pytest.mark.parametrize("name", CLASSES)
def test_words_are_for_people(name):
    asset_class = CATALOGUE[name]
    said = [text for r in asset_class.rules for text in (r.message, r.recommendation)]
    said += [text for a in asset_class.alarms for text in (a.message, a.action)]
    said += [text for h in asset_class.health for text in (h.message, h.recommendation)]
    for text in said:
        assert re.match(r"[A-Z][^_]*[^.]$", text), text


def test_the_health_of_a_chiller_is_weighed_as_agreed():
    weights = {metric.column: metric.weight for metric in CATALOGUE["chiller"].health}
    assert weights == {
        "vibration_mm_s": 0.35,
        "condenser_approach_k": 0.25,
        "phase_imbalance_pct": 0.20,
        "kw_per_ton": 0.15,
        "chw_delta_t_k": 0.05,
    }
    approach = next(m for m in CATALOGUE["chiller"].health if m.column == "condenser_approach_k")
    assert approach.worst_with == ("evaporator_approach_k",)


def test_gateways_names_of_a_chiller_are_taken_as_they_are():
    aliases = {alias for tag in CATALOGUE["chiller"].tags for alias in (tag.name, *tag.aliases)}
    assert set(CHILLER_GATEWAY) <= aliases


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("electric_motor", (Group.MEDIUM, Support.FLEXIBLE)),
        ("generic", (Group.LARGE, Support.RIGID)),
        ("centrifugal_pump", (Group.MEDIUM, Support.FLEXIBLE)),
        ("cooling_tower", (Group.LARGE, Support.FLEXIBLE)),
    ],
)
def test_vibration_limits_are_the_boundaries_the_file_names(name, at):
    _, alarm, trip = BOUNDARIES[at].velocity_mm_s
    limits = {rule.id: rule.high for rule in CATALOGUE[name].alarms}
    assert (limits["vibration_high"], limits["vibration_trip"]) == (alarm, trip)


@pytest.mark.parametrize("name", CLASSES)
def test_the_index_of_every_class_has_the_agreed_components(name):
    assert CATALOGUE[name].health_components.model_dump() == {"twin": 0.3, "anomaly": 0.3, "rul": 0.25, "risk": 0.15}


@pytest.mark.parametrize("name", sorted(set(STATED) - {"heat_exchanger"}))
def test_there_is_no_vibration_zone_until_group_and_support_are_stated(name):
    asset_class = CATALOGUE[name]
    assert {f.name: f.default for f in asset_class.nameplate if f.name.startswith("iso_")} == {
        "iso_group": 0,
        "iso_support": 0,
    }
    assert healthy_columns(name)["vibration_zone"] in (1, 2)


def test_the_documentation_lists_every_formula_with_its_units():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text.partition("## Formulae")[2], flags=re.MULTILINE))
    assert set(listed) == set(FORMULAE)
    for name, parameters in listed.items():
        assert re.findall(r"`(\w+)`", parameters) == list(FORMULAE[name].parameters), name


def test_the_documentation_names_every_class():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    assert {name for name in CLASSES if f"`{name}`" not in text} == set()


def test_the_units_the_documentation_recommends_are_units():
    section = DOCUMENTATION.read_text(encoding="utf-8").partition("| you mean |")[2].partition("\n\n")[0]
    codes = re.findall(r"`([^`]+)`", section)
    assert len(codes) > 15
    for code in codes:
        assert parse_unit(code).factor > 0


@pytest.mark.parametrize("first_key", ["name: water_heater", "extends: chiller"])
def test_the_examples_of_the_documentation_work(tmp_path, first_key):
    examples = re.findall(r"^```yaml\n(.*?)^```", DOCUMENTATION.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (example,) = (text for text in examples if text.startswith(first_key))
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    assert first_key.split()[1] in load_catalogue(tmp_path)
