"""Alarms from frames: late rows, redelivery, cuts, and all an asset's rules together."""

import itertools
import operator
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.alarms import Transition
from forewarn.contracts.assets import AcknowledgeAlarm
from forewarn.contracts.frames import FrameKind, Hint
from forewarn.contracts.health import AssetHealth, RulEstimate
from forewarn.domain.alarms.asset import AssetAlarms, acknowledge_alarm
from forewarn.domain.alarms.evaluation import Level, level_of, levels
from forewarn.domain.alarms.health import observe_health
from forewarn.domain.alarms.lifecycle import Refused
from forewarn.domain.alarms.rows import observe_frame, portions
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.time import to_datetime
from forewarn.testing.frames import START_US, anomaly_frame, timestamps_us

PUMP = load_catalogue()["centrifugal_pump"]


def frame_of(vibration, *, assets=None, start_s=0.0, **columns):
    count = len(vibration)
    names = assets or ["P-101"] * count
    return anomaly_frame(PUMP, names, timestamps_us(count, start_s=start_s), {"vibration_mm_s": vibration, **columns})


class Plant:
    """States with what was seen, as the service keeps them; one made of states alone has just been restored."""

    def __init__(self, states=()):
        self.states = dict(states)
        self.seen = Seen.of(self.states)

    def apply(self, frames):
        alerts = []
        for frame in frames:
            result = observe_frame(self.states, self.seen, frame)
            self.states.update(result.states)
            alerts += result.alerts
        return alerts

    @property
    def rules(self):
        """What is open or under way, by asset."""
        return {asset_id: alarms.rules for asset_id, alarms in self.states.items() if alarms.rules}


def apply(frames):
    plant = Plant()
    return plant, plant.apply(frames)


def named(alerts):
    return [(alert.alarm.alarm_id, alert.transition.value) for alert in alerts]


def test_a_healthy_plant_raises_nothing():
    plant, alerts = apply([frame_of([1.0] * 50)])
    assert alerts == []
    assert plant.states == {}


def test_both_limits_of_a_column_have_their_own_alarm_raised_at_its_own_event_time():
    _, alerts = apply([frame_of([8.0] * 10)])
    assert named(alerts) == [("P-101/vibration_trip", "raised"), ("P-101/vibration_high", "raised")]
    assert [alert.at for alert in alerts] == [to_datetime(START_US + s * 1_000_000) for s in (2, 5)]
    assert alerts[0].alarm.unit == "mm/s"


def test_late_rows_never_raise():
    plant, alerts = apply([frame_of([9.0] * 60, late=True)])
    assert alerts == []
    assert plant.states == {}


def test_imported_rows_neither_raise_nor_clear_nor_make_live_ones_look_old():
    plant, alerts = apply([frame_of([9.0] * 60, historical=True)])
    assert (alerts, plant.states) == ([], {})
    raised = plant.apply([frame_of([9.0] * 60)])
    assert {alert.transition for alert in raised} == {Transition.RAISED}
    assert plant.apply([frame_of([1.0] * 600, start_s=60, historical=True)]) == []


def test_rows_older_than_what_was_applied_change_nothing_even_when_not_flagged_late():
    plant, _ = apply([frame_of([1.0] * 10, start_s=100)])
    assert plant.apply([frame_of([9.0] * 60)]) == []
    assert plant.states == {}


def test_the_anomaly_flag_raises_with_culprit_and_hint_in_the_message():
    said = {"flag": True, "score": 97.0, "hint": Hint.SENSOR_FAULT, "bearing_temp_c": 76.63}
    said |= {"expected_bearing_temp_c": 70.0}
    _, alerts = apply([anomaly_frame(PUMP, ["P-101"], timestamps_us(1), said, culprit=["bearing_temp_c"])])
    assert named(alerts) == [("P-101/anomaly", "raised")]
    assert alerts[0].alarm.message == "Bearing temperature 76.63 °C, 6.6 K above expected; probably the sensor"
    assert alerts[0].alarm.value == 97.0


@pytest.mark.parametrize(
    ("measured", "culprit", "message"),
    [
        (63.0, "bearing_temp_c", "Bearing temperature 63 °C, 7 K below expected"),
        (np.nan, "bearing_temp_c", "Bearing temperature deviates most"),
        (63.0, "speed_rpm", "Shaft speed deviates most"),  # a driver: nothing is expected of it
        (63.0, None, "The pump deviates from its normal behaviour"),
        (63.0, "nobody_knows", "The pump deviates from its normal behaviour"),
    ],
)
def test_the_anomaly_message_says_no_more_than_is_known(measured, culprit, message):
    said = {"flag": True, "score": 97.0, "bearing_temp_c": measured, "expected_bearing_temp_c": 70.0}
    _, alerts = apply([anomaly_frame(PUMP, ["P-101"], timestamps_us(1), said, culprit=[culprit])])
    assert alerts[0].alarm.message == message


