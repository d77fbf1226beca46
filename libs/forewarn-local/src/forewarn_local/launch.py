"""Start the platform, watch it, and stop it in order."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial

from forewarn.adapters.disk import DiskSpace
from forewarn_local.budgets import Budgets, budgets
from forewarn_local.disk import DiskWatch
from forewarn_local.display import Display
from forewarn_local.errors import PreflightError, StartFailedError
from forewarn_local.home import Home
from forewarn_local.http_requests import get, has_items, readiness
from forewarn_local.leftovers import end_leftovers, find_leftovers, kill_leftovers, record_process
from forewarn_local.plan import SERVICES, Addresses, base_environment, service_environment
from forewarn_local.preflight import problems
from forewarn_local.processes import Program, log_path
from forewarn_local.restarts import Ended, Restarts
from forewarn_local.servers import Servers
from forewarn_local.settings import LocalSettings
from forewarn_local.spawn import tail
from forewarn_local.supervision import ProcessInfo, RpcError, Supervisor
from forewarn_local.supervisord import LONGEST_PAUSE_S
from forewarn_local.usage import SAMPLE_EVERY_S, UsageLog, take_sample

UP = "up"
_READY_TIMEOUT_S = 300.0  # failures show at once; this is for busy machines
_PROVISION_TIMEOUT_S = 300.0
_WATCH_EVERY_S = 2.0
_REVIVE_EVERY_S = 5.0
_POLL_S = 0.2


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Hold the home's lock; raise PreflightError if another platform holds it."""
    home.make()
    with home.lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PreflightError(
                f"Forewarn already runs from {home.path}. `make status` shows it, `make stop` stops it."
            ) from None
        yield


