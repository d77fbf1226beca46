import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forewarn.contracts.frames import FrameKind, Hint, Phase
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step
from unit.anomaly.cases import RESPONSES, baseline, calibrated, judged, residuals, run_anomaly
from unit.twin.cases import COUPLED, DRIVEN, T0, S, driven


def shifted(rows, seed=5, start=420, **bias):
    values = residuals(rows, seed)
    for name, size in bias.items():
        values[:, RESPONSES.index(name)] += size
    return judged(values, start=start)


def test_a_baseline_waits_for_the_row_after_it():
    state, out = run_anomaly([baseline(100)])
    assert out.rows == 0
    assert state.baselines["M-1"].version == 1
    _, out = run_anomaly([judged(residuals(1, 9), start=100)], state=state)
    assert out.arrays["seq"].tolist() == list(range(101))
    assert out.arrays["phase"].tolist() == [Phase.BASELINE] * 100 + [Phase.LIVE]


def test_the_baseline_is_scored_but_never_flagged():
    values = residuals(400)
    values[200:205] += 20
    wild = judged(values, phase=Phase.BASELINE)
    _, out = run_anomaly([wild, judged(residuals(1, 2), start=400)])
    scored = ~np.isnan(out.arrays["score"][:400])
    assert scored[4:].all()
    assert not scored[:4].any()
    assert out.arrays["score"][206] > 70
    assert not out.arrays["flag"][:400].any()


def test_healthy_p_values_of_the_baseline_are_uniform():
    _, out = run_anomaly([baseline(2000), judged(residuals(1, 2), start=2000)])
    p = out.arrays["p_value"][50:2000]
    for level in (0.05, 0.1, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.02)


def test_healthy_rows_are_hardly_ever_flagged():
    flagged = 0
    for seed in range(20):
        state, _ = run_anomaly([baseline(400, seed=100 + seed)])
        _, out = run_anomaly([judged(residuals(2000, seed), start=400)], state=state)
        flagged += int(out.arrays["flag"].sum())
    assert flagged / 40_000 < 0.002


def test_a_lasting_bias_is_flagged_within_a_window():
    _, out = run_anomaly([shifted(60, b=3.0)], state=calibrated())
    onset = int(np.argmax(out.arrays["flag"]))
    assert 2 <= onset <= 15
    assert out.arrays["flag"][20:].all()
    assert set(out.strings["culprit"].to_list()[20:]) == {"b"}
    assert (out.arrays["p_value"][20:] < 1e-3).all()
    assert (out.arrays["score"][20:] > 70).all()


def test_a_single_wild_reading_is_not_flagged():
    values = residuals(60, 5)
    values[30, 0] = 6.0
    _, out = run_anomaly([judged(values, start=420)], state=calibrated())
    assert not out.arrays["flag"].any()


def test_the_flag_goes_when_the_machine_is_healthy_again():
    _, out = run_anomaly([shifted(60, a=4.0), judged(residuals(60, 6), start=480)], state=calibrated())
    assert out.arrays["flag"][59]
    assert not out.arrays["flag"][59 + 25 :].any()


def test_contributions_are_shares():
    values = residuals(80, 5)
    values[:, 2] = np.nan
    _, out = run_anomaly([judged(values, start=420)], state=calibrated())
    shares = np.stack([out.arrays[f"contribution_{name}"] for name in RESPONSES], axis=1)
    np.testing.assert_allclose(np.nansum(shares[20:], axis=1), 1.0, rtol=1e-5)
    assert np.isnan(shares[20:, 2]).all()
    assert (np.nan_to_num(shares) >= 0).all()


def test_unflagged_rows_name_neither_culprit_nor_hint():
    _, out = run_anomaly([judged(residuals(60, 5), start=420)], state=calibrated())
    assert set(out.strings["culprit"].to_list()) == {None}
    assert set(out.arrays["hint"].tolist()) == {Hint.NONE}


def test_late_rows_have_no_score_and_leave_no_trace():
    state = calibrated()
    after, out = run_anomaly([judged(residuals(20, 7) + 50, start=100, late=np.ones(20))], state=state)
    assert np.isnan(out.arrays["score"]).all()
    assert not out.arrays["flag"].any()
    assert dump([after]) == dump([state])


def test_rows_without_residual_have_no_score_and_leave_no_trace():
    state = calibrated()
    after, out = run_anomaly([judged(np.full((20, 4), np.nan), start=420)], state=state)
    assert np.isnan(out.arrays["score"]).all()
    assert np.isnan(out.arrays["p_value"]).all()
    assert dump([after]) == dump([state])


def test_a_long_gap_starts_the_smoothing_anew():
    state = calibrated()
    _, out = run_anomaly([shifted(30, a=8.0), shifted(30, start=500, seed=6, a=8.0)], state=state)
    assert out.arrays["flag"][29]
    assert np.isnan(out.arrays["score"][30:34]).all()
    assert not np.isnan(out.arrays["score"][34:]).any()
    assert not out.arrays["flag"][30:34].any()