def test_a_failed_sensor_leaves_an_open_alarm_open():
    plant, _ = apply([frame_of([8.0] * 10)])
    assert plant.apply([frame_of([np.nan] * 300, start_s=10)]) == []
    assert len(plant.states["P-101"].open_alarms) == 2


def test_an_open_alarm_whose_rule_left_the_class_returns():
    plant, _ = apply([frame_of([8.0] * 10)])
    smaller = PUMP.model_copy(
        update={"alarms": tuple(r for r in PUMP.alarms if r.id != "vibration_trip"), "version": 2}
    )
    frame = anomaly_frame(smaller, ["P-101"], timestamps_us(1, start_s=10), {"vibration_mm_s": 8.0})
    assert named(plant.apply([frame])) == [("P-101/vibration_trip", "returned")]


@st.composite
def courses(draw):
    """Vibration of three assets in turn, around both limits, with gaps."""
    values = draw(st.lists(st.sampled_from([1.0, 4.3, 4.6, 6.8, 7.5, float("nan")]), min_size=30, max_size=120))
    assets = [f"P-{k % 3}" for k in range(len(values))]
    cuts = sorted(draw(st.sets(st.integers(1, len(values) - 1), max_size=8)))
    return values, assets, cuts


def pieces(values, assets, cuts):
    bounds = [0, *cuts, len(values)]
    times = timestamps_us(len(values), step_s=2.0)
    return [
        anomaly_frame(PUMP, assets[a:b], times[a:b], {"vibration_mm_s": values[a:b]})
        for a, b in itertools.pairwise(bounds)
    ]


@given(courses())
def test_the_result_does_not_depend_on_how_rows_are_cut_into_frames(course):
    values, assets, cuts = course
    whole, alerts = apply(pieces(values, assets, []))
    parts, others = apply(pieces(values, assets, cuts))
    assert parts.rules == whole.rules
    assert parts.seen == whole.seen
    assert {a.alert_id for a in others} == {a.alert_id for a in alerts}


@given(courses(), st.data())
def test_any_replayed_suffix_changes_neither_state_nor_alerts(course, data):
    frames = pieces(*course)
    plant, _ = apply(frames)
    before = plant.rules
    assert plant.apply(frames[data.draw(st.integers(0, len(frames))) :]) == []
    assert plant.rules == before


@given(courses(), st.data())
def test_to_go_on_from_an_older_state_decides_the_same(course, data):
    """A crash restores the last checkpoint, which knows nothing of quiet assets, and the events since come again."""
    frames = pieces(*course)
    cut = data.draw(st.integers(0, len(frames)))
    again = data.draw(st.integers(0, cut))
    checkpoint, before = apply(frames[:cut])
    codec = TypeAdapter(dict[str, AssetAlarms])
    restored = Plant(codec.validate_json(codec.dump_json(checkpoint.states)))
    after = restored.apply(frames[again:])
    straight, alerts = apply(frames)
    assert restored.rules == straight.rules
    assert [a.alert_id for a in before + after] == [a.alert_id for a in alerts]


@given(courses())
def test_there_is_never_more_than_one_open_alarm_per_asset_and_rule(course):
    open_ids = {}
    _, alerts = apply(pieces(*course))
    for alert in alerts:
        known = open_ids.setdefault(alert.alarm.alarm_id, alert.alarm.occurrence_id)
        assert known == alert.alarm.occurrence_id


def test_levels_cover_both_limits_and_unknown():
    rule = PUMP.alarms[0].model_copy(update={"low": 0.5})
    values = np.array([4.5, 4.3, 2.0, 0.7, 0.5, np.nan, np.inf, -np.inf])
    expected = [Level.OVER, Level.WITHIN, Level.CLEAR, Level.WITHIN, Level.OVER] + [Level.UNKNOWN] * 3
    assert levels(values, rule).tolist() == expected


@given(
    st.one_of(st.sampled_from([4.5, 4.2, 0.5, 0.8]), st.floats()),
    st.sampled_from([{"low": 0.5}, {"low": 0.5, "high": None}, {}]),
)
def test_a_single_value_stands_as_it_does_in_a_column(value, limits):
    rule = PUMP.alarms[0].model_copy(update=limits)
    assert level_of(value, rule) == levels(np.array([value]), rule)[0]


def health_event(seconds=0.0, health=95.0, p50=None):
    rul = ()
    if p50 is not None:
        estimate = RulEstimate(
            failure_mode="bearing_wear",
            p10_days=p50 / 2,
            p50_days=p50,
            p90_days=p50 * 2,
            indicator="vibration_mm_s",
            threshold=7.1,
            model="test",
        )
        rul = (estimate,)
    return AssetHealth(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        ts=to_datetime(START_US) + timedelta(seconds=seconds),
        health=health,
        category="good",
        trend="stable",
        trend_per_day=0.0,
        metrics=(),
        anomaly_score=None,
        anomaly_flag=False,
        deviation=None,
        rul=rul,
    )


