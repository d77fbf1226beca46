from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.run import MachineRun, simulate
from forewarn.domain.simulation.schedule import Schedule, duty_at
from forewarn.domain.simulation.standstill import STANDSTILL
from unit.simulation.cases import CATALOGUE, findings, guarded

MONDAY = datetime(2026, 9, 21, tzinfo=UTC)
OFFICE = Schedule()  # 6 to 20 h, Monday to Friday


def main_at(schedule: Schedule, *moments: timedelta) -> list[float]:
    times = np.array([(MONDAY + moment).timestamp() for moment in moments])
    return duty_at(schedule, times).main.tolist()


def test_a_machine_runs_in_its_hours_and_rests_at_night_and_on_the_weekend():
    hours = [timedelta(hours=h) for h in (5, 7, 19, 21)]
    assert main_at(OFFICE, *hours) == [0.0, 1.0, 1.0, 0.0]
    assert main_at(OFFICE, timedelta(days=4, hours=12), timedelta(days=5, hours=12)) == [1.0, 0.0]
    assert main_at(OFFICE, timedelta(days=6, hours=12), timedelta(days=7, hours=12)) == [0.0, 1.0]


def test_the_plant_s_clock_may_differ_from_utc():
    assert main_at(Schedule(utc_offset_h=8.0), timedelta(hours=-1.5), timedelta(hours=13)) == [1.0, 0.0]


def test_days_without_a_break_run_through_midnight():
    through = Schedule(start_hour=0.0, stop_hour=24.0)
    minutes = [timedelta(days=1, minutes=m) for m in (-5, -1, 0, 1, 5)]
    assert main_at(through, *minutes) == [1.0] * 5
    assert main_at(through, timedelta(days=5, hours=1)) == [0.0]
    always = Schedule(start_hour=0.0, stop_hour=24.0, days=tuple(range(7)))
    assert main_at(always, timedelta(0), timedelta(days=6.999)) == [1.0, 1.0]


def test_auxiliaries_start_first_and_stop_last():
    seconds = np.arange(-10.0, 200.0)
    starting = duty_at(OFFICE, MONDAY.timestamp() + 6 * 3600 + seconds)
    stopping = duty_at(OFFICE, MONDAY.timestamp() + 20 * 3600 + seconds)
    for duty in (starting, stopping):
        assert (duty.auxiliary >= duty.main).all()
        assert (duty.main[duty.auxiliary < 1.0] == 0.0).all()
    assert (np.diff(starting.main) >= 0).all()
    assert (np.diff(stopping.main) <= 0).all()
    assert starting.warmth[starting.auxiliary < 1.0].max() < 1e-9
    assert (np.diff(starting.warmth[seconds > 60.0]) > 0).all()


@pytest.mark.parametrize(
    "wrong", [{"start_hour": 20.0, "stop_hour": 6.0}, {"days": ()}, {"days": (0, 7)}, {"day_s": 300.0}, {"run_up_s": 0}]
)
def test_an_impossible_schedule_is_refused(wrong):
    with pytest.raises(ValueError, match="day"):
        Schedule(**wrong)


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize(("every_s", "rows"), [(10.0, 900), (60.0, 2880)])
def test_starting_and_stopping_brings_no_finding_of_the_guard(name, every_s, rows):
    stamps_from = datetime.fromtimestamp(1_790_000_000, tz=UTC)  # Monday, 14:13, where the helper's stamps begin
    soon = (stamps_from.hour + stamps_from.minute / 60.0 + 0.5) % 24.0
    schedule = Schedule(start_hour=soon, stop_hour=soon + 1.2, run_up_s=240.0)
    run = MachineRun(asset_class=name, schedule=schedule, seed=3)
    columns = simulate(run, start_s=stamps_from.timestamp(), step_s=every_s, rows=rows)
    result = guarded(CATALOGUE[name], columns, every_s)
    assert (findings(result), result.rejections) == (set(), ())
    moving = next(tag for tag, rest in STANDSTILL[name].items() if rest.at == 0.0 and rest.by == "main")
    assert columns[moving].min() < 0.02 * columns[moving].max(), "it stood still for a while"


def test_standstill_says_what_every_kind_of_machine_does():
    assert set(STANDSTILL) == set(KINDS)
    for name, tags in STANDSTILL.items():
        assert set(tags) <= set(CATALOGUE[name].tag_names)
        assert {rest.at for rest in tags.values() if isinstance(rest.at, str)} <= set(CATALOGUE[name].tag_names)