class Launch:
    """One run of the platform."""

    def __init__(self, home: Home, settings: LocalSettings, environment: Mapping[str, str], display: Display) -> None:
        self._home = home
        self._settings = settings
        self._environment = environment
        self._display = display
        self._supervisor = Supervisor(home)
        self._servers = Servers(home, settings, display)
        self._probes: dict[str, int] = {}
        self._programs: list[Program] = []
        self._budgets = Budgets(kafka_gb=None, database_gb=None)
        self._restarts = Restarts()
        self._sample_due_s = 0.0
        self._disk = DiskWatch(DiskSpace(path=home.path, reserve_gb=settings.disk_reserve_gb))

    def up(self) -> Addresses:
        """Start everything in order; return when a first live reading is visible.

        Raises LocalStackError; the message says what to do or shows the end of the failed process's log.
        """
        record_process(self._home.pids, UP, os.getpid())
        self._clear_leftovers()
        if found := problems(self._home, self._settings):
            raise PreflightError("\n".join(found))
        programs = self._servers.prepare()
        addresses = self._servers.addresses()
        self._probes = self._servers.probe_ports()
        self._budgets = budgets(self._home, self._settings)
        self._programs = [*programs, *self._service_programs(addresses)]
        self._supervisor.start(self._programs)
        self._start_servers()
        self._provision(addresses)
        self._start_services()
        if self._settings.simulation_enabled:
            self._await_reading(addresses)
        self._home.addresses.write_text(
            json.dumps(
                asdict(addresses)
                | {"database": "", "probes": self._probes, "budgets": self._budgets.by_server()}
                | {"disk_reserve_gb": self._settings.disk_reserve_gb},
                indent=1,
            )
        )
        return addresses

    def watch(self, until: Callable[[], bool]) -> None:
        """Report ended processes and a full disk, and restart a dead supervisor, until ``until()`` is true."""
        while not until():
            time.sleep(_WATCH_EVERY_S)
            self._look_at_disk()
            if not self._supervisor.alive:
                self._revive()
                continue
            try:
                infos = self._supervisor.processes()
            except RpcError:
                continue
            self._report(infos)

    def _look_at_disk(self) -> None:
        with suppress(OSError):  # an unreadable disk, or no space for the sample
            for message in self._disk.look():
                self._display.note(message)
            if time.monotonic() >= self._sample_due_s:
                self._sample_due_s = time.monotonic() + SAMPLE_EVERY_S
                UsageLog(self._home.usage).add(take_sample(self._home))

    def _revive(self) -> None:
        """Restart supervisor and processes; if that fails, the watch tries again."""
        self._display.problem(
            f"The supervisor ended unexpectedly; restarting it.\n{tail(self._home.logs / 'supervisor.log', 3)}"
        )
        end_leftovers(find_leftovers(self._home.pids, besides=frozenset({UP})))
        try:
            self._supervisor.start(self._programs)
            for program in self._programs:
                self._supervisor.launch(program.name)
        except (StartFailedError, *RpcError) as exc:
            self._display.problem(f"That failed; next attempt in {_REVIVE_EVERY_S:.0f} s: {exc}")
            time.sleep(_REVIVE_EVERY_S)

    def stop(self) -> None:
        """Stop services, then broker and database, and end any leftovers."""
        if not self._supervisor.started:
            self._forget()
            return
        with self._display.step("Stopping services, then broker and database") as step:
            self._supervisor.stop()
            end_leftovers(find_leftovers(self._home.pids, besides=frozenset({UP})))
            self._forget()
            step.result = "Stopped"

    def kill(self) -> None:
        """SIGKILL everything of this run."""
        kill_leftovers(find_leftovers(self._home.pids, besides=frozenset({UP})))
        self._forget()

    def _forget(self) -> None:
        self._servers.close()
        for path in (self._home.addresses, self._home.usage, self._home.socket, *self._home.pids.glob("*.json")):
            path.unlink(missing_ok=True)

    def _clear_leftovers(self) -> None:
        leftovers = find_leftovers(self._home.pids, besides=frozenset({UP}))
        if leftovers:
            names = ", ".join(f"{one.name} ({one.process.pid})" for one in leftovers)
            with self._display.step(f"Ending processes left by an interrupted run: {names}"):
                end_leftovers(leftovers)

    def _service_programs(self, addresses: Addresses) -> list[Program]:
        embeds_a_server = self._servers.broker is not None or self._servers.database is not None
        disk = {"DISK_PATH": str(self._home.path)} if embeds_a_server else {}
        return [
            Program(
                name=service.name,
                command=[sys.executable, "-m", service.module],
                environment=disk
                | service_environment(service, self._environment, addresses, self._probes[service.name]),
                cwd=self._home.root,
            )
            for service in SERVICES
        ]

    def _start_servers(self) -> None:
        checks = self._servers.waits()
        if not checks:
            return
        with self._display.step(f"Starting {' and '.join(checks)}") as step:
            for name in checks:
                self._supervisor.launch(name)
            self._await(checks, step.update)
            where = [server.port for server in (self._servers.broker, self._servers.database) if server is not None]
            step.result = f"{' and '.join(checks)} up on 127.0.0.1, ports {', '.join(map(str, where))}"

    def _provision(self, addresses: Addresses) -> None:
        log = log_path(self._home, "provision")
        environment = (
            self._budgets.environment()
            | base_environment(self._environment, addresses)
            | {"DATABASE_URL": addresses.database}
        )
        with self._display.step("Creating topics and database tables") as step, log.open("wb") as output:
            run = subprocess.run(
                [sys.executable, "-m", "forewarn.runtime.provision"],
                env=environment,
                cwd=self._home.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_PROVISION_TIMEOUT_S,
                check=False,
            )
            if run.returncode != 0:
                raise StartFailedError(f"Topics and tables could not be created.\n{tail(log)}")
            step.result = "Topics and database tables are in place"

    def _start_services(self) -> None:
        with self._display.step(f"Starting {len(SERVICES)} services") as step:
            for service in SERVICES:
                self._supervisor.launch(service.name)
            checks = {name: partial(readiness, port) for name, port in self._probes.items()}
            self._await(checks, step.update)
            step.result = f"{len(SERVICES)} services are ready"

    def _await_reading(self, addresses: Addresses) -> None:
        url = f"{addresses.api_url}/api/v1/assets"

        def check() -> str | None:
            status, body = get(url, token=self._settings.api_token)
            return None if status == 200 and has_items(body) else f"{url} answers {status or body}"

        with self._display.step("Waiting for the first live reading") as step:
            self._await({"a first live reading": check}, step.update)
            step.result = "Readings arrive"

    def _await(self, checks: Mapping[str, Callable[[], str | None]], update: Callable[[str], None]) -> None:
        """Wait until every check returns None; a process that keeps ending ends the wait."""
        waiting = dict(checks)
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while True:
            reasons = {name: reason for name, check in waiting.items() if (reason := check()) is not None}
            waiting = {name: check for name, check in waiting.items() if name in reasons}
            if not waiting:
                return
            self._report_start(self._supervisor.processes())
            update(f"Waiting for {', '.join(waiting)}")
            if time.monotonic() > deadline:
                lines = [f"{name}: {reason}\n{self._supervisor.log_tail(name)}" for name, reason in reasons.items()]
                raise StartFailedError(f"Not ready after {_READY_TIMEOUT_S:.0f} s: " + "\n".join(lines))
            time.sleep(_POLL_S)

    def _report_start(self, infos: list[ProcessInfo]) -> None:
        for event in self._restarts.look(infos):
            if not isinstance(event, Ended):
                continue
            if event.is_hopeless:
                log = self._supervisor.log_tail(event.name)
                raise StartFailedError(f"{event.name} {event.reason}. The end of its log:\n{log}")
            log = self._supervisor.log_tail(event.name, 1)
            self._display.note(f"{event.name} ended while starting; trying again: {log}")

    def _report(self, infos: list[ProcessInfo]) -> None:
        for event in self._restarts.look(infos):
            if not isinstance(event, Ended):
                self._display.note(f"{event.name} runs again.")
            elif event.is_hopeless:
                self._display.problem(
                    f"{event.name} {event.reason}; retrying at intervals of up to {LONGEST_PAUSE_S:.0f} s. "
                    f"The end of its log:\n{self._supervisor.log_tail(event.name)}"
                )
            else:
                log = log_path(self._home, event.name)
                self._display.note(f"{event.name} {event.reason} and was restarted (log: {log}).")
