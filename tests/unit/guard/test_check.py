from dataclasses import fields, replace

import numpy as np
import pytest

from forewarn.contracts.frames import FrameKind
from forewarn.contracts.quality import StatusCode
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.frames.frame import Strings
from forewarn.domain.guard.batch import GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.findings import explain
from forewarn.domain.guard.state import GuardState
from unit.guard.cases import FAN, HEALTHY, T0, S, batch, history, run, with_tag

NAN = float("nan")


def test_healthy_readings_are_accepted_with_derived_quantities():
    result = run(history([HEALTHY, HEALTHY]), F1={"density_kg_m3": 500.0})
    assert result.frame.kind is FrameKind.VALID
    assert result.counters.accepted == 2
    assert result.rejections == ()
    assert result.frame.strings["findings"].to_list() == [None, None]
    assert result.frame.arrays["quality_power_kw"].tolist() == [0, 0]
    assert result.frame.arrays["head_m"] == pytest.approx(4e5 / (500 * 9.80665))


def test_a_nameplate_value_not_stated_is_the_default_of_the_class():
    assert run(history([HEALTHY])).frame.arrays["head_m"] == pytest.approx(4e5 / (1000 * 9.80665))


def test_nothing_comes_of_an_empty_batch():
    result = run(history([]))
    assert result.frame.rows == 0
    assert result.state.assets == ()


@pytest.mark.parametrize(
    ("age_s", "accepted"), [(0, True), (7 * 86400, True), (7 * 86400 + 1, False), (-600, True), (-601, False)]
)
def test_event_times_far_from_the_receipt_are_refused(age_s, accepted):
    result = run(batch([("F1", T0, HEALTHY)], received_at=[T0 + age_s * S]))
    assert result.frame.rows == accepted
    if not accepted:
        assert result.rejections[0].reason is RejectionReason.OUTSIDE_TIME_WINDOW
        assert result.state.assets == (), "an absurd time must not become the newest one"


@pytest.mark.parametrize(("age_s", "accepted"), [(40 * 365 * 86400, True), (-600, True), (-601, False)])
def test_historical_readings_may_be_of_any_age_but_not_from_the_future(age_s, accepted):
    given = batch([("F1", T0, HEALTHY)], received_at=[T0 + age_s * S])
    result = run(replace(given, historical=np.array([True])))
    assert result.frame.arrays["historical"].tolist() == [True] * accepted
    assert result.frame.arrays["late"].tolist() == [False] * accepted


def test_history_behind_the_newest_reading_is_late_like_any_other():
    first = run(batch([("F1", T0 + 10 * S, HEALTHY)]))
    assert first.frame.arrays["historical"].tolist() == [False]
    second = run(replace(batch([("F1", T0, HEALTHY)]), historical=np.array([True])), first.state)
    assert (second.frame.arrays["late"].tolist(), second.frame.arrays["historical"].tolist()) == ([True], [True])
    np.testing.assert_array_equal(second.state.newest_ts, first.state.newest_ts)


def test_absurd_event_times_are_refused_without_overflow():
    result = run(batch([("F1", 2**63 - 1, HEALTHY), ("F1", -(2**63) + 1, HEALTHY)], received_at=[T0, T0]))
    assert [r.reason for r in result.rejections] == [RejectionReason.OUTSIDE_TIME_WINDOW] * 2
    assert "e+" not in result.rejections[0].explanation, "days are plain figures"


def test_a_second_reading_of_the_newest_time_is_dropped_and_counted():
    result = run(batch([("F1", T0, HEALTHY), ("F1", T0, HEALTHY), ("F2", T0, HEALTHY)]))
    assert result.frame.rows == 2
    assert result.counters.duplicate == 1
    assert result.rejections == ()
    again = run(batch([("F1", T0, HEALTHY)]), result.state)
    assert (again.frame.rows, again.counters.duplicate) == (0, 1)


def test_a_corrected_reading_of_the_newest_time_is_no_duplicate_of_a_refused_one():
    swapped = with_tag("inlet_bar", 9.0)
    first = run(history([swapped]))
    assert first.rejections[0].reason is RejectionReason.PHYSICS
    assert run(history([HEALTHY]), first.state).frame.rows == 1
    assert run(history([swapped, HEALTHY], every_s=0)).frame.rows == 1


def test_late_readings_pass_into_history_and_are_not_remembered():
    first = run(batch([("F1", T0 + 10 * S, HEALTHY)]))
    second = run(batch([("F1", T0, with_tag("speed_rpm", 500.0))]), first.state)
    assert second.frame.arrays["late"].tolist() == [True]
    assert second.counters.late == 1
    assert second.frame.arrays["quality_speed_rpm"].tolist() == [StatusCode.GOOD], "late values are no spikes"
    for field in fields(GuardState):
        np.testing.assert_array_equal(getattr(first.state, field.name), getattr(second.state, field.name))


