"""What the pages say about the plant."""

from datetime import timedelta

import pytest

from forewarn.contracts.alarms import AlarmState, Priority
from forewarn_dashboard.pages.alarms import page as alarms_page
from forewarn_dashboard.pages.alarms import viewmodel as alarms_words
from forewarn_dashboard.pages.asset import viewmodel as asset_words
from forewarn_dashboard.pages.overview import page as overview
from forewarn_dashboard.pages.overview import viewmodel as overview_words
from forewarn_dashboard.plant import SPARK_STEP


def test_an_asset_without_data_is_silent_and_knows_nothing(plant, pump, now):
    tile = overview_words.tile(plant, pump, now)
    assert (tile.condition, tile.health, tile.category, tile.age, tile.spark) == ("silent", None, None, "no data", ())


def test_fresh_judged_data_without_alarm_is_normal(plant, pump, now, receive, reading):
    receive(reading(age_s=2))
    assert overview_words.tile(plant, pump, now).condition == "normal"
    assert overview_words.tile(plant, pump, now).age == "live"


@pytest.mark.parametrize("change", [{"score": None, "phase": None}, {"phase": "baseline"}])
def test_data_that_the_twin_does_not_judge_yet_is_learning(plant, pump, now, receive, reading, change):
    receive(reading(**change))
    assert overview_words.tile(plant, pump, now).condition == "learning"


def test_a_machine_that_its_twin_cannot_judge_now_does_not_learn(plant, pump, now, receive, reading):
    receive(reading(score=None))
    assert overview_words.tile(plant, pump, now).condition == "unjudged"


def test_old_data_is_stale_even_with_an_alarm(plant, pump, now, receive, reading, alarm):
    receive(reading(age_s=31), alarms=(alarm(),))
    tile = overview_words.tile(plant, pump, now)
    assert tile.condition == "stale"
    assert tile.age.replace("\u00a0", " ") == "31 s old"
    assert tile.priority is Priority.MEDIUM


def test_a_slow_sensor_is_not_stale_between_two_of_its_readings(plant, pump, now, receive, reading):
    receive(reading(age_s=1300), reading(age_s=700), reading(age_s=100))
    assert overview_words.tile(plant, pump, now).condition == "normal"
    assert overview_words.tile(plant, pump, now + timedelta(seconds=3000)).condition == "stale"


def test_an_anomaly_flag_or_an_alarm_asks_for_attention(plant, pump, now, receive, reading, alarm):
    receive(reading(age_s=2, flag=True))
    assert overview_words.tile(plant, pump, now).condition == "attention"
    receive(reading(age_s=1, flag=False), alarms=(alarm(),))
    assert overview_words.tile(plant, pump, now).condition == "attention"


def test_the_worst_alarm_is_the_one_of_highest_priority_then_unseen_then_oldest(plant, pump, now, receive, alarm):
    low = alarm("low", priority=Priority.LOW)
    seen = alarm("seen", priority=Priority.HIGH, acknowledged=True, message="seen")
    unseen = alarm("unseen", priority=Priority.HIGH, message="unseen")
    receive(alarms=(low, seen, unseen))
    tile = overview_words.tile(plant, pump, now)
    assert (tile.priority, tile.alarm_text, tile.alarm_count) == (Priority.HIGH, "unseen", 3)


def test_readings_that_come_late_never_replace_the_newest(plant, receive, reading):
    receive(reading(age_s=1, score=9.0), reading(age_s=50, score=1.0))
    assert plant.live("P-101").latest.score == 9.0
    assert len(plant.live("P-101").recent) == 1


def test_the_judgement_of_the_newest_reading_replaces_the_bare_reading(plant, receive, reading):
    receive(reading(score=None), reading(score=7.0))
    assert plant.live("P-101").latest.score == 7.0
    assert len(plant.live("P-101").recent) == 1


def test_a_short_peak_shows_in_the_sparkline(plant, receive, reading):
    receive(reading(age_s=19, score=5.0), reading(age_s=15, score=90.0), reading(age_s=10, score=6.0))
    assert [score for _, score in plant.live("P-101").spark] == [90.0]


def test_the_past_goes_in_front_of_the_live_sparkline(plant, now, receive, reading):
    receive(reading(age_s=5, score=9.0))
    past = [(now - 3 * SPARK_STEP, 1.0), (now - 2 * SPARK_STEP, None), (now, 99.0)]
    plant.live("P-101").fill_spark(past)
    assert [score for _, score in plant.live("P-101").spark] == [1.0, None, 9.0]


def test_the_sparklines_gap_is_filled_once_a_stage_has_caught_up(plant, now, receive, reading):
    live = plant.live("P-101")
    receive(reading(age_s=100, score=5.0))
    live.fill_spark(())
    receive(reading(age_s=80, score=None), reading(age_s=60, score=None))
    assert live.spark_filled, "the stage is still behind: the database does not know more either"
    receive(reading(age_s=20, score=9.0))
    assert not live.spark_filled
    live.fill_spark([(now - timedelta(seconds=age_s), score) for age_s, score in ((100, 5.0), (80, 6.0), (60, 7.0))])
    assert [score for _, score in live.spark] == [5.0, 6.0, 7.0, 9.0]
    assert live.spark_filled


