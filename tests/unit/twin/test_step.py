import numpy as np
import pytest

from forewarn.contracts.frames import FrameKind, Phase
from forewarn.domain.frames.frame import MISSING
from forewarn.domain.twin.model import Regime
from forewarn.domain.twin.orders import start_over
from forewarn.domain.twin.request import LearningRequest
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from unit.twin.cases import COUPLED, DRIVEN, coupled, driven, run_twin


def test_nothing_leaves_before_the_baseline_is_complete():
    state, out, fitted = run_twin([driven(59)])
    assert (out, fitted) == (None, [])
    assert state.learning["M-1"].baseline_rows == 59


def test_every_reading_leaves_once_and_in_order():
    _, out, fitted = run_twin([driven(50), driven(50, start=50, seed=2)])
    assert out.arrays["seq"].tolist() == list(range(100))
    assert out.arrays["phase"].tolist() == [Phase.BASELINE] * 60 + [Phase.LIVE] * 40
    assert set(out.arrays["model_version"].tolist()) == {1}
    assert [(card.asset_id, card.version, card.rows) for card in fitted] == [("M-1", 1, 60)]


def test_the_card_tells_what_was_learned():
    _, _, (card,) = run_twin([driven(300)], TwinSettings(baseline_readings=300))
    assert card.method == "ridge2"
    assert card.r2["power"] > 0.95
    assert card.r2["heat"] > 0.95
    assert dict(card.unjudged) == {}
    assert card.trained_to_us - card.trained_from_us == 299_000_000


@pytest.mark.parametrize("response", ["power", "heat"])
def test_a_bias_of_five_sigma_shows_as_a_residual_of_five(response):
    settings = TwinSettings(baseline_readings=500)
    state, out, _ = run_twin([driven(500)], settings)
    healthy = driven(500, start=500, seed=9)
    sigma = {"power": 0.5, "heat": 0.4}[response]
    biased = driven(500, start=500, seed=9, **{response: healthy.arrays[response] + 5 * sigma})
    _, out, _ = run_twin([biased], settings, state)
    other = {"power": "heat", "heat": "power"}[response]
    assert np.nanmean(out.arrays[f"residual_{response}"]) == pytest.approx(5.0, abs=0.6)
    assert abs(np.nanmean(out.arrays[f"residual_{other}"])) < 0.4
    assert np.nanmedian(out.arrays["deviation"]) > 20


def test_a_bias_in_one_coupled_tag_shows_in_that_tag_most():
    settings = TwinSettings(baseline_readings=400)
    state, _, (card,) = run_twin([coupled(400)], settings)
    healthy = coupled(200, start=400, seed=3)
    biased = coupled(200, start=400, seed=3, c=healthy.arrays["c"] + 3.0)
    _, out, _ = run_twin([biased], settings, state)
    sizes = {name: abs(float(np.nanmean(out.arrays[f"residual_{name}"]))) for name in "abcd"}
    assert card.method == "aakr"
    assert max(sizes, key=sizes.get) == "c"
    assert sizes["c"] > 3.0


def test_healthy_residuals_have_spread_one_and_low_deviation():
    settings = TwinSettings(baseline_readings=400)
    _, out, _ = run_twin([driven(1200)], settings)
    for phase in (Phase.BASELINE, Phase.LIVE):
        rows = out.arrays["phase"] == phase
        assert 0.8 < np.nanstd(out.arrays["residual_power"][rows]) < 1.25
        assert np.nanquantile(out.arrays["deviation"][rows], 0.94) < 10


def test_a_stopped_machine_is_not_judged():
    state, _, _ = run_twin([driven(60)])
    stopped = driven(10, start=60, load=np.full(10, 1.0))
    _, out, _ = run_twin([stopped], state=state)
    for name in ("expected_power", "residual_power", "deviation"):
        assert np.isnan(out.arrays[name]).all()
    assert set(out.arrays["regime"].tolist()) == {Regime.STOPPED}