def observe_all(events):
    alarms, seen, alerts = AssetAlarms(asset_id="P-101"), Seen(), []
    for event in events:
        alarms, new = observe_health(alarms, seen, PUMP, event)
        alerts += new
    return alarms, alerts


def test_low_health_and_short_life_raise_their_own_alarms():
    _, alerts = observe_all([health_event(health=40.0, p50=3.0)])
    assert named(alerts) == [("P-101/health_low", "raised"), ("P-101/rul_short", "raised")]
    assert alerts[1].alarm.message.endswith("Bearing wear in 36 hours to 6 days")


def test_a_health_event_that_comes_again_changes_nothing():
    event = health_event(health=40.0)
    alarms, _ = observe_all([event])
    assert observe_health(alarms, Seen.of({"P-101": alarms}), PUMP, event) == (alarms, ())


def test_a_health_event_without_effect_leaves_the_very_same_alarms():
    alarms = AssetAlarms(asset_id="P-101")
    assert observe_health(alarms, Seen(), PUMP, health_event(health=95.0))[0] is alarms


def test_without_growth_a_rul_alarm_returns_after_its_off_delay():
    events = [health_event(0, p50=3.0), health_event(1), health_event(301)]
    assert named(observe_all(events)[1]) == [("P-101/rul_short", "raised"), ("P-101/rul_short", "returned")]


def test_unknown_health_keeps_an_alarm():
    alarms, _ = observe_all(
        [health_event(0, health=40.0), health_event(1, health=None), health_event(900, health=None)]
    )
    assert [alarm.rule for alarm in alarms.open_alarms] == ["health_low"]


def test_an_acknowledgement_meant_for_another_asset_is_refused():
    alarms, _ = observe_all([health_event(health=40.0)])
    body = AcknowledgeAlarm(alarm_id="P-999/health_low", occurrence_id=alarms.open_alarms[0].occurrence_id)
    with pytest.raises(Refused, match=r"not one of asset 'P-101'"):
        acknowledge_alarm(alarms, body, "ann", to_datetime(START_US))


def valid_of(vibration, *, start_s=0.0):
    times = timestamps_us(len(vibration), start_s=start_s)
    return anomaly_frame(PUMP, ["P-101"] * len(vibration), times, {"vibration_mm_s": vibration}, kind=FrameKind.VALID)


def test_a_limit_alarms_on_valid_readings_of_a_machine_whose_twin_still_learns():
    _, alerts = apply([valid_of([8.0] * 10)])
    assert named(alerts) == [("P-101/vibration_trip", "raised"), ("P-101/vibration_high", "raised")]


def test_the_same_readings_with_scores_afterwards_raise_nothing_twice():
    plant, first = apply([valid_of([8.0] * 10)])
    before = plant.rules
    assert len(first) == 2
    assert plant.apply([frame_of([8.0] * 10)]) == []
    assert plant.rules == before


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_the_order_in_which_valid_readings_and_scores_come_makes_no_difference(valid_first):
    """Both streams bring the same readings; each frame of one may overtake that of the other."""
    vibration = [1.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 1.0, 1.0, 1.0, 1.0]
    pairs = [
        (valid_of(vibration[n : n + 1], start_s=n), frame_of(vibration[n : n + 1], start_s=n, flag=n > 4, score=80.0))
        for n in range(len(valid_first))
    ]
    straight, expected = apply([*(valid for valid, _ in pairs), *(scored for _, scored in pairs)])
    mixed, found = apply(
        frame
        for (valid, scored), first in zip(pairs, valid_first, strict=True)
        for frame in ((valid, scored) if first else (scored, valid))
    )
    assert mixed.rules == straight.rules
    assert {alert.alert_id for alert in found} == {alert.alert_id for alert in expected}


def test_health_that_rests_on_imported_readings_neither_raises_nor_clears():
    alarms, seen = AssetAlarms(asset_id="P-101"), Seen()
    low, well = health_event(health=10.0), health_event(3600, health=99.0)
    assert observe_health(alarms, seen, PUMP, low.model_copy(update={"historical": True})) == (alarms, ())
    open_alarms, raised = observe_health(alarms, seen, PUMP, low)
    assert raised
    well = well.model_copy(update={"historical": True})
    assert observe_health(open_alarms, seen, PUMP, well) == (open_alarms, ())


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 9))
def test_portions_hold_few_rows_of_an_asset_and_all_of_its_rows_in_their_order(owners, most):
    frame = anomaly_frame(PUMP, [f"P-{owner}" for owner in owners], timestamps_us(len(owners)))
    parts = list(portions(frame, most))
    whole, cut = (
        [row for part in them for row in zip(part.assets.to_list(), part.arrays["ts"].tolist(), strict=True)]
        for them in ([frame], parts)
    )
    by_asset = operator.itemgetter(0)
    assert sorted(cut, key=by_asset) == sorted(whole, key=by_asset), "sorting keeps the order within an asset"
    for part in parts:
        assert max(Counter(part.assets.to_list()).values(), default=0) <= most
    if max(Counter(owners).values(), default=0) <= most:
        assert parts == [frame]
