"""Client of supervisord, which keeps the platform's processes alive."""

import http.client
import signal
import sys
import time
import xmlrpc.client
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supervisor.xmlrpc import SupervisorTransport

from forewarn_local.errors import StartFailedError
from forewarn_local.home import Home
from forewarn_local.leftovers import record_process
from forewarn_local.processes import SERVICES_GROUP, Program, log_path, render_config, write_spec
from forewarn_local.spawn import start, stop, tail

if TYPE_CHECKING:
    from subprocess import Popen

RECORD = "supervisord"
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 90.0  # services 15 s, then each server 30 s
_POLL_S = 0.1

RpcError = (OSError, http.client.HTTPException, xmlrpc.client.Error)
"""Raised by a call to a supervisor that is absent or ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInfo:
    """State of one supervised process; ``exit_code`` is that of its last run, −1 for a signal."""

    name: str
    state: str
    pid: int
    started_s: int
    now_s: int
    exit_code: int = 0

    @property
    def uptime_s(self) -> int:
        """Return seconds since its last start; 0 while it does not run."""
        return max(0, self.now_s - self.started_s) if self.state == "RUNNING" else 0


class Supervisor:
    """The supervisord of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process: Popen[bytes] | None = None
        self._services: frozenset[str] = frozenset()

    def start(self, programs: Sequence[Program]) -> None:
        """Start supervisord with these programs, without starting any of them.

        Raises StartFailedError if it did not answer.
        """
        self._services = frozenset(program.name for program in programs if program.is_service)
        for program in programs:
            write_spec(program, self._home)
        config = self._home.run / "supervisord.conf"
        config.write_text(render_config(programs, self._home))
        self._home.socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "forewarn_local.supervisord", "-n", "-c", str(config)]
        log = self._home.logs / "supervisor.out"
        log.unlink(missing_ok=True)
        self._process = start(command, log=log, cwd=self._home.path, parent_death_signal=signal.SIGTERM)
        record_process(self._home.pids, RECORD, self._process.pid)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StartFailedError(f"The supervisor did not start.\n{tail(log)}")
            time.sleep(_POLL_S)

    @property
    def started(self) -> bool:
        """Return whether this object has started a supervisord, running or not."""
        return self._process is not None

    @property
    def alive(self) -> bool:
        """Return whether the supervisord that this object started runs."""
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """Return whether a supervisor answers on this home's socket."""
        try:
            with self._rpc() as supervisor:
                supervisor.getState()
        except RpcError:
            return False
        return True

    def launch(self, name: str) -> None:
        """Start one program without waiting for it, unless it runs.

        Raises StartFailedError if the supervisor refuses.
        """
        full_name = f"{SERVICES_GROUP}:{name}" if name in self._services else name
        try:
            with self._rpc() as supervisor:
                supervisor.startProcess(full_name, False)  # noqa: FBT003  # positional in XML-RPC
        except xmlrpc.client.Fault as fault:
            if not fault.faultString.startswith(("ALREADY_STARTED", "SPAWN_ERROR")):
                raise StartFailedError(f"{name} could not be started: {fault.faultString}") from fault

    def processes(self) -> list[ProcessInfo]:
        """Return the state of every program."""
        with self._rpc() as supervisor:
            infos = supervisor.getAllProcessInfo()
        return [
            ProcessInfo(
                name=str(info["name"]),
                state=str(info["statename"]),
                pid=int(info["pid"]),
                started_s=int(info["start"]),
                now_s=int(info["now"]),
                exit_code=int(info["exitstatus"]),
            )
            for info in infos
        ]

    def log_tail(self, name: str, lines: int = 25) -> str:
        """Return the end of a program's log."""
        return tail(log_path(self._home, name), lines)

    def stop(self) -> None:
        """Stop everything in order and wait for the end."""
        if self._process is not None:
            stop(self._process, number=signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S)

    @contextmanager
    def _rpc(self) -> Iterator[Any]:  # a proxy has whatever methods the server has
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._home.socket}")
        try:
            yield xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()
