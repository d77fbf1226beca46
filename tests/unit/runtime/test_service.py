"""How a service process ends: in a process of its own, for it sets signal handlers, logging and garbage collection."""

import os
import re
import subprocess
import sys

SERVICE = """\
from forewarn.adapters.catalogue import load_catalogue
from forewarn.runtime.service import run_service
from forewarn.runtime.settings import KafkaSettings


def main(settings, stop):
    load_catalogue(settings.catalogue_path)
    {then}


run_service("press", KafkaSettings, main)
"""


def run(cwd, then="pass", **settings):
    """Run a service that reads its asset classes, does ``then`` and returns."""
    return subprocess.run(
        [sys.executable, "-c", SERVICE.format(then=then)],
        cwd=cwd,  # no .env there
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_service_that_returns_ends_with_code_0(tmp_path):
    ended = run(tmp_path, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert ended.returncode == 0, ended.stderr


def test_bad_settings_end_with_code_2_and_name_the_variable(tmp_path):
    ended = run(tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("press: cannot start\nKAFKA_BOOTSTRAP_SERVERS")
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_bad_asset_class_ends_with_code_2_and_names_file_line_and_key(tmp_path):
    (tmp_path / "classes").mkdir()
    kiln = tmp_path / "classes" / "kiln.yaml"
    kiln.write_text("extends: generic\ntags:\n  - {name: kiln_temp, title: T, unit: °C, engineering_range: [0, 9]}\n")
    ended = run(tmp_path, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", CATALOGUE_PATH=str(kiln.parent))
    assert ended.returncode == 2
    said = rf"press: cannot start\n{kiln}:3: tags\[\d\]\.unit: unit '°C' is not known; did you mean Cel\?\n"
    assert re.search(said, ended.stderr)
    assert "Traceback" not in ended.stdout + ended.stderr


def test_any_other_failure_ends_with_code_1_and_its_traceback_in_the_log(tmp_path):
    ended = run(tmp_path, then="raise RuntimeError('burst pipe')", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert ended.returncode == 1
    assert "service_crashed" in ended.stdout + ended.stderr
    assert "burst pipe" in ended.stdout + ended.stderr


def test_a_process_that_has_to_be_restarted_ends_with_code_1_and_one_line(tmp_path):
    then = "from forewarn.runtime.frame_loop import MembershipLost; raise MembershipLost('the group took it away')"
    ended = run(tmp_path, then=then, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert ended.returncode == 1
    (line,) = [line for line in (ended.stdout + ended.stderr).splitlines() if "the group took it away" in line]
    assert "restart_needed" in line
    assert "Traceback" not in ended.stdout + ended.stderr


SUPERVISED = """\
import threading, urllib.request, urllib.error
from forewarn.adapters.clock import SystemClock
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.probes import ProbeServer
from forewarn.runtime.service import supervised
from forewarn.runtime.settings import ServiceSettings
import forewarn.runtime.watchdog as watchdog

watchdog._CHECK_EVERY_S = 0.05
started = ProbeServer.__enter__


def enter(self):
    global port
    port = self.port
    return started(self)


def ask(path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").status
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read().decode()


ProbeServer.__enter__ = enter
problems = []
heartbeat = Heartbeat(SystemClock(), limit_s=LIMIT)
failure = lambda: problems[0] if problems else None
with supervised(ServiceSettings(), heartbeat, ready=lambda: "not yet", failure=failure):
    answers = [ask("/livez"), ask("/readyz")]
    problems.append("the feed has stopped")
    print(*answers, ask("/livez"))
    threading.Event().wait(0 if LIMIT > 1 else 60)
"""


def supervise(cwd, limit_s):
    return subprocess.run(
        [sys.executable, "-c", SUPERVISED.replace("LIMIT", str(limit_s))],
        cwd=cwd,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_that_only_a_restart_cures_is_not_live(tmp_path):
    ended = supervise(tmp_path, 60)
    assert ended.returncode == 0, ended.stderr
    assert "200 (503, 'not yet') (503, 'the feed has stopped')\n" in ended.stdout


def test_a_process_whose_heart_stops_ends_so_that_it_is_started_again(tmp_path):
    ended = supervise(tmp_path, 0.5)
    assert ended.returncode == 3
    assert "the main loop has not moved" in ended.stdout + ended.stderr
