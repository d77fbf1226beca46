"""Machines without a sensor: the nameplate stands in, and it is said."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.catalogue.rules import rule_findings
from forewarn.contracts.frames import Verdict
from forewarn.contracts.quality import StatusCode
from forewarn.domain.guard.batch import GuardResult, GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.estimates import estimable
from forewarn.domain.guard.state import GuardState
from support.raw_batches import raw_batch, rows_of
from unit.guard.cases import HEALTHY, T0, S, batch, history, run, with_tag

PLATE = {"usual_outlet_kpa": 500.0}
WITHOUT_OUTLET = with_tag("outlet_bar", np.nan)
HEAD_M = 4e5 / (1000 * 9.80665)  # 5 bar over 1 bar

CHILLER = load_catalogue()["chiller"]
#: What gateways of chillers without flow meters send.
COMMON = {
    "chw_supply_temp_c": 6.7,
    "chw_return_temp_c": 12.2,
    "cdw_inlet_temp_c": 29.4,
    "cdw_outlet_temp_c": 34.6,
    "power_kw": 300.0,
    "vibration_mm_s": 1.8,
    "current_r_a": 480.0,
    "current_y_a": 482.0,
    "current_b_a": 479.0,
}


def findings(result: GuardResult) -> list[str | None]:
    return result.frame.strings["findings"].to_list()


def chiller(plate: dict[str, float], **values: float) -> GuardResult:
    given = raw_batch(CHILLER, [T0], rows_of(CHILLER, [{**COMMON, **values}]), "CH-1")
    return check(given, GuardState.empty(CHILLER), GuardSettings(), {"CH-1": plate})


def test_the_nameplate_stands_in_for_a_tag_never_sent_and_the_column_is_said_to_be_estimated():
    result = run(history([WITHOUT_OUTLET] * 3), F1=PLATE)
    np.testing.assert_allclose(result.frame.arrays["head_m"], [HEAD_M] * 3)
    assert findings(result) == ["estimated:head_m"] * 3


def test_the_tag_itself_stays_unknown():
    result = run(history([WITHOUT_OUTLET]), F1=PLATE)
    assert np.isnan(result.frame.arrays["outlet_bar"]).all()
    assert result.frame.arrays["quality_outlet_bar"].tolist() == [StatusCode.BAD_NO_DATA]


@pytest.mark.parametrize("strict", [False, True])
def test_an_estimate_is_no_reason_for_a_warning_nor_for_strict_mode(strict):
    result = run(history([WITHOUT_OUTLET]), strict=strict, F1=PLATE)
    assert result.frame.arrays["verdict"].tolist() == [Verdict.ACCEPTED]
    assert result.counters.accepted == 1


def test_a_warning_beside_an_estimate_stays_one():
    result = run(history([with_tag("power_kw", 120.0, WITHOUT_OUTLET)]), F1=PLATE)
    assert findings(result) == ["engineering_range:power_kw;estimated:head_m"]
    assert result.frame.arrays["verdict"].tolist() == [Verdict.WARNING]


@pytest.mark.parametrize("plate", [{}, {"usual_outlet_kpa": 0.0}, {"usual_outlet_kpa": np.nan}])
def test_what_the_asset_does_not_state_is_not_estimated_with_the_classs_default(plate):
    result = run(history([WITHOUT_OUTLET]), F1=plate)
    assert np.isnan(result.frame.arrays["head_m"]).all()
    assert findings(result) == [None]


def test_each_asset_has_its_own_nameplate():
    result = run(batch([("F1", T0, WITHOUT_OUTLET), ("F2", T0, WITHOUT_OUTLET)]), F2=PLATE)
    np.testing.assert_allclose(result.frame.arrays["head_m"], [np.nan, HEAD_M])
    assert findings(result) == [None, "estimated:head_m"]


def test_a_sensor_that_fails_leaves_unknown_what_it_measured_in_this_batch_and_in_the_next():
    first = run(history([HEALTHY, WITHOUT_OUTLET]), F1=PLATE)
    later = run(batch([("F1", T0 + 60 * S, WITHOUT_OUTLET)]), first.state, F1=PLATE)
    np.testing.assert_allclose(first.frame.arrays["head_m"], [HEAD_M, np.nan])
    assert np.isnan(later.frame.arrays["head_m"]).all()
    assert findings(first) == [None, "missing:outlet_bar"]
    assert findings(later) == ["missing:outlet_bar"]


def test_a_sensor_that_is_bad_from_the_start_is_not_replaced():
    result = run(history([with_tag("outlet_bar", np.inf)]), F1=PLATE)
    assert np.isnan(result.frame.arrays["head_m"]).all()
    assert "estimated:head_m" not in (findings(result)[0] or "")


def test_a_tag_without_a_value_that_the_gateway_calls_bad_is_a_sensor_that_failed():
    given = batch([("F1", T0, WITHOUT_OUTLET)], quality={(0, 2): StatusCode.BAD})
    result = run(given, F1=PLATE)
    assert np.isnan(result.frame.arrays["head_m"]).all()
    assert findings(result) == ["gateway_bad:outlet_bar"]


def test_what_is_measured_is_never_replaced():
    result = run(history([HEALTHY]), F1={"usual_outlet_kpa": 900.0})
    np.testing.assert_allclose(result.frame.arrays["head_m"], [HEAD_M])
    assert findings(result) == [None]


def test_an_unknown_beside_the_stand_in_is_no_estimate():
    result = run(history([with_tag("inlet_bar", np.nan, WITHOUT_OUTLET)]), F1=PLATE)
    assert np.isnan(result.frame.arrays["head_m"]).all()
    assert findings(result) == [None]


def test_an_estimate_that_breaks_a_physics_rule_refuses_no_reading():
    result = run(history([WITHOUT_OUTLET]), F1={"usual_outlet_kpa": 20.0})  # below the inlet
    assert result.rejections == ()
    assert result.frame.arrays["head_m"][0] < 0


def test_a_chiller_without_flow_meters_has_an_estimated_cop_from_its_rated_flow():
    result = chiller({"rated_chw_flow_m3_h": 220.0})
    assert result.frame.arrays["cop"][0] == pytest.approx(4.7, abs=0.1)
    assert findings(result) == ["estimated:cooling_kw;estimated:cooling_tons;estimated:kw_per_ton;estimated:cop"]
    assert np.isnan(result.frame.arrays["heat_rejected_kw"][0])
    assert not np.isnan(result.frame.arrays["chw_delta_t_k"][0])


def test_a_chiller_without_flow_meters_and_rated_flow_has_no_cop():
    result = chiller({})
    assert np.isnan(result.frame.arrays["cop"][0])
    assert findings(result) == [None]


def test_everything_computed_from_an_estimate_can_be_one_and_names_the_tags_behind_it():
    behind = estimable(CHILLER)
    assert behind["kw_per_ton"] == ("chw_flow_m3_h",)
    assert set(behind["energy_balance_pct"]) == {"chw_flow_m3_h", "cdw_flow_m3_h"}
    assert "evaporator_approach_k" not in behind


def test_a_fallback_must_be_a_nameplate_field():
    raw = CHILLER.model_dump(mode="json")
    raw["tags"][0]["fallback"] = "power_kw"
    found = [(at, text) for at, text in rule_findings(raw) if at[-1] == "fallback"]
    assert [at for at, _ in found] == [("tags", 0, "fallback")]
    assert found[0][1].startswith("there is no nameplate field 'power_kw'")
