"""What is said about processes that end, and when they are started again."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from supervisor.loggers import LevelsByName, LogRecord
from supervisor.states import ProcessStates, SupervisorStates

from forewarn_local.restarts import Ended, Lasts, Restarts
from forewarn_local.supervision import ProcessInfo
from forewarn_local.supervisord import BackingOff, LastingLog, pause_s


def _info(pid, started_s, *, exit_code=1, now_s=None):
    return ProcessInfo(
        name="twin",
        state="RUNNING" if pid else "BACKOFF",
        pid=pid,
        started_s=started_s,
        now_s=started_s if now_s is None else now_s,
        exit_code=exit_code,
    )


def _seen(*infos):
    restarts = Restarts()
    return [event for info in infos for event in restarts.look([info])]


def test_pauses_grow_from_none_to_half_a_minute():
    assert [pause_s(n) for n in range(1, 9)] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert pause_s(10**9) == 30


def test_a_process_that_was_started_again_between_two_looks_has_ended_once():
    [event] = _seen(_info(10, 100), _info(11, 105), _info(11, 105, now_s=110))
    assert (event.times, event.reason) == (1, "ended (exit code 1)")


def test_runs_too_short_to_be_seen_count():
    events = _seen(_info(0, 0), _info(0, 1), _info(0, 2), _info(0, 4), _info(0, 8), _info(0, 16))
    assert [event.times for event in events] == [1, 2, 3, 4]
    assert events[-1].is_hopeless
    assert "keeps ending (exit code 1, 4 times)" in events[-1].reason


def test_wrong_settings_are_named_at_the_first_end_and_once():
    [event] = _seen(_info(10, 100), _info(0, 100, exit_code=2), _info(0, 101, exit_code=2))
    assert event.is_hopeless
    assert "cannot start with its settings (exit code 2)" in event.reason


def test_a_run_that_lasts_is_named_and_the_count_begins_again():
    looks = [_info(10, 0)] + [_info(10 + n, n) for n in range(1, 5)]
    events = _seen(*looks, _info(14, 4, now_s=64), _info(15, 70))
    assert events[-2:] == [Lasts(name="twin"), Ended(name="twin", times=1, exit_code=1)]


@pytest.fixture
def process(monkeypatch):
    """A supervised process whose starts are counted instead of made."""
    options = SimpleNamespace(
        logger=SimpleNamespace(info=lambda *_: None, warn=lambda *_: None),
        mood=SupervisorStates.RUNNING,
        close_parent_pipes=lambda _: None,
    )
    config = SimpleNamespace(
        name="twin", options=options, startsecs=2, startretries=10**9, exitcodes=[0], autorestart=True, priority=1
    )
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("forewarn_local.supervisord.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr("supervisor.process.time", SimpleNamespace(time=lambda: clock.now))
    monkeypatch.setattr("supervisor.process.Subprocess.spawn", lambda self: starts.append(clock.now) or _begin(self))
    starts: list[float] = []

    def _begin(process):
        process.laststart, process.pid, process.state = clock.now, 7, ProcessStates.STARTING

    one = BackingOff(config)
    one.group = None
    one.clock, one.starts = clock, starts
    return one


def _live(process, seconds):
    """Let one run last so long, end it with code 1, and return the pause before the next."""
    process.clock.now += seconds
    process.transition()
    process.finish(7, 1 << 8)
    ended, before = process.clock.now, len(process.starts)
    while len(process.starts) == before:
        process.transition()
        process.clock.now += 0.25
    return process.starts[-1] - ended


def test_a_process_that_dies_every_three_seconds_is_started_less_and_less_often(process, monkeypatch):
    monkeypatch.setattr("supervisor.events.notify", lambda _: None)
    process.spawn()
    pauses = [_live(process, 3.0) for _ in range(8)]
    assert pauses == pytest.approx([0, 1, 2, 4, 8, 16, 30, 30], abs=0.5)
    assert _live(process, 61.0) == pytest.approx(0, abs=0.5)
    assert process.exitstatus == 1


def test_a_log_on_a_full_disk_loses_lines_and_the_supervisor_goes_on(tmp_path):
    log = LastingLog(str(tmp_path / "x.log"), "ab", maxBytes=1000, backupCount=1)
    log.stream.close()
    with Path("/dev/full").open("wb", buffering=0) as full:
        log.stream = full
        log.emit(LogRecord(LevelsByName.INFO, b"x" * 10_000))


def test_a_log_whose_rotation_failed_is_opened_again(tmp_path):
    log = LastingLog(str(tmp_path / "x.log"), "ab", maxBytes=1000, backupCount=1)
    log.stream.close()  # what a rotation without space leaves
    log.emit(LogRecord(LevelsByName.INFO, b"back"))
    log.close()
    assert (tmp_path / "x.log").read_bytes() == b"back"
