"""An asset's health from frames: cuts, redelivery, running state, trend, advice, and what is news."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset
from forewarn.domain.health.asset import HealthState, judge
from forewarn.domain.health.change import differs
from forewarn.domain.health.profile import profile_of
from forewarn.domain.health.rows import observe_frame
from forewarn.domain.health.trend import MIN_SAMPLES, TrendState, add_sample, wants_sample
from forewarn.testing.frames import anomaly_frame, timestamps_us

PUMP = load_catalogue()["centrifugal_pump"]
RUNNING = {"speed_rpm": 1480.0}
PROFILE = profile_of(
    PUMP,
    Asset(asset_id="P-101", asset_class=PUMP.name, name="P", nameplate={"iso_group": 2, "iso_support": 2}),
)


def frame_of(count, *, start_s=0.0, step_s=1.0, asset="P-101", **columns):
    times = timestamps_us(count, start_s=start_s, step_s=step_s)
    return anomaly_frame(PUMP, [asset] * count, times, {**RUNNING, **columns})


def apply(frames, states=None):
    states = dict(states or {})
    for frame in frames:
        states.update(observe_frame(states, frame, lambda _asset_id: PROFILE).states)
    return states


def judged(*frames):
    return judge(apply(frames)["P-101"], PUMP, PROFILE)


def test_a_healthy_pump_is_excellent_and_needs_nothing():
    health = judged(frame_of(60))
    assert health.health == pytest.approx(100)
    assert health.category == "excellent"
    assert health.primary_concern is None
    assert health.recommendations == ()
    assert health.rul == ()


def test_health_follows_the_newest_reading():
    health = judged(frame_of(5), frame_of(1, start_s=5, vibration_mm_s=7.2))
    assert health.category == "poor"
    assert health.primary_concern == "Vibration is above the zone for long-term operation"
    assert health.recommendations == ("Inspect bearings and alignment",)


def test_a_machine_at_rest_is_not_judged():
    states = apply([frame_of(5, vibration_mm_s=5.0)])
    after = apply([frame_of(60, start_s=5, speed_rpm=0.0, vibration_mm_s=0.0)], states)
    assert judge(after["P-101"], PUMP) == judge(states["P-101"], PUMP)
    assert judge(apply([frame_of(5, speed_rpm=0.0)])["P-101"], PUMP) is None


def test_late_rows_change_nothing():
    assert apply([frame_of(5, late=True, vibration_mm_s=20.0)]) == {}


def test_growing_wear_names_itself_with_its_advice():
    t = np.arange(0, 3600, 5.0)
    vibration = 2.0 * np.exp(np.log(7.1 / 2.0) * t / 5400) * (1 + 0.01 * np.random.default_rng(1).normal(size=t.size))
    health = judged(frame_of(t.size, step_s=5.0, vibration_mm_s=vibration))
    assert [item.failure_mode for item in health.rul] == ["bearing_wear"]
    assert health.rul[0].p50_days * 24 * 60 == pytest.approx(30, rel=0.15)
    assert health.primary_concern.startswith("Bearing wear in about")
    assert health.recommendations[0] == "Replace the bearing"
    assert health.trend == "degrading"


def test_while_the_machine_is_anomalous_only_what_the_culprit_shows_in_is_foreseen():
    """Efficiency falls while the vibration rises, both still in their good range: the culprit decides."""
    t = np.arange(0, 1800, 5.0)
    noise = np.random.default_rng(4).normal(size=(2, t.size))
    columns = {
        "vibration_mm_s": 1.2 * np.exp(0.5 * t / 1800 + 0.01 * noise[0]),
        "wire_to_water_efficiency_pct": 70 - 6 * t / 1800 + 0.1 * noise[1],
        "score": 90.0,
        "flag": True,
    }
    times = timestamps_us(t.size, step_s=5.0)

    def foreseen(culprit):
        frame = anomaly_frame(PUMP, ["P-101"] * t.size, times, RUNNING | columns, culprit=[culprit] * t.size)
        return [item.failure_mode for item in judged(frame).rul]

    assert foreseen("vibration_mm_s") == ["bearing_wear"]
    assert foreseen("power_kw") == ["impeller_wear"]  # it enters the efficiency
    assert foreseen("discharge_pressure_bar") == ["impeller_wear"]  # by head and hydraulic power
    assert foreseen("bearing_temp_c") == foreseen(None) == []


def test_a_limit_that_is_reached_is_said_as_such():
    vibration = 9.0 + 0.05 * np.random.default_rng(5).normal(size=600)
    health = judged(frame_of(600, vibration_mm_s=vibration))
    assert health.primary_concern == "Bearing wear: failure limit reached"
    assert health.failure_risk.within_7_days == 1
    assert {component.name: component.score for component in health.components}["risk"] == 0


def test_scores_a_hair_outside_their_range_and_infinite_values_do_no_harm():
    health = judged(frame_of(1, score=np.float32(100.00001), deviation=-1e-6, vibration_mm_s=np.inf))
    assert (health.anomaly_score, health.deviation) == (100, 0)
    assert {metric.name: metric.score for metric in health.metrics}["vibration_mm_s"] is None


def test_an_anomaly_names_its_culprit():
    frame = anomaly_frame(
        PUMP, ["P-101"], timestamps_us(1), {**RUNNING, "score": 95.0, "flag": True}, culprit=["power_kw"]
    )
    health = judged(frame)
    assert health.anomaly_flag
    assert health.culprit == "power_kw"
    assert "Electrical power deviates most" in health.primary_concern


def test_health_says_whether_its_newest_reading_was_imported():
    states = apply([frame_of(3, historical=True)])
    assert judge(states["P-101"], PUMP).historical
    states |= apply([frame_of(1, start_s=60.0, historical=False)], states)
    assert not judge(states["P-101"], PUMP).historical


@given(st.lists(st.integers(1, 299), max_size=8, unique=True), st.integers(0, 8))
def test_neither_cuts_nor_redelivery_nor_a_restore_change_the_state(cuts, replay):
    rng = np.random.default_rng(2)
    columns = {"vibration_mm_s": 2 + rng.random(300), "score": 40 * rng.random(300)}
    times = timestamps_us(300, step_s=3.0)
    frames = [
        anomaly_frame(PUMP, ["P-101"] * part.size, times[part], RUNNING | {k: v[part] for k, v in columns.items()})
        for part in np.split(np.arange(300), sorted(cuts))
    ]
    whole = apply([anomaly_frame(PUMP, ["P-101"] * 300, times, RUNNING | columns)])
    codec = TypeAdapter(dict[str, HealthState])
    restored = codec.validate_json(codec.dump_json(apply(frames[:replay])))
    assert apply(frames[max(0, replay - 2) :], restored) == whole


def trend_of(values, step_s=10.0):
    state = TrendState()
    for k, value in enumerate(values):
        if wants_sample(state, k * step_s):
            state = add_sample(state, k * step_s, float(value))
    return state


def test_a_trend_is_unknown_until_there_is_enough_to_see():
    assert trend_of([90] * (MIN_SAMPLES - 1)).trend == "unknown"
    assert trend_of([90] * MIN_SAMPLES).trend == "stable"


@pytest.mark.parametrize(("slope", "trend"), [(-0.3, "degrading"), (0.3, "improving"), (-0.01, "stable")])
def test_the_trend_has_the_sign_of_the_slope(slope, trend):
    state = trend_of(60 + slope * np.arange(25) + 0.5 * np.random.default_rng(3).normal(size=25))
    assert state.trend == trend


def test_wild_samples_do_not_make_a_trend():
    values = np.full(25, 90.0)
    values[[3, 9, 15, 20]] = 5.0
    assert trend_of(values).trend == "stable"


def test_hysteresis_keeps_a_trend_that_hovers_at_its_limit():
    degrading = trend_of(90 - 0.2 * np.arange(25))
    fading = TrendState(times_s=degrading.times_s, health=tuple(90 - 0.08 * np.arange(25)), trend="degrading")
    assert add_sample(fading, 250.0, 88.0).trend == "degrading"
    fresh = TrendState(times_s=fading.times_s, health=fading.health, trend="stable")
    assert add_sample(fresh, 250.0, 88.0).trend == "stable"


def test_the_window_is_bounded_and_ends_at_an_hour():
    state = trend_of([90.0] * 5_000)
    assert len(state.times_s) <= 30
    assert state.times_s[-1] - state.times_s[0] <= 3_600


def test_small_changes_are_no_news_and_large_ones_are():
    before = judged(frame_of(1))
    assert not differs(before, judged(frame_of(1, score=1.0)))
    assert differs(before, judged(frame_of(1, score=5.0)))
    assert differs(before, judged(frame_of(1, vibration_mm_s=5.0)))
    assert differs(before, before.model_copy(update={"health": None}))
