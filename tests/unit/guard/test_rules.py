"""Physics rules: when they hold, what an unknown condition means, and who is at fault."""

import numpy as np
import pytest
from pydantic import ValidationError

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.guard_rules import PhysicsRule
from forewarn.contracts.quality import StatusCode
from forewarn.domain.guard.findings import explain
from forewarn.domain.guard.rules import broken, uncertain
from unit.guard.cases import FAN, HEALTHY, T0, batch, history, run, with_tag

NAN = float("nan")
RULE = {
    "id": "r",
    "column": "x",
    "minimum": 0,
    "severity": "warning",
    "blames": [],
    "message": "m",
    "recommendation": "r",
}


def rule(**changes) -> PhysicsRule:
    return PhysicsRule.model_validate(RULE | changes)


def columns(**values: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(column, dtype=np.float64) for name, column in values.items()}


def with_rules(*rules: dict) -> AssetClass:
    return AssetClass.model_validate(FAN.model_dump() | {"rules": [RULE | changes for changes in rules]})


RUNS = {"column": "speed", "above": 10}


@pytest.mark.parametrize(
    ("changes", "x", "speed", "expected"),
    [
        ({"when": RUNS}, -1, 20, True),
        ({"when": RUNS}, -1, 5, False),
        ({"when": RUNS}, -1, NAN, False),
        ({"when": RUNS, "severity": "reject"}, -1, NAN, True),
        ({"when": RUNS, "severity": "reject", "if_unknown": "skip"}, -1, NAN, False),
        ({"when": RUNS, "if_unknown": "apply"}, -1, NAN, True),
        ({"when": RUNS, "if_unknown": "apply", "slack_if_unknown": 2}, -1, NAN, False),
        ({"when": RUNS, "if_unknown": "apply", "slack_if_unknown": 2}, -3, NAN, True),
        ({"when": RUNS, "if_unknown": "apply", "slack_if_unknown": 2}, -1, 20, True),
        ({"when": RUNS, "severity": "reject"}, NAN, NAN, False),
    ],
)
def test_a_law_that_refuses_is_not_switched_off_by_a_missing_meter(changes, x, speed, expected):
    assert broken(rule(**changes), columns(x=[x], speed=[speed])).tolist() == [expected]


def test_a_difference_of_decimal_readings_that_is_the_bound_keeps_it():
    readings = columns(x=[5.8, 32.3, 32.3, 32.2], y=[6.3, 30.3, 30.2999, 26.2])  # in binary beside −0.5, 2, 2.0001, 6

    assert not broken(rule(minus="y", minimum=-0.5), readings)[0]
    assert broken(rule(minus="y", minimum=2), readings).tolist() == [True, False, False, False]
    assert broken(rule(minus="y", minimum=None, maximum=6), readings).tolist() == [False] * 4
    assert broken(rule(minus="y", minimum=None, maximum=2), readings).tolist() == [False, False, True, True]


def test_another_column_tells_where_the_first_is_unknown():
    condition = {**RUNS, "otherwise": {"column": "power", "above": 1, "otherwise": {"column": "current", "above": 2}}}
    known = columns(
        x=[-1] * 6,
        speed=[NAN, NAN, NAN, NAN, NAN, 5],
        power=[5, 0, NAN, NAN, NAN, 5],
        current=[0, 9, 9, 0, NAN, 9],
    )
    law = rule(when=condition, severity="reject")
    assert broken(law, known).tolist() == [True, False, True, False, True, False]
    assert uncertain(law.conditions, known).tolist() == [False, False, False, False, True, False]


def test_of_a_list_all_conditions_must_hold_and_one_that_does_not_decides():
    law = rule(when=[RUNS, {"column": "power", "below": 1}], if_unknown="apply")
    known = columns(x=[-1] * 5, speed=[20, 20, NAN, NAN, NAN], power=[0, 5, 0, 5, NAN])
    assert broken(law, known).tolist() == [True, False, True, False, True]


