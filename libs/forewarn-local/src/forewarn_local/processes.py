"""What the supervisor runs: specs for ``child.py`` and the configuration of supervisord."""

import json
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forewarn_local import child
from forewarn_local.home import Home

SERVICES_GROUP = "services"
GRACE_S = 15
_SERVER_GRACE_S = 30
_STEADY_S = 2  # a process that runs this long counts as started
_RETRIES = 1_000_000_000  # never give up: supervisord.py lengthens the pauses


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One supervised process."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM
    is_service: bool = True
    uid: int | None = None
    gid: int | None = None


def write_spec(program: Program, home: Home) -> Path:
    """Write the spec that ``child.py`` reads; readable only by this user."""
    path = home.specs / f"{program.name}.json"
    spec = {
        "command": list(program.command),
        "environment": dict(program.environment),
        "cwd": str(program.cwd),
        "uid": program.uid,
        "gid": program.gid,
        "death_signal": int(program.stop_signal),
        "record": str(home.pids / f"{program.name}.json"),
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(spec))
    return path


def render_config(programs: Sequence[Program], home: Home) -> str:
    """Return supervisord's configuration.

    Services form a group with a higher priority number than the servers: on shutdown they stop first, all at once,
    then the servers one by one. ``forewarn up`` starts each program when its dependencies are ready; supervisord only
    restarts it. File names are relative to the home, the working directory, as supervisord expands ``%`` in some twice.
    """
    sections = [
        f"[unix_http_server]\nfile={_escaped(home.socket)}\nchmod=0700",
        "[supervisord]\nnodaemon=true\nsilent=true\npidfile=run/supervisord.pid\nchildlogdir=logs\n"
        "logfile=logs/supervisor.log\nlogfile_maxbytes=1MB\nlogfile_backups=1",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    sections += [_program_section(program, home, number) for number, program in enumerate(programs)]
    services = ",".join(program.name for program in programs if program.is_service)
    if services:
        sections.append(f"[group:{SERVICES_GROUP}]\nprograms={services}\npriority=900")
    return "\n\n".join(sections) + "\n"


def _program_section(program: Program, home: Home, number: int) -> str:
    command = shlex.join([sys.executable, "-I", "-S", child.__file__, str(home.specs / f"{program.name}.json")])
    lines = {
        "command": _escaped(command),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": _STEADY_S,
        "startretries": _RETRIES,
        "stopsignal": program.stop_signal.name.removeprefix("SIG"),
        "stopwaitsecs": GRACE_S if program.is_service else _SERVER_GRACE_S,
        # a service may have child processes; PostgreSQL's postmaster stops its backends itself
        "stopasgroup": "true" if program.is_service else "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": f"logs/{program.name}.log",
        "stdout_logfile_maxbytes": "5MB",
        "stdout_logfile_backups": 2,
        "priority": number + 1,
    }
    return "\n".join([f"[program:{program.name}]", *(f"{key}={value}" for key, value in lines.items())])


def log_path(home: Home, name: str) -> Path:
    """Return the log file of a process."""
    return home.logs / f"{name}.log"


def _escaped(value: Path | str) -> str:
    return str(value).replace("%", "%%")