def test_a_value_outside_its_engineering_range_is_kept_as_uncertain():
    result = run(history([with_tag("power_kw", 120.0)]))
    assert result.frame.arrays["power_kw"].tolist() == [120.0]
    assert result.frame.arrays["quality_power_kw"].tolist() == [StatusCode.UNCERTAIN_ENGINEERING_UNITS_EXCEEDED]
    assert result.frame.arrays["verdict"].tolist() == [1]
    assert result.frame.strings["findings"].to_list() == ["engineering_range:power_kw"]


@pytest.mark.parametrize("value", [-1e300, 5001.0, float("inf")])
def test_an_impossible_value_is_bad_and_leaves_the_other_tags_alone(value):
    result = run(history([with_tag("speed_rpm", value)]))
    assert np.isnan(result.frame.arrays["speed_rpm"]).all()
    assert result.frame.arrays["quality_speed_rpm"].tolist() == [StatusCode.BAD_OUT_OF_RANGE]
    assert result.frame.arrays["power_kw"].tolist() == [40.0]
    assert result.frame.strings["findings"].to_list() == ["hard_range:speed_rpm"]


def test_infinity_is_impossible_even_without_a_hard_range():
    result = run(history([with_tag("power_kw", float("inf"))]))
    assert result.frame.arrays["quality_power_kw"].tolist() == [StatusCode.BAD_OUT_OF_RANGE]


def test_a_lone_jump_is_a_spike_and_the_return_is_good():
    result = run(history([HEALTHY, with_tag("speed_rpm", 1400.0), HEALTHY]))
    assert result.frame.arrays["quality_speed_rpm"].tolist() == [0, StatusCode.BAD_SENSOR_FAILURE, 0]
    assert np.isnan(result.frame.arrays["speed_rpm"][1])
    assert result.frame.strings["findings"].to_list() == [None, "spike:speed_rpm", None]


def test_a_jump_that_the_next_reading_confirms_was_a_step():
    step = with_tag("speed_rpm", 1400.0)
    result = run(history([HEALTHY, step, step, step]))
    assert result.frame.arrays["quality_speed_rpm"].tolist() == [0, StatusCode.BAD_SENSOR_FAILURE, 0, 0]


def test_a_fast_change_over_a_long_time_is_no_spike():
    result = run(history([HEALTHY, with_tag("speed_rpm", 1400.0)], every_s=4.0))
    assert result.counters.accepted == 2


def test_noise_between_close_readings_is_no_slope():
    result = run(history([HEALTHY, with_tag("speed_rpm", 1090.0)], every_s=0.001))
    assert result.counters.accepted == 2


def test_a_value_that_stays_the_same_while_the_machine_runs_is_a_frozen_sensor():
    rows = [(1000.0 + i % 3, 1.0, 5.0 + i % 2, 40.0 + i % 2) for i in range(60)]
    result = run(history(rows))
    frozen = result.frame.arrays["quality_inlet_bar"] == StatusCode.BAD_SENSOR_FAILURE
    assert np.flatnonzero(frozen).tolist() == list(range(50, 60))
    assert np.isnan(result.frame.arrays["inlet_bar"][50:]).all()
    thawed = run(batch([("F1", T0 + 60 * S, with_tag("inlet_bar", 1.1))]), result.state)
    assert thawed.counters.accepted == 1


def test_a_value_that_stays_the_same_while_the_machine_rests_is_no_frozen_sensor():
    rest = run(history([(0.0, 1.0, 1.0, 0.0)] * 100))
    assert rest.counters.accepted == 100
    started = run(batch([("F1", T0 + (100 + i) * S, (20.0 * i, 1.0, 5.0, 40.0)) for i in range(40)]), rest.state)
    assert started.counters.warned == 1, "only the power at rest of the first reading"


def test_few_equal_readings_far_apart_prove_no_frozen_sensor():
    rows = [(1000.0 + i % 3, 1.0, 5.0, 40.0) for i in range(30)]
    for every_s in (20.0, 3600.0):
        findings = run(history(rows, every_s=every_s)).frame.strings["findings"].to_list()
        assert findings == [None] * 23 + ["frozen:inlet_bar"] * 7


def test_an_absent_tag_is_no_data_and_a_warning_only_if_it_came_before():
    never = run(history([with_tag("power_kw", NAN)]))
    assert never.frame.arrays["quality_power_kw"].tolist() == [StatusCode.BAD_NO_DATA]
    assert never.counters.accepted == 1
    vanished = run(history([HEALTHY, with_tag("power_kw", NAN), with_tag("power_kw", NAN)]))
    assert vanished.frame.strings["findings"].to_list() == [None, "missing:power_kw", "missing:power_kw"]


def test_the_gateway_knows_bad_and_uncertain_values():
    codes = {(0, 3): StatusCode.BAD, (1, 3): StatusCode.UNCERTAIN}
    result = run(batch([("F1", T0, HEALTHY), ("F1", T0 + S, HEALTHY)], quality=codes))
    assert result.frame.arrays["quality_power_kw"].tolist() == [StatusCode.BAD, StatusCode.UNCERTAIN]
    np.testing.assert_array_equal(result.frame.arrays["power_kw"], [NAN, 40.0])
    assert result.frame.strings["findings"].to_list() == ["gateway_bad:power_kw", "gateway_uncertain:power_kw"]


