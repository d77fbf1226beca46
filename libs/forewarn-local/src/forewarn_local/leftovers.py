"""Find and end processes of an earlier run, by recorded process id and command."""

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from forewarn_local.processes import GRACE_S

_CLOCK_SLACK_S = 2.0
_SUPERVISOR_TIMEOUT_S = 90.0
_KILL_TIMEOUT_S = 10.0
_POLL_S = 0.05
_STOP_SIGNALS = {"postgres": signal.SIGINT}  # SIGTERM would wait for its clients
_SERVERS = ("kafka", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A process of an earlier run that still exists."""

    name: str
    process: psutil.Process


def record_process(pids: Path, name: str, pid: int) -> None:
    """Record a started process."""
    record = {"pid": pid, "command": psutil.Process(pid).cmdline()}
    (pids / f"{name}.json").write_text(json.dumps(record))


def recorded(pids: Path, name: str) -> psutil.Process | None:
    """Return the recorded process if it is alive, has the recorded command and is not younger than the record."""
    path = pids / f"{name}.json"
    try:
        record = json.loads(path.read_text())
        written_s = path.stat().st_mtime
        process = psutil.Process(int(record["pid"]))
        same = process.cmdline() == record["command"] and process.create_time() <= written_s + _CLOCK_SLACK_S
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return process if same and is_alive(process) else None


def find_leftovers(pids: Path, *, besides: frozenset[str] = frozenset()) -> list[Leftover]:
    """Return every recorded process that still exists, except ``besides``."""
    names = sorted(path.stem for path in pids.glob("*.json") if path.stem not in besides)
    found = ((name, recorded(pids, name)) for name in names)
    return [Leftover(name=name, process=process) for name, process in found if process is not None]


def end_leftovers(leftovers: list[Leftover]) -> None:
    """End processes in order: the supervisor with its children, then services, then servers."""
    stages = (
        ([one for one in leftovers if one.name == "supervisord"], _SUPERVISOR_TIMEOUT_S),
        ([one for one in leftovers if one.name not in {"supervisord", *_SERVERS}], float(GRACE_S)),
        ([one for one in leftovers if one.name in _SERVERS], float(GRACE_S)),
    )
    for stage, timeout_s in stages:
        for one in stage:
            _signal(one)
        for process in wait_gone([one.process for one in stage], timeout_s):
            process.kill()
        wait_gone([one.process for one in stage], _KILL_TIMEOUT_S)


def kill_leftovers(leftovers: list[Leftover]) -> None:
    """SIGKILL processes at once; the supervisor first, so that it restarts nothing."""
    for one in sorted(leftovers, key=lambda one: one.name != "supervisord"):
        try:
            one.process.kill()
        except psutil.NoSuchProcess:
            continue
    wait_gone([one.process for one in leftovers], _KILL_TIMEOUT_S)


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_gone(processes: list[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Wait for processes to end; return those that did not within the timeout."""
    deadline = time.monotonic() + timeout_s
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return alive


def _signal(one: Leftover) -> None:
    try:
        one.process.send_signal(_STOP_SIGNALS.get(one.name, signal.SIGTERM))
    except psutil.NoSuchProcess:
        return
