"""``forewarn status``: which processes run, and their cost."""

import json

import psutil
import typer
from rich.console import Console

from forewarn_local.commands.common import here
from forewarn_local.display import Display, plain_table
from forewarn_local.http_requests import get, readiness
from forewarn_local.supervision import ProcessInfo, RpcError, Supervisor
from forewarn_local.usage import describe

_CPU_SAMPLE_S = 0.5


def status() -> None:
    """Show the state, readiness, CPU and memory of every process; exit code 3 if nothing runs."""
    home, _ = here()
    display = Display()
    try:
        infos = Supervisor(home).processes()
    except RpcError:
        display.say("Forewarn is not running here. `make run` starts it.")
        raise typer.Exit(3) from None
    addresses = home.running()
    probes: dict[str, int] = addresses.get("probes", {})
    table = plain_table("process", "state", "ready", "pid", "up", right=("CPU %", "MiB"))
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


def _platform_health(api_url: str) -> list[str]:
    """Return what the API reports about stuck services and a full disk."""
    _, body = get(f"{api_url}/healthz")
    try:
        health = dict(json.loads(body))
    except ValueError:
        return [f"health    the API does not answer: {body.strip()[:100]}"]
    if "components" not in health:  # a problem detail
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
    reason = readiness(port)
    return "yes" if reason is None else f"no: {reason[:60]}"


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
