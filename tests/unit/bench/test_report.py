import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from bench.counting import Rows, duplicates_met
from bench.figures import Cost, Footprint, Idle, Latency, Micro, Rate, Results, Step
from bench.goals import idle_goals, micro_goals, pipeline_goals, sustained
from bench.installation import BenchError, last_json_line
from bench.options import DEFAULT_RATES, GOAL_RATE, SECTIONS, parse
from bench.pipeline import duplicated, lost
from bench.report import render
from bench.table import table

LATENCY = Latency(count=10, p50_ms=40.0, p95_ms=70.0, p99_ms=90.0, max_ms=120.0)
STEP = Step(
    offered_per_s=GOAL_RATE,
    seconds=60.0,
    sent=3_600_000,
    delivered=3_600_000,
    failed=0,
    readings_rows=3_600_000,
    results_rows=3_600_000,
    warned=0,
    rejected=0,
    lost=0,
    duplicated=0,
    ran_s=60.3,
    drain_s=0.3,
    raw_to_scored=LATENCY,
    event_to_scored=LATENCY,
    reading_queryable=LATENCY,
    result_queryable=LATENCY,
    alert=LATENCY,
    alerts_missing=0,
    cost={name: Cost(us_per_reading=2.0, core_share=0.12) for name in ("validator", "twin", "anomaly", "broker")},
    memory={"validator": Footprint(resident_mib=100.0, peak_mib=120.0)},
    waiting={"readings": 3_000, "health": 5, "alerting": 7},
    lag_after={"validator": 0, "twin": 0, "anomaly": 0, "health": 0, "alerting": 0},
    load_average=0.4,
)
ROWS = Rows(readings=100, warned=0, distinct=100, results=100, rejected=0)


def results(*steps: Step) -> Results:
    return Results(hardware={"cpu": "2 x test"}, options={}, steps=list(steps))


def test_percentiles_are_those_of_the_measurements():
    latency = Latency.of(np.arange(101.0))
    assert (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms) == (50.0, 95.0, 99.0, 100.0)


def test_nothing_measured_is_unknown_and_not_zero():
    assert Latency.of([]) == Latency(count=0)
    assert Latency(count=0).p99_ms is None


def test_a_reading_is_lost_when_a_table_lacks_it_and_nobody_refused_it():
    assert lost(100, ROWS) == 0
    assert lost(103, ROWS) == 3
    assert lost(100, replace(ROWS, results=98)) == 2
    assert lost(100, replace(ROWS, readings=98, distinct=98, results=98, rejected=2)) == 0


def test_a_second_row_under_another_time_does_not_make_up_for_a_lost_reading():
    rows = replace(ROWS, readings=100, distinct=99)
    assert (lost(100, rows), duplicated(100, 100, rows)) == (1, 1)


def test_scoring_twice_is_a_duplicate():
    assert duplicated(100, 100, ROWS) == 0
    assert duplicated(100, 104, ROWS) == 4


def test_the_sink_s_duplicates_are_those_of_the_wide_tables():
    metrics = (
        'forewarn_sink_rows_duplicate_total{table="readings_pump"} 3.0\n'
        'forewarn_sink_rows_duplicate_total{table="results_pump"} 2.0\n'
        'forewarn_sink_rows_duplicate_total{table="add_alarm_event"} 9.0\n'
    )
    assert duplicates_met(metrics) == 5


def test_a_step_that_keeps_up_reaches_the_goals():
    assert {goal.verdict for goal in pipeline_goals([STEP])} == {"ok"}


@pytest.mark.parametrize("change", [{"lost": 1}, {"duplicated": 1}, {"failed": 1}, {"ran_s": 70.0}])
def test_a_step_that_loses_or_falls_behind_is_not_sustained(change):
    step = replace(STEP, **change)
    assert not sustained(step)
    assert pipeline_goals([step])[0].verdict == "MISSED"