def test_a_reading_against_a_law_of_nature_is_refused_with_its_values_in_plain_words():
    result = run(history([with_tag("inlet_bar", 9.0)]))
    assert result.frame.rows == 0
    rejection = result.rejections[0]
    assert (rejection.row, rejection.reason, rejection.rule) == (0, RejectionReason.PHYSICS, "fan.pressure_rises")
    assert "Outlet must be above inlet: Head is -40.79 m, must be at least 0 m" in rejection.explanation
    assert "Inlet pressure 9 bar, Outlet pressure 5 bar" in rejection.explanation
    assert rejection.recommendation == "Check wiring"


def test_a_law_that_only_warns_makes_the_blamed_tags_uncertain():
    result = run(history([(0.0, 1.0, 1.0, 40.0)]))
    assert result.frame.arrays["quality_power_kw"].tolist() == [StatusCode.UNCERTAIN_SENSOR_CALIBRATION]
    assert result.frame.arrays["quality_inlet_bar"].tolist() == [StatusCode.GOOD]
    findings = result.frame.strings["findings"].to_list()
    assert findings == ["fan.no_power_at_rest:power_kw;fan.no_power_at_rest:speed_rpm"]


def test_a_law_is_not_applied_where_what_it_judges_is_unknown():
    result = run(batch([("F1", T0, with_tag("inlet_bar", 9.0))], quality={(0, 2): StatusCode.BAD}))
    assert result.frame.rows == 1


def test_strict_mode_refuses_what_would_pass_with_a_warning():
    result = run(history([with_tag("power_kw", 120.0), HEALTHY]), strict=True)
    assert result.counters == result.counters.__class__(accepted=1, rejected=1)
    rejection = result.rejections[0]
    assert (rejection.reason, rejection.rule) == (RejectionReason.STRICT_MODE, "engineering_range")
    assert "Power 120 kW" in rejection.explanation


def test_a_reading_without_any_usable_value_is_refused():
    empty, impossible = [NAN] * 4, [1e9, 1e9, float("inf"), float("inf")]
    result = run(history([empty, impossible]))
    assert [r.rule for r in result.rejections] == ["no_usable_value"] * 2
    assert {r.reason for r in result.rejections} == {RejectionReason.NO_VALUE}
    assert "Speed 1e+09 min⁻¹" in result.rejections[1].explanation


def test_rows_keep_the_order_of_arrival():
    result = run(batch([("B", T0, HEALTHY), ("A", T0, HEALTHY), ("B", T0 + S, HEALTHY)]))
    assert result.frame.assets.to_list() == ["B", "A", "B"]
    assert result.rows.tolist() == [0, 1, 2]
    assert result.state.assets == ("B", "A")


def test_a_state_of_another_class_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        check(history([]), GuardState.empty(FAN.model_copy(update={"name": "pump"})), GuardSettings(), {})


def test_a_batch_whose_columns_differ_in_length_is_refused():
    good = history([HEALTHY])
    with pytest.raises(ValueError, match="seq has shape"):
        RawBatch(
            asset_class=FAN,
            assets=good.assets,
            ts=good.ts,
            received_at=good.received_at,
            seq=good.seq[:0],
            values=good.values,
            gateway_quality=good.gateway_quality,
        )
    with pytest.raises(ValueError, match="names no asset"):
        RawBatch(
            asset_class=FAN,
            assets=Strings.of([None]),
            ts=good.ts,
            received_at=good.received_at,
            seq=good.seq,
            values=good.values,
            gateway_quality=good.gateway_quality,
        )


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ("missing:power_kw", "Power is missing"),
        ("hard_range:speed_rpm", "outside -10 to 5000 min⁻¹"),
        ("engineering_range:speed_rpm", "outside its range of 0 to 1500 min⁻¹"),
        ("spike:speed_rpm", "faster than 100 min⁻¹ a second"),
        ("frozen:inlet_bar", "more than 50 s"),
        ("gateway_bad:inlet_bar", "The gateway reports Inlet pressure as bad"),
        ("gateway_uncertain:inlet_bar", "The gateway reports Inlet pressure as uncertain"),
        ("fan.no_power_at_rest:power_kw", "Power at rest"),
        ("estimated:head_m", "Head is estimated from nameplate values; not measured: Outlet"),
    ],
)
def test_every_finding_can_be_explained(finding, words):
    explanation = explain(finding, FAN)
    assert words in explanation.message
    assert explanation.recommendation


@pytest.mark.parametrize("finding", ["", "spike:nothing", "nothing:power_kw", "spike", "estimated:power_kw"])
def test_an_unknown_finding_is_an_error(finding):
    with pytest.raises(ValueError, match="has no finding"):
        explain(finding, FAN)
