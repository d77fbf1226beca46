"""What the built-in classes' rules do to readings of real shape: incomplete, broken, swapped, faulty machines."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.raw_readings import RawReadingDecoder
from forewarn.contracts.assets import Asset
from forewarn.contracts.quality import severity
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.guard.batch import GuardResult, GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.findings import explain
from forewarn.domain.guard.state import GuardState
from forewarn.domain.simulation.kinds import KINDS
from forewarn.ports.lanes import Record
from support.raw_batches import raw_batch, rows_of
from unit.catalogue.operating_points import HEALTHY, STATED
from unit.simulation.cases import guarded, simulate

CATALOGUE = load_catalogue()
CLASSES = sorted(CATALOGUE)
NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp() * 1e6)
CHILLER = {"CH-1": Asset(asset_id="CH-1", asset_class="chiller", name="Chiller 1")}


def judged(name: str, *rows: dict[str, float], state: GuardState | None = None, strict: bool = False) -> GuardResult:
    """The guard's verdicts on readings a minute apart; a tag not given is absent."""
    asset_class = CATALOGUE[name]
    ts = NOW_US + np.arange(len(rows)) * 60_000_000
    given = raw_batch(asset_class, ts, rows_of(asset_class, rows))
    return check(
        given, state or GuardState.empty(asset_class), GuardSettings(strict=strict), {"M": STATED.get(name, {})}
    )


def at_rest(name: str) -> dict[str, float]:
    kept = ("relative_humidity_pct", "basin_level_pct", "conductivity_us_cm", "voltage_v")
    return {
        tag.name: HEALTHY[name][tag.name] if tag.name in kept else 20.0 if tag.unit == "Cel" else 0.0
        for tag in CATALOGUE[name].tags
    }


def through_the_decoder(*metrics: dict[str, float], state: GuardState | None = None) -> GuardResult:
    records = [
        Record(
            topic="readings.raw",
            partition=0,
            offset=i,
            received_us=NOW_US + i * 60_000_000,
            key=b"CH-1",
            value=json.dumps(
                {
                    "asset_id": "CH-1",
                    "ts": datetime.fromtimestamp(NOW_US / 1e6 + i * 60, UTC).isoformat(),
                    "metrics": tags,
                }
            ).encode(),
        )
        for i, tags in enumerate(metrics)
    ]
    (decoded,), refusals = RawReadingDecoder(CATALOGUE, CHILLER.get).decode(records)
    assert not refusals
    return check(decoded.batch, state or GuardState.empty(CATALOGUE["chiller"]), GuardSettings(), {})


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("chiller", {"chw_supply_temp_c": 12.0, "chw_return_temp_c": 11.9, "cdw_outlet_temp_c": 29.0}),
        ("centrifugal_pump", {"discharge_pressure_bar": 0.8, "power_kw": 3.0}),
        ("cooling_tower", {"hot_water_temp_c": 16.0, "cold_water_temp_c": 18.0}),
        ("heat_exchanger", {"hot_inlet_temp_c": 15.0, "hot_outlet_temp_c": 18.0, "cold_outlet_temp_c": 17.0}),
    ],
    ids=["chiller without refrigerant", "pump without impeller", "cold tower on a warm day", "hot side still cold"],
)
def test_a_failed_machine_or_an_odd_operation_is_not_refused(name, odd):
    assert judged(name, {**HEALTHY[name], **odd}).rejections == ()


SWAPPED = {"chw_supply_temp": 12.0, "chw_return_temp": 6.0}


@pytest.mark.parametrize(
    "metrics",
    [
        SWAPPED,
        SWAPPED | {"power_kw": 150.0},
        SWAPPED | {"current_r": 200.0},
        {"chw_supply_temp_c": 12.0, "chw_return_temp_c": 6.0, "chw_flow_m3_h": 170.0},
        {**HEALTHY["chiller"], "chw_supply_temp_c": 12.0, "chw_return_temp_c": 6.0},
    ],
    ids=["alone", "with power", "with a current", "with a flow", "with everything"],
)
@pytest.mark.parametrize("before", [(), ({"chw_supply_temp": 7.0, "chw_return_temp": 12.0, "power_kw": 150.0},)])
def test_swapped_chilled_water_sensors_are_refused_in_plain_words(metrics, before):
    (rejection,) = through_the_decoder(*before, metrics).rejections
    assert (rejection.reason, rejection.rule) == (RejectionReason.PHYSICS, "chiller.return_warmer_than_supply")
    assert rejection.explanation.startswith("Chilled water return must be warmer than supply: ")
    assert "Chilled water supply temperature 12 °C, Chilled water return temperature 6 °C" in rejection.explanation
    assert rejection.recommendation == "Check sensor wiring - supply and return may be swapped"
    assert rejection.cause == "sensor"
    assert (rejection.values["chw_supply_temp_c"], rejection.values["chw_return_temp_c"]) == (12.0, 6.0)