def test_a_step_that_falls_behind_shows_what_it_carried():
    assert pipeline_goals([replace(STEP, ran_s=70.0)])[-1].verdict == "ok"
    assert pipeline_goals([replace(STEP, ran_s=130.0)])[-1].verdict == "MISSED"


def test_a_short_step_proves_no_minute():
    short = replace(STEP, seconds=20.0, readings_rows=1_200_000, results_rows=1_200_000, ran_s=20.3)
    assert pipeline_goals([short])[0].verdict == "not measured"


def test_slow_scores_miss_their_goal():
    slow = replace(STEP, raw_to_scored=replace(LATENCY, p99_ms=151.0))
    assert [goal.verdict for goal in pipeline_goals([slow])] == ["ok", "MISSED", "ok", "ok"]


def test_only_lost_or_doubled_readings_and_missing_measurements_fail_a_run():
    late = replace(STEP, raw_to_scored=replace(LATENCY, p99_ms=9_000.0), ran_s=600.0)
    assert not results(late).failed
    assert results(late, replace(STEP, lost=1)).failed
    broken = results(STEP)
    broken.problems.append("idle: no answer")
    assert broken.failed


def test_the_report_shows_every_part():
    everything = results(replace(STEP, offered_per_s=30_000), STEP)
    everything.idle = Idle(core_share={"broker": 0.2}, memory={"broker": Footprint(resident_mib=300.0, peak_mib=400.0)})
    everything.limits.append(Rate(name="bare copy", readings_per_s=200_000.0, us_per_reading=3.0))
    everything.faust.append(Rate(name="Faust", readings_per_s=600.0, us_per_reading=1_600.0))
    everything.micro.append(Micro(name="guard", value=3.4, unit="us/reading", goal=3.0))
    everything.imports.append(Micro(name="import of 9 rows", value=50.0, unit="s", goal=120.0))
    text = render(everything)
    for part in (
        "import of 9 rows",
        "60,000",
        "40 / 70 / 90 / 120",
        "bare copy",
        "x 0.30",
        "Faust",
        "x 100",
        "MISSED",
        "0.20 cores",
    ):
        assert part in text, part
    json.dumps(asdict(everything), allow_nan=False)


def test_a_report_of_nothing_says_that_nothing_was_measured():
    assert "not measured" in render(results())


def test_goals_without_a_measurement_are_open():
    assert {goal.verdict for goal in idle_goals(None)} == {"not measured"}
    assert micro_goals([Micro(name="decode", value=1.0, unit="us/reading")]) == []


def test_tables_are_aligned():
    assert table(("a", "bb"), [("long", "1"), ("b", "222")]) == ["a      bb", "long    1", "b     222"]


def test_the_goal_rate_lasts_a_minute_unless_told_otherwise():
    options = parse([])
    assert (options.rates, options.sections) == (DEFAULT_RATES, SECTIONS)
    assert [options.seconds_of(rate) for rate in (1_000, GOAL_RATE)] == [20.0, 60.0]
    assert parse(["--seconds", "5"]).seconds_of(GOAL_RATE) == 5.0


def test_quick_keeps_what_was_asked_for():
    options = parse(["--quick", "--rates", "2e3,4e3", "--only", "pipeline,micro"])
    assert (options.quick, options.rates, options.sections) == (True, (2_000, 4_000), ("micro", "pipeline"))


@pytest.mark.parametrize("arguments", [["--rates", "0"], ["--only", "everything"]])
def test_wrong_options_end_the_command(arguments, capsys):
    with pytest.raises(SystemExit):
        parse(arguments)
    assert capsys.readouterr().err


def test_the_report_of_a_command_is_its_last_line_of_json():
    assert last_json_line('log {"a": 0}\n{"a": 1}\n{"a": 2}\nbye') == {"a": 2}
    with pytest.raises(BenchError, match="no report"):
        last_json_line("bye")
