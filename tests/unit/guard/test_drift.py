"""Redundant sensors: noise and a lone outlier say nothing, a drift blames who has left the others."""

import numpy as np
import pytest
from pydantic import ValidationError

from forewarn.contracts.guard_rules import RedundantSensors
from forewarn.contracts.quality import StatusCode
from forewarn.domain.guard.batch import GuardResult
from forewarn.domain.guard.findings import explain
from forewarn.domain.guard.state import GuardState, dump, load
from unit.guard.cases import LOOP, STEADY, T0, S, batch, run

STEPS, EVERY_S = 400, 60.0


def readings(*, noise: float = 0.0, start: int = 0, steps: int = STEPS, seed: int = 1, **offsets):
    """Steady readings with noise, and for some tags an offset per step."""
    values = np.tile(np.array(STEADY), (steps, 1))
    values[:, :5] += noise * np.random.default_rng(seed).standard_normal((steps, 5))
    for tag, offset in offsets.items():
        values[:, LOOP.tag_names.index(tag)] += np.broadcast_to(offset, steps)
    rows = [("L1", T0 + int((start + i) * EVERY_S * S), row) for i, row in enumerate(values)]
    return batch(rows, asset_class=LOOP)


def found(result: GuardResult) -> set[str]:
    texts = [text for text in result.frame.strings["findings"].to_list() if text]
    return {finding for text in texts for finding in text.split(";")}


def first_row(result: GuardResult, finding: str) -> int:
    texts = result.frame.strings["findings"].to_list()
    return next(i for i, text in enumerate(texts) if text and finding in text)


@pytest.mark.parametrize("seed", range(5))
def test_noise_as_large_as_the_tolerance_is_no_drift(seed):
    assert found(run(readings(noise=1.0, steps=5000, seed=seed))) == set()


def test_the_one_of_three_that_leaves_the_others_is_blamed_and_becomes_uncertain_but_stays():
    result = run(readings(noise=0.2, temp_c_c=np.linspace(0, 3, STEPS)))
    assert found(result) == {"loop.temperatures:temp_c_c"}
    row = first_row(result, "temp_c_c")
    drift = 3 * row / STEPS
    assert 1.0 < drift < 1.5  # a little later than the tolerance, for it is smoothed
    assert result.frame.arrays["quality_temp_c_c"][-1] == StatusCode.UNCERTAIN_SENSOR_CALIBRATION
    assert result.frame.arrays["quality_temp_a_c"][-1] == StatusCode.GOOD
    assert not np.isnan(result.frame.arrays["temp_c_c"]).any()
    assert result.counters.rejected == 0


def test_of_two_both_are_suspected():
    result = run(readings(flow_b_m3_h=20.0))
    assert found(result) == {"loop.flows:flow_a_m3_h", "loop.flows:flow_b_m3_h"}
    codes = {int(result.frame.arrays[f"quality_flow_{which}_m3_h"][-1]) for which in "ab"}
    assert codes == {StatusCode.UNCERTAIN_SENSOR_CALIBRATION}


def test_two_that_are_left_of_three_are_both_suspected_with_the_full_tolerance():
    near = run(readings(temp_c_c=np.nan, temp_b_c=0.9))
    far = run(readings(temp_c_c=np.nan, temp_b_c=1.2))
    assert found(near) == set()
    assert found(far) == {"loop.temperatures:temp_a_c", "loop.temperatures:temp_b_c"}


def test_one_alone_is_not_compared():
    assert found(run(readings(temp_b_c=np.nan, temp_c_c=np.nan, temp_a_c=20.0))) == set()


@pytest.mark.parametrize(("offset", "drifted"), [(6.0, False), (8.0, True)])
def test_a_share_of_the_value_is_tolerated(offset, drifted):
    assert bool(found(run(readings(flow_b_m3_h=offset)))) == drifted  # 2 + 5 % of 100 m3/h


def test_nothing_is_compared_while_the_condition_is_not_known_to_hold():
    for idle in (-39.0, np.nan):
        assert found(run(readings(flow_b_m3_h=50.0, power_kw=idle))) == set()