def test_a_machine_that_never_ran_is_not_held_back():
    state, out, _ = run_twin([driven(10, load=np.full(10, 1.0))])
    assert out.rows == 10
    assert set(out.arrays["model_version"].tolist()) == {0}
    assert state.learning["M-1"].baseline_rows == 0


def test_stops_during_the_baseline_neither_train_nor_change_the_order():
    load = driven(90).arrays["load"].copy()
    load[20:50] = 0.0
    _, out, (card,) = run_twin([driven(90, load=load)])
    assert card.rows == 60
    assert out.arrays["seq"].tolist() == list(range(90))
    assert np.isnan(out.arrays["residual_power"][20:50]).all()
    assert not np.isnan(out.arrays["residual_power"][:20]).any()


def test_a_machine_that_seldom_runs_leaves_without_judgement_and_still_learns():
    load = np.where(np.arange(400) % 8 == 0, 50 + np.arange(400) % 17, 0.0)
    _, out, fitted = run_twin([driven(400, load=load)], TwinSettings(baseline_readings=50, pending_factor=2))
    assert out.arrays["seq"].tolist() == list(range(400))
    assert fitted[0].rows == 50
    assert set(out.arrays["model_version"][:200].tolist()) == {0}
    assert set(out.arrays["model_version"][-100:].tolist()) == {1}


def test_late_readings_never_train_but_are_judged():
    late = np.zeros(80, dtype=bool)
    late[10:20] = True
    state, out, (card,) = run_twin([driven(80, late=late)])
    assert card.rows == 60
    assert not np.isnan(out.arrays["residual_power"][10:20]).any()
    before = state
    state, out, _ = run_twin([driven(5, late=np.ones(5, dtype=bool))], state=state)
    assert out.arrays["late"].all()
    assert not np.isnan(out.arrays["residual_power"]).any()
    assert state is before


def test_an_unknown_driver_leaves_the_responses_unjudged():
    state, _, _ = run_twin([driven(60)])
    _, out, _ = run_twin([driven(4, start=60, air=np.full(4, np.nan))], state=state)
    assert np.isnan(out.arrays["residual_power"]).all()
    assert set(out.arrays["regime"].tolist()) == {Regime.UNKNOWN}


def test_an_unknown_response_leaves_the_others_judged():
    state, _, _ = run_twin([driven(60)])
    _, out, _ = run_twin([driven(4, start=60, heat=np.full(4, np.nan))], state=state)
    assert np.isnan(out.arrays["residual_heat"]).all()
    assert not np.isnan(out.arrays["expected_heat"]).any()
    assert not np.isnan(out.arrays["residual_power"]).any()
    assert not np.isnan(out.arrays["deviation"]).any()


@pytest.mark.parametrize("make", [driven, coupled])
def test_a_tag_that_never_comes_is_reported_and_the_rest_judged(make):
    missing = {driven: "heat", coupled: "b"}[make]
    other = {driven: "power", coupled: "a"}[make]
    _, out, (card,) = run_twin([make(120, **{missing: np.full(120, np.nan)})])
    assert "missing in 100%" in card.unjudged[missing]
    assert not np.isnan(out.arrays[f"residual_{other}"]).any()


@pytest.mark.parametrize("make", [driven, coupled])
def test_a_flat_tag_is_reported_and_never_judged(make):
    flat = {driven: "heat", coupled: "b"}[make]
    _, out, (card,) = run_twin([make(120, **{flat: np.full(120, 3.0)})])
    assert "flat" in card.unjudged[flat]
    assert flat not in card.r2
    assert np.isnan(out.arrays[f"residual_{flat}"]).all()
    assert np.isfinite(out.arrays["deviation"]).all()


def test_a_wandering_tag_without_drivers_is_predicted_from_the_others():
    hidden = np.linspace(0, 8, 500)
    drifts = {name: hidden + np.random.default_rng(seed).normal(0, 0.02, 500) for seed, name in enumerate("cd")}
    _, out, (card,) = run_twin([coupled(500, **drifts)], TwinSettings(baseline_readings=400))
    assert dict(card.unjudged) == {}
    assert card.r2["d"] > 0.9
    assert np.abs(out.arrays["residual_d"][400:]).max() < 8