def test_strict_mode_says_each_problem_once_and_plain_numbers_without_a_unit():
    (rejection,) = judged("chiller", HEALTHY["chiller"] | {"chw_flow_m3_h": 1400.0}, strict=True).rejections
    assert rejection.explanation.count("The chiller cools more than its power can") == 1, "though it blames two tags"
    assert "Coefficient of performance 50.78, Electrical power 160 kW" in rejection.explanation


@pytest.mark.parametrize("idle", [{"power_kw": 0.0}, {"current_r": 0.0}, {"current_y": 0.4}])
def test_a_chiller_known_to_rest_may_have_any_temperatures(idle):
    assert through_the_decoder(SWAPPED | idle).rejections == ()


def test_a_chiller_that_may_rest_is_given_the_error_of_its_thermometers():
    assert through_the_decoder({"chw_supply_temp": 12.0, "chw_return_temp": 11.1}).rejections == ()


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("point", ["healthy", "rest"])
@given(data=st.data())
@settings(max_examples=15)
def test_bad_and_absent_tags_never_discard_the_good_ones(name, point, data):
    whole = dict(HEALTHY[name]) if point == "healthy" else at_rest(name)
    tags = sorted(whole)
    broken = data.draw(st.lists(st.sampled_from(tags), unique=True, max_size=len(tags) - 1))
    how = data.draw(st.lists(st.sampled_from([np.nan, 1e12, -1e12]), min_size=len(broken), max_size=len(broken)))
    result = judged(name, whole, whole | dict(zip(broken, how, strict=True)))
    hard = {tag.name for tag in CATALOGUE[name].tags if tag.hard_range}
    usable = set(tags) - {tag for tag, value in zip(broken, how, strict=True) if np.isnan(value) or tag in hard}
    assert result.rejections == () or not usable
    if usable:
        for tag in set(tags) - set(broken):
            assert result.frame.arrays[tag][1] == whole[tag]
            assert severity(int(result.frame.arrays[f"quality_{tag}"][1])) != "bad"


FAULTS = [(name, fault) for name, kind in KINDS.items() for fault in kind.faults]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[f"{name}-{fault}" for name, fault in FAULTS])
@pytest.mark.parametrize("every_s", [10.0, 300.0])
def test_a_machine_that_has_failed_is_no_broken_sensor_and_none_of_its_data_is_refused(name, fault, every_s):
    result = guarded(CATALOGUE[name], simulate(name, {fault: 1.0}, steps=150, every_s=every_s), every_s)
    assert result.rejections == ()
    said = {finding for text in result.frame.strings["findings"].to_list() if text for finding in text.split(";")}
    causes = {finding: explain(finding, CATALOGUE[name]).cause for finding in said}
    assert {finding for finding, cause in causes.items() if cause in ("sensor", "data")} == set()


DRIFTS = [
    ("chiller", "chw_flow_m3_h", 1.20, {"chiller.heat_balance_drift"}),
    ("chiller", "cdw_flow_m3_h", 0.85, {"chiller.heat_balance_drift"}),
    ("heat_exchanger", "cold_flow_kg_s", 1.15, {"exchanger.heat_balance_drift"}),
    ("turbine", "speed_c_rpm", 1.01, {"turbine.speed_sensors_agree"}),
    ("cooling_tower", "makeup_flow_m3_h", 3.0, {"tower.water_balance"}),
]


@pytest.mark.parametrize(("name", "tag", "factor", "rules"), DRIFTS, ids=[f"{d[0]}-{d[1]}" for d in DRIFTS])
def test_a_sensor_that_drifts_from_what_the_others_say_is_found_and_its_data_are_kept(name, tag, factor, rules):
    columns = simulate(name, {}, steps=600, every_s=300.0)
    columns[tag] = columns[tag] * np.linspace(1.0, factor, 600)
    result = guarded(CATALOGUE[name], columns, 300.0)
    texts = [text for text in result.frame.strings["findings"].to_list() if text]
    heard = {finding.partition(":")[0] for text in texts for finding in text.split(";")}
    assert rules <= heard
    assert result.rejections == ()
    assert any(finding.endswith(f":{tag}") for text in texts for finding in text.split(";"))


def test_of_three_speed_sensors_only_the_one_that_drifts_is_blamed():
    columns = simulate("turbine", {}, steps=600, every_s=60.0)
    columns["speed_b_rpm"] = columns["speed_b_rpm"] + np.linspace(0, 40, 600)
    texts = guarded(CATALOGUE["turbine"], columns, 60.0).frame.strings["findings"].to_list()
    assert set(filter(None, texts)) == {"turbine.speed_sensors_agree:speed_b_rpm"}