def test_a_condition_may_be_on_a_difference():
    law = rule(when={"column": "y", "minus": "z", "above": 0}, if_unknown="apply", slack_if_unknown=5)
    assert broken(law, columns(x=[-1, -1, -1, -9], y=[2, 1, NAN, NAN], z=[1, 2, 0, 0])).tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_bounds_may_be_for_a_difference():
    law = rule(minus="y", minimum=None, maximum=2)
    assert broken(law, columns(x=[5, 5, NAN], y=[2, 4, 0])).tolist() == [True, False, False]


def test_a_fault_of_the_machine_never_refuses_data():
    with pytest.raises(ValidationError, match="must not refuse its data"):
        rule(cause="machine", severity="reject")
    asset_class = with_rules(
        {
            "id": "fan.stuck",
            "column": "power_kw",
            "maximum": 30,
            "minimum": None,
            "cause": "machine",
            "blames": ["power_kw"],
        }
    )
    given = batch([("F1", T0, HEALTHY)], asset_class=asset_class)
    for strict in (False, True):
        result = run(given, strict=strict)
        assert result.counters.warned == 1
        assert result.frame.arrays["quality_power_kw"].tolist() == [StatusCode.GOOD]
        assert result.frame.strings["findings"].to_list() == ["fan.stuck:power_kw"]


def test_strict_mode_spares_what_shows_the_machines_condition_but_not_its_operation():
    document = FAN.model_dump()
    document["health"] = [
        {"column": "power_kw", "weight": 1, "good": 50, "bad": 90, "message": "Hot", "recommendation": "Cool"}
    ]
    watched = AssetClass.model_validate(document)
    overloaded = [("F1", T0, with_tag("power_kw", 120.0))]
    assert run(batch(overloaded, asset_class=watched), strict=True).counters.warned == 1
    assert run(batch(overloaded), strict=True).counters.rejected == 1
    assert explain("engineering_range:power_kw", watched).cause == "machine"
    assert explain("engineering_range:power_kw", FAN).cause == "process"


@pytest.mark.parametrize(
    ("finding", "cause", "seen"),
    [
        ("missing:power_kw", "sensor", ("power_kw",)),
        ("gateway_bad:power_kw", "sensor", ("power_kw",)),
        ("hard_range:speed_rpm", "sensor", ("speed_rpm",)),
        ("spike:speed_rpm", "sensor", ("speed_rpm",)),
        ("frozen:inlet_bar", "sensor", ("inlet_bar",)),
        ("fan.no_power_at_rest:speed_rpm", "sensor", ("power_kw", "speed_rpm")),
        ("fan.pressure_rises:inlet_bar", "sensor", ("head_m", "inlet_bar", "outlet_bar", "speed_rpm")),
        ("estimated:head_m", "data", ("head_m",)),
    ],
)
def test_every_finding_names_what_is_at_fault_and_what_it_looked_at(finding, cause, seen):
    explanation = explain(finding, FAN)
    assert (explanation.cause, explanation.columns) == (cause, seen)


def test_a_refusal_carries_the_values_it_looked_at():
    physics, nothing, strict = (
        run(history([with_tag("inlet_bar", 9.0)])).rejections[0],
        run(history([[NAN, 1e9, NAN, NAN]])).rejections[0],
        run(history([(0.0, 1.0, 1.0, 40.0)]), strict=True).rejections[0],
    )
    assert physics.values["inlet_bar"] == 9.0
    assert physics.values["speed_rpm"] == 1000.0
    assert physics.values["head_m"] == pytest.approx(-40.79, abs=0.01)
    assert physics.explanation.endswith("suspected: sensor")
    assert (nothing.cause, nothing.values["inlet_bar"], nothing.values["power_kw"]) == ("sensor", 1e9, None)
    assert strict.values == {"power_kw": 40.0, "speed_rpm": 0.0}
