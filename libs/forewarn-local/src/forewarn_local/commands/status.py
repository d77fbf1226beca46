"""``forewarn status``: what runs, where, at what cost."""

import json
from typing import Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

from forewarn_local.commands.common import here
from forewarn_local.home import Home
from forewarn_local.http_get import get
from forewarn_local.supervision import ProcessInfo, RpcError, Supervisor
from forewarn_local.usage import describe

_CPU_SAMPLE_S = 0.5


def status() -> None:
    """Show every process with its state, readiness, CPU and memory; exit code 3 if nothing runs."""
    home, display = here()
    try:
        infos = Supervisor(home).processes()
    except RpcError:
        display.say("Forewarn does not run here. `make run` starts it.")
        raise typer.Exit(3) from None
    addresses = _addresses(home)
    probes: dict[str, int] = addresses.get("probes", {})
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("process", "state", "ready", "pid", "up"):
        table.add_column(heading)
    table.add_column("CPU %", justify="right")
    table.add_column("MiB", justify="right")
    for info, (cpu_percent, memory_mib) in zip(infos, _costs(infos), strict=True):
        ready = _ready(probes.get(info.name))
        pid = str(info.pid or "")
        cost = (f"{cpu_percent:.0f}", f"{memory_mib:.0f}")
        table.add_row(info.name, info.state.lower(), ready, pid, f"{info.uptime_s} s", *cost)
    Console(highlight=False).print(table)
    if addresses:
        display.say()
        for line in describe(home, addresses["budgets"], addresses["disk_reserve_gb"]):
            display.say(line)
        for line in _platform_health(addresses["api_url"]):
            display.say(line)
        display.say(f"\nDashboard {addresses['dashboard_url']}   API {addresses['api_url']}/docs")


def _addresses(home: Home) -> dict[str, Any]:
    try:
        return dict(json.loads(home.addresses.read_text()))
    except (OSError, ValueError):
        return {}


def _platform_health(api_url: str) -> list[str]:
    """What the API says about services that stand and a disk that is nearly full."""
    _, body = get(f"{api_url}/healthz")
    try:
        health = dict(json.loads(body))
    except ValueError:
        return [f"health    the API does not answer: {body.strip()[:100]}"]
    if "components" not in health:  # a problem detail: the API cannot say
        return [f"health    the API answers: {str(health.get('detail', body))[:100]}"]
    found = [f"health    {health['status']}"]
    found += [f"          {name}: {c['detail']}" for name, c in health["components"].items() if c["status"] != "ok"]
    for one in health["processing"] or []:
        if one["state"] != "ok":
            found.append(f"          {one['detail']} ({one['behind_messages']} messages, since {one['since']})")
    return found


def _ready(port: int | None) -> str:
    if port is None:
        return ""
    code, body = get(f"http://127.0.0.1:{port}/readyz")
    return "yes" if code == 200 else f"no: {body.strip()[:60]}"


def _costs(infos: list[ProcessInfo]) -> list[tuple[float, float]]:
    """Return (CPU [% of a core], memory [MiB], shared pages once) of each process with its children."""
    families = [_family(info.pid) for info in infos]
    before = [_cpu_s(family) for family in families]
    psutil.cpu_percent(interval=_CPU_SAMPLE_S)
    after = [_cpu_s(family) for family in families]
    cpus = [100.0 * max(0.0, late - early) / _CPU_SAMPLE_S for early, late in zip(before, after, strict=True)]
    return list(zip(cpus, [_memory_mib(family) for family in families], strict=True))


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid) if pid else None
        return [process, *process.children(recursive=True)] if process is not None else []
    except psutil.Error:
        return []


def _cpu_s(family: list[psutil.Process]) -> float:
    total = 0.0
    for process in family:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def _memory_mib(family: list[psutil.Process]) -> float:
    total = 0.0
    for process in family:
        try:
            details = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(details, "pss", details.rss)
    return total / 2**20