def test_a_short_gap_does_not():
    _, out = run_anomaly([shifted(30), shifted(30, start=458)], state=calibrated())
    assert not np.isnan(out.arrays["score"]).any()


def test_rows_that_no_model_has_judged_pass_at_once():
    _, out = run_anomaly([judged(np.full((5, 4), np.nan), phase=Phase.BASELINE, version=0)])
    assert out.rows == 5
    assert np.isnan(out.arrays["score"]).all()


def test_a_new_model_version_calibrates_anew():
    state = calibrated()
    louder = judged(residuals(400, 3) * 3, start=500, phase=Phase.BASELINE, version=2)
    live = judged(residuals(100, 4) * 3, start=900, version=2)
    state, out = run_anomaly([louder, live], state=state)
    assert out.rows == 500
    assert not out.arrays["flag"].any()
    assert state.memory.version.tolist() == [2]


def test_live_rows_whose_baseline_was_never_seen_are_judged_by_a_general_threshold():
    _, out = run_anomaly([judged(residuals(200), version=3)])
    assert not out.arrays["flag"].any()
    _, out = run_anomaly([judged(residuals(200) + 5, version=3)])
    assert out.arrays["flag"][20:].all()


def test_a_short_baseline_is_not_trusted():
    values = residuals(40) * 0.01
    _, out = run_anomaly([judged(values, phase=Phase.BASELINE), judged(residuals(100, 4), start=40)])
    assert not out.arrays["flag"].any()


def test_a_baseline_of_equal_scores_gives_a_threshold():
    calm = np.zeros((400, 4))
    _, out = run_anomaly([judged(calm, phase=Phase.BASELINE), judged(residuals(50, 4), start=400)])
    assert np.isfinite(out.arrays["score"][410:]).all()


@given(st.floats(1.0, 1e5), st.floats(1.001, 10.0))
def test_scores_and_p_values_keep_ranks_far_outside(size, factor):
    state = calibrated()
    _, one = run_anomaly([judged(np.full((30, 4), size), start=420)], state=state)
    _, more = run_anomaly([judged(np.full((30, 4), size * factor), start=420)], state=state)
    assert one.arrays["score"][-1] < 100
    assert more.arrays["score"][-1] >= one.arrays["score"][-1]
    assert 0 < more.arrays["p_value"][-1] <= one.arrays["p_value"][-1]


@pytest.mark.parametrize("ratio", [10.0, 1e3, 1e5])
def test_scores_do_not_saturate(ratio):
    state = calibrated()
    sizes = [run_anomaly([judged(np.full((30, 4), r), start=420)], state=state)[1] for r in (ratio, ratio * 1.1)]
    assert sizes[0].arrays["score"][-1] < sizes[1].arrays["score"][-1] < 100


def test_member_p_values_raise_the_score_and_unknown_ones_change_nothing():
    settings, state = AnomalySettings(), calibrated()
    part = judged(residuals(50, 8), start=420)
    _, alone = step(state, part, settings)
    _, unknown = step(state, part, settings, {"member": np.full(50, np.nan)})
    _, alarmed = step(state, part, settings, {"member": np.full(50, 1e-9)})
    np.testing.assert_array_equal(alone.arrays["score"], unknown.arrays["score"])
    assert alarmed.arrays["flag"][10:].all()
    assert not alone.arrays["flag"].any()
    np.testing.assert_allclose(alarmed.arrays["p_value"], 2e-9, rtol=0.01)


def test_frames_of_another_class_or_kind_are_refused():
    state = AnomalyState.empty(COUPLED, AnomalySettings())
    with pytest.raises(ValueError, match="takes a twin frame of coupled"):
        step(state, driven(3), AnomalySettings())
    assert DRIVEN.name != COUPLED.name


def test_an_empty_frame_gives_an_empty_frame():
    _, out = run_anomaly([judged(residuals(5)).take(np.arange(0))])
    assert (out.rows, out.kind) == (0, FrameKind.ANOMALY)


def test_readings_once_an_hour_are_smoothed_as_well():
    hours = 3600.0
    learned = judged(residuals(400), phase=Phase.BASELINE, every_s=hours)
    ts = T0 + ((400 + np.arange(100)) * hours * S).astype(np.int64)
    _, out = run_anomaly([learned, judged(residuals(100, 4), start=400, ts=ts)])
    assert not np.isnan(out.arrays["score"][20:]).any()


@pytest.mark.parametrize(
    "wrong",
    [{"window": 3}, {"persist": 1}, {"persist": 6}, {"far": 0.2}, {"on_ratio": 0.5}, {"gap_periods": 1.0}],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must|need"):
        AnomalySettings(**wrong)