def test_a_residual_that_stays_away_from_zero_names_its_cause_and_leaves_true_values_good():
    result = run(readings(temp_a_c=4.0, temp_c_c=2.0))
    assert "loop.gap:temp_a_c" in found(result)
    assert explain("loop.gap:temp_a_c", LOOP).cause == "process"
    assert result.frame.arrays["quality_temp_b_c"][-1] == StatusCode.UNCERTAIN_SENSOR_CALIBRATION  # the triple says so


def test_one_outlier_is_no_drift_however_large():
    jump = np.zeros(STEPS)
    jump[200] = 29.0
    assert found(run(readings(temp_b_c=jump))) == set()


def test_few_readings_far_apart_prove_no_drift():
    rows = [("L1", T0 + i * 86_400 * S, (60.0, 60.0, 62.0, 100.0, 100.0, 40.0)) for i in range(5)]
    assert found(run(batch(rows, asset_class=LOOP))) == set()


def test_late_and_repeated_readings_are_not_compared():
    first = run(readings(steps=5))
    again = run(readings(steps=5, temp_b_c=50.0), first.state)
    np.testing.assert_array_equal(again.state.drift, first.state.drift)


def test_the_finding_ends_when_the_sensor_is_calibrated():
    drifted = run(readings(temp_c_c=3.0))
    mended = run(readings(start=STEPS), drifted.state)
    assert first_row(drifted, "loop.temperatures:temp_c_c") > 0
    texts = mended.frame.strings["findings"].to_list()
    assert texts[0] is not None
    assert texts[-1] is None


def test_drift_survives_a_restart():
    half = run(readings(temp_c_c=0.9))
    restored = load(dump([half.state]), {"loop": LOOP})["loop"]
    rest = readings(start=STEPS, temp_c_c=1.5)
    assert found(run(rest, restored)) == found(run(rest, half.state)) == {"loop.temperatures:temp_c_c"}
    fresh = run(rest)
    kept = run(rest, restored)
    assert first_row(kept, "temp_c_c") < first_row(fresh, "temp_c_c")


def test_assets_do_not_mix():
    good, bad = readings(), readings(temp_c_c=5.0)
    rows = [(name, int(one.ts[i]), one.values[i]) for i in range(STEPS) for name, one in (("A", good), ("B", bad))]
    frame = run(batch(rows, asset_class=LOOP)).frame
    blamed = {a for a, text in zip(frame.assets.to_list(), frame.strings["findings"].to_list(), strict=True) if text}
    assert blamed == {"B"}


def test_what_a_changed_class_still_watches_is_kept():
    state = run(readings(flow_b_m3_h=5.0, temp_c_c=0.5)).state
    changed = LOOP.model_copy(update={"redundant": LOOP.redundant[1:]})
    assert state.watched == (*(f"loop.temperatures/temp_{which}_c" for which in "abc"), "loop.flows", "loop.gap")
    kept = state.aligned(changed)
    assert kept.watched == ("loop.flows", "loop.gap")
    np.testing.assert_array_equal(kept.drift, state.drift[:, 3:])
    assert GuardState.empty(changed).watched == kept.watched


def test_strict_mode_refuses_a_drifted_sensor_with_the_values_compared():
    result = run(readings(temp_c_c=3.0), strict=True)
    rejection = result.rejections[-1]
    assert (rejection.rule, rejection.cause) == ("loop.temperatures", "sensor")
    assert rejection.values == {"temp_a_c": 60.0, "temp_b_c": 60.0, "temp_c_c": 63.0}
    assert "Temperature c 63 °C" in rejection.explanation


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tolerance": 0}, "no two sensors agree exactly"),
        ({"columns": ["a"], "tolerance": 0, "tolerance_pct": 5}, "needs 'tolerance' above 0"),
        ({"columns": ["a", "a"]}, "compared with itself"),
        ({"columns": ["a", "b", "c"], "blames": ["a"]}, "drop 'blames'"),
    ],
)
def test_a_group_that_cannot_be_compared_is_refused(changes, complaint):
    group = {"id": "x", "columns": ["a", "b"], "tolerance": 1, "time_constant_s": 1, "message": "m"}
    with pytest.raises(ValidationError, match=complaint):
        RedundantSensors.model_validate(group | {"recommendation": "r"} | changes)