def test_closed_alarms_and_a_new_snapshot_remove_what_they_should(plant, receive, alarm):
    receive(alarms=(alarm("a"), alarm("b"), alarm("c")))
    receive(closed_alarms=("P-101/a",), alarms=(alarm("b", active=False, acknowledged=True),))
    assert list(plant.alarms) == ["P-101/c"]
    receive(complete=True, alarms=(alarm("d"),))
    assert list(plant.alarms) == ["P-101/d"]


def test_news_of_an_unknown_asset_is_reported_and_shown_once_the_registry_knows_it(plant, pump, receive, reading):
    assert receive(reading(asset_id="X-1")) == {"X-1"}
    assert plant.live("X-1").latest is None
    plant.set_assets([pump, pump.model_copy(update={"asset_id": "X-1"})])
    assert plant.live("X-1").latest.asset_id == "X-1", "it may be the only reading for long"


def test_an_asset_that_is_registered_no_longer_is_forgotten(plant, pump, receive, reading):
    receive(reading())
    plant.set_assets([])
    plant.set_assets([pump])
    assert plant.live("P-101").latest is None


def test_counts_add_up(plant, now, receive, reading, alarm):
    receive(reading(age_s=1), alarms=(alarm(), alarm("b", acknowledged=True, priority=Priority.HIGH)))
    counts = overview_words.summary(plant, now)
    assert sum(count for _, count in counts.conditions) == counts.total == 1
    assert dict(counts.priorities) == {Priority.CRITICAL: 0, Priority.HIGH: 1, Priority.MEDIUM: 1, Priority.LOW: 0}
    assert counts.unacknowledged == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "5.400 mm/s, limit 4.500 (+20 %)"),
        ({"value": 2.0, "limit": 4.0}, "2.000 mm/s, limit 4.000 (−50 %)"),
        ({"value": 91.0, "limit": None, "unit": ""}, "91.00"),
        ({"value": None, "limit": 4.5}, "limit 4.500 mm/s"),
        ({"value": 1.0, "limit": 0.0}, "1.000 mm/s, limit 0"),
        ({"value": None, "limit": None}, ""),
        ({"value": 0.003434, "limit": 7.0, "unit": "d"}, "5 min, limit 7 d (−100 %)"),
    ],
)
def test_an_alarm_tells_by_how_much_its_limit_is_exceeded(alarm, changes, text):
    assert alarms_words.comparison(alarm(**changes)).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("sensor_fault", "probably the sensor, check it first"),
        ("asset_fault", "probably the machine"),
        ("none", "machine or sensor not yet clear"),
    ],
)
def test_the_verdict_says_signal_how_far_which_way_and_cause(reading, pump_class, hint, said):
    flagged = {"flag": True, "culprit": "bearing_temp_c", "hint": hint}
    hot = reading(**flagged, values={"bearing_temp_c": 124.3}, expected={"bearing_temp_c": 117.7})
    text = asset_words.verdict(hot, pump_class, "14:02:00").replace("\u00a0", " ")
    assert text == f"Bearing temperature 124.3 °C, 6.6 K above expected; {said}; since 14:02:00"


def test_the_verdict_of_an_unknown_value_or_signal_claims_no_distance(reading, pump_class):
    low = reading(flag=True, culprit="power_kw", hint="asset_fault", values={"power_kw": 30.0})
    assert "9.0\u00a0kW below expected" in asset_words.verdict(low, pump_class)
    lost = reading(flag=True, culprit="power_kw", hint="sensor_fault", values={"power_kw": None})
    assert asset_words.verdict(lost, pump_class).startswith("Electrical power: unlike normal; probably the sensor")
    assert asset_words.verdict(reading(flag=True), pump_class).startswith("Several signals: unlike normal")
    assert asset_words.verdict(reading(flag=False), pump_class) == asset_words.verdict(None, pump_class) == ""


def test_contributions_are_shares_of_what_is_known(reading):
    shares = asset_words.contributions(reading(contribution={"a": 0.2, "b": 0.6, "c": None}), {"a": "A"})
    assert shares == (("b", pytest.approx(75)), ("A", pytest.approx(25)))
    assert asset_words.contributions(reading(contribution={"a": None}), {}) == ()


def test_an_unknown_value_reads_as_a_dash(reading):
    assert asset_words.readout(None, "power_kw", "kW") == ("–", "", "")
    assert asset_words.readout(reading(values={"power_kw": None}), "power_kw", "kW")[0] == "–"


def test_filters_choose_tiles_and_alarms(scene, receive, reading, alarm):
    receive(reading(age_s=1), alarms=(alarm(), alarm("b", acknowledged=True, priority=Priority.HIGH)))
    assert [t.asset_id for t in overview.chosen_tiles(scene(search="BOILER"))] == ["P-101"]
    assert overview.chosen_tiles(scene(search="chiller")) == []
    assert len(overview.chosen_tiles(scene(show="attention"))) == 1
    assert overview.chosen_tiles(scene(show="stale")) == []
    assert [row.rule for row in alarms_page.listing(scene("alarms")).rows] == ["b", "vibration_high"]
    assert [row.rule for row in alarms_page.listing(scene("alarms", priority="high")).rows] == ["b"]
    assert [row.rule for row in alarms_page.listing(scene("alarms", unacknowledged=True)).rows] == ["vibration_high"]
    assert alarms_page.listing(scene("alarms", alarms_of="P-9")).rows == ()


def test_returned_alarms_can_still_be_acknowledged(scene, receive, alarm):
    receive(alarms=(alarm(active=False),))
    (row,) = alarms_page.listing(scene("alarms")).rows
    assert row.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert row.can_acknowledge
