"""``forewarn up`` with stand-in services on a real broker, database and supervisor."""

import json
import os
import signal
import sys
import time

import psutil
import psycopg
import pytest

from forewarn_local.leftovers import is_alive
from forewarn_local.ports import any_free
from forewarn_local.spawn import start, tail
from support.stack import wait_until

pytestmark = pytest.mark.integration

STOP_TIMEOUT_S = 45.0
EVERYTHING = {"kafka", "postgres", "supervisord", "up", "api", "dashboard", "sink", "simulator", "twin"}


def _gone(processes: list[psutil.Process]) -> bool:
    return not any(is_alive(one) for one in processes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order_and_leaves_no_process(platform, number):
    platform.up()
    assert platform.process.poll() is None, platform.output
    processes = platform.processes()
    assert {path.stem for path in (platform.home / "run" / "pids").glob("*.json")} >= EVERYTHING
    assert platform.end(number) == 0, platform.output
    assert _gone(processes)
    assert "forewarn_sink stops" in (platform.home / "logs" / "sink.log").read_text()
    stops = [line for line in tail(platform.home / "logs" / "supervisor.log", 40).splitlines() if "stopped:" in line]
    last_two = [line.split("stopped: ")[1].split()[0] for line in stops][-2:]
    assert sorted(last_two) == ["kafka", "postgres"], stops


def test_a_signal_that_comes_twice_at_once_still_stops_in_order(platform):
    platform.up()
    platform.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "Stopping services" in platform.output, 10, lambda: platform.output)
    platform.process.send_signal(signal.SIGINT)
    assert platform.end(signal.SIGTERM) == 0
    assert "ending everything at once" not in platform.output
    assert "forewarn_sink stops" in (platform.home / "logs" / "sink.log").read_text()


@pytest.mark.timing
def test_a_second_run_goes_on_with_the_data_and_clean_forgets_it(platform):
    platform.up()
    with psycopg.connect(platform.database_url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    refused = platform.run("clean")
    assert refused.returncode == 1
    assert "already runs" in refused.stdout
    platform.end(signal.SIGTERM)
    begin = time.monotonic()
    platform.up()
    assert time.monotonic() - begin < 30
    with psycopg.connect(platform.database_url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    down = platform.run("down")
    assert down.returncode == 0, down.stdout
    assert platform.process.wait(10) == 0
    clean = platform.run("clean")
    assert clean.returncode == 0
    assert "Kept" in clean.stdout
    assert not (platform.home / "data" / "postgres").exists()


def test_whatever_is_killed_is_started_again(platform):
    platform.up()
    for name in ("twin", "kafka", "postgres"):
        before = platform.pid(name)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda name=name, before=before: platform.pid(name) != before, 20, f"{name} is started again")
        wait_until(
            lambda name=name: f"{name} ended (killed by a signal) and was restarted" in platform.output,
            20,
            lambda: platform.output,
        )

    def database_answers() -> bool:
        try:
            psycopg.connect(platform.database_url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(database_answers, 20, "the database answers")
    status = platform.run("status")
    assert status.returncode == 0
    assert "twin" in status.stdout
    platform.end(signal.SIGTERM)


def test_a_closed_terminal_stops_everything_though_nobody_passes_the_hang_up_on(platform):
    shell = f"trap '' HUP; {sys.executable} -m forewarn_local up; :"  # like make: waits, passes nothing on
    script = f"import pty; pty.spawn(['/bin/sh', '-c', {shell!r}])"
    platform.up(command=[sys.executable, "-c", script])
    processes = [one for one in platform.processes() if one.pid != platform.process.pid]
    platform.process.kill()  # the terminal's owner
    platform.process.wait()
    wait_until(lambda: _gone(processes), STOP_TIMEOUT_S, "everything stops when the terminal is gone")


def test_nothing_outlives_a_killed_parent(platform):
    platform.up()
    processes = [one for one in platform.processes() if one.pid != platform.process.pid]
    platform.process.kill()
    platform.process.wait()
    wait_until(lambda: _gone(processes), STOP_TIMEOUT_S, "the supervisor stops everything when its parent is gone")


def test_the_next_run_clears_what_a_killed_parent_and_supervisor_left(platform):
    platform.up()
    platform.end(signal.SIGTERM)
    record = platform.home / "run" / "pids" / "twin.json"
    stray = start(["/bin/sleep", "600"], log=platform.log)
    stranger = start(["/bin/sleep", "601"], log=platform.log)
    record.write_text(json.dumps({"pid": stray.pid, "command": ["/bin/sleep", "600"]}))
    record.with_name("sink.json").write_text(json.dumps({"pid": stranger.pid, "command": ["/bin/sleep", "7"]}))
    try:
        platform.up()
        assert f"twin ({stray.pid})" in platform.output
        assert stray.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None, "its command is not the recorded one: it is somebody else's"
    finally:
        for one in (stray, stranger):
            one.kill()
            one.wait()
    platform.end(signal.SIGTERM)


def test_a_service_that_keeps_dying_is_shown_with_the_end_of_its_log(platform):
    platform.make_services(crashing="health")
    platform.up()
    assert platform.process.wait(STOP_TIMEOUT_S) == 1
    assert "health keeps ending" in platform.output
    assert "cannot find the flux capacitor" in platform.output
    assert _gone(platform.processes())


def test_servers_of_the_users_own_replace_the_embedded_ones(platform, kafka_broker, database_url):
    platform.environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "DATABASE_URL": database_url,
    }
    platform.up()
    names = {path.stem for path in (platform.home / "run" / "pids").glob("*.json")}
    assert {"kafka", "postgres"}.isdisjoint(names)
    assert kafka_broker.bootstrap_servers in (platform.home / "logs" / "provision.log").read_text()
    assert platform.end(signal.SIGTERM) == 0


def test_servers_that_do_not_answer_are_named_in_one_message_each(platform):
    dead = any_free()
    platform.environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{dead}",
        "DATABASE_URL": f"postgresql://me:secret@127.0.0.1:{dead}/x",
    }
    platform.up()
    assert platform.process.wait(30) == 1
    assert f"No Kafka answers at KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{dead}" in platform.output
    assert "No database answers at DATABASE_URL" in platform.output
    assert "secret" not in platform.output