def test_if_all_tags_wander_all_are_judged():
    rng = np.random.default_rng(1)
    drifts = {name: np.linspace(0, 8, 500) + rng.normal(0, 0.02, 500) for name in "abcd"}
    _, _, (card,) = run_twin([coupled(500, **drifts)], TwinSettings(baseline_readings=400))
    assert dict(card.unjudged) == {}


def test_a_tag_that_hardly_moves_gives_no_infinite_residuals():
    rare = np.where(np.arange(500) % 50 == 0, 1.0, 0.0)
    _, out, _ = run_twin([coupled(500, b=rare)], TwinSettings(baseline_readings=400))
    assert np.nanmax(np.abs(out.arrays["residual_b"])) < 10


def test_far_outside_the_learned_range_of_drivers_residuals_fade():
    settings = TwinSettings(baseline_readings=400)
    state, _, _ = run_twin([driven(400)], settings)
    load = np.full(50, 99.0)
    wrong = driven(50, start=400, load=load, power=10 + 0.8 * load + 0.004 * load**2 + 10)
    _, out, _ = run_twin([wrong], settings, state)
    assert set(out.arrays["regime"].tolist()) == {Regime.EXTRAPOLATED}
    assert np.nanmax(np.abs(out.arrays["residual_power"])) < 10  # 20 sigma where it was learned


def test_nonsense_far_away_stays_finite():
    state, _, _ = run_twin([coupled(100)])
    _, out, _ = run_twin([coupled(3, start=100, a=np.array([1e30, -1e300, 1e9]))], state=state)
    assert np.isfinite(out.arrays["residual_b"]).all()
    assert np.isfinite(out.arrays["residual_a"]).all()


def test_a_new_baseline_begins_with_the_next_reading_and_has_the_next_version():
    state, _, _ = run_twin([driven(100)])
    state, released = start_over(state, "M-1", LearningRequest(by="anna"))
    assert released == []
    state, out, _ = run_twin([driven(59, start=100)], state=state)
    assert out is None
    _, out, fitted = run_twin([driven(2, start=159)], state=state)
    assert fitted[0].version == 2
    assert out.arrays["phase"].tolist() == [Phase.BASELINE] * 60 + [Phase.LIVE]


def test_a_new_baseline_while_learning_releases_what_waits():
    state, _, _ = run_twin([driven(30)])
    state, (released,) = start_over(state, "M-1", LearningRequest(by="anna"))
    assert released.rows == 30
    assert set(released.arrays["model_version"].tolist()) == {0}
    assert state.learning["M-1"].baseline_rows == 0


def test_a_new_baseline_of_an_unknown_asset_changes_nothing():
    state = TwinState.empty(DRIVEN)
    assert start_over(state, "nobody", LearningRequest(by="anna")) == (state, [])


def test_frames_of_another_class_and_rows_without_asset_are_refused():
    with pytest.raises(ValueError, match="takes a valid frame of coupled"):
        step(TwinState.empty(COUPLED), driven(3), TwinSettings())
    nameless = driven(3)
    nameless.strings["asset_id"].codes[1] = MISSING
    with pytest.raises(ValueError, match="names no asset"):
        step(TwinState.empty(DRIVEN), nameless, TwinSettings())


def test_frames_out_are_of_kind_twin_and_know_their_units():
    _, out, _ = run_twin([driven(61)])
    assert out.kind is FrameKind.TWIN
    assert out.arrays["expected_power"].dtype == np.float32


def test_an_empty_frame_gives_nothing():
    state, out, fitted = run_twin([driven(61).take(np.arange(0))])
    assert (out, fitted) == (None, [])
    assert not state.learning


@pytest.mark.parametrize("wrong", [{"baseline_readings": 10}, {"folds": 1}, {"penalties": ()}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"at least|need"):
        TwinSettings(**wrong)
