"""Registration through the API with up to 20,000 assets: rates, and what API and validator hold then.

``PYTHONPATH=tests python -m bench.registering [ASSETS …]`` starts a broker, a database, an API and a validator.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil

from bench.installation import Installation
from bench.progress import say
from forewarn_local.ports import HOST, any_free
from support.stack import wait_until

_SIZES: Final = (1_000, 10_000, 20_000)
_SINGLE: Final = 1_000
_CLIENTS: Final = 32
_BULK: Final = 1_000
_MIB: Final = 1024 * 1024


def main(sizes: Sequence[int]) -> None:
    """Register up to each size in bulk, then measure single registrations on top."""
    with tempfile.TemporaryDirectory() as directory, Installation(Path(directory), heap_mb=512) as installation:
        installation.start_services(["validator"])
        port = any_free()
        installation.spawn("forewarn_api", {"API_PORT": str(port), "API_HOST": HOST, "PROBE_PORT": str(any_free())})
        url = f"http://{HOST}:{port}/api/v1/assets"
        wait_until(lambda: _answers(url), 60, "the API does not answer", 0.2)
        services = {name: pid for name, pid in installation.pids.items() if name != "broker"}
        registered = 0
        for size in sizes:
            entries = [_asset(n) for n in range(registered, size)]
            bulk = _bulk(url, entries)
            single = asyncio.run(_singly(url, [_asset(n) | {"name": "again"} for n in range(min(_SINGLE, size))]))
            registered = size
            memory = {name: psutil.Process(pid).memory_info().rss / _MIB for name, pid in services.items()}
            held = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in memory.items())
            say(f"{size:,} assets: bulk {bulk:,.0f}/s, single {single:,.0f}/s ({_CLIENTS} clients); {held}")


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, params={"limit": 1}).status_code == 200
    except httpx2.TransportError:
        return False


def _asset(number: int) -> dict[str, Any]:
    place = ["works", f"hall-{number % 40}", f"line-{number % 400}"]
    return {
        "asset_id": f"M-{number:06}",
        "asset_class": "electric_motor",
        "name": f"Motor {number}",
        "path": place,
        "nameplate": {},
    }


def _bulk(url: str, entries: Sequence[dict[str, Any]]) -> float:
    begin_s = time.perf_counter()
    with httpx2.Client(timeout=60) as client:
        for part in _parts(entries):
            answer = client.post(f"{url}/bulk", json=part).raise_for_status().json()
            if answer["registered"] != len(part):
                raise SystemExit(f"only {answer['registered']} of {len(part)} were registered")
    return len(entries) / (time.perf_counter() - begin_s)


def _parts(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(entries), _BULK):
        yield list(entries[start : start + _BULK])


async def _singly(url: str, entries: Sequence[dict[str, Any]]) -> float:
    waiting = iter(entries)

    async def client(http: httpx2.AsyncClient) -> None:
        for entry in waiting:
            (await http.post(url, json=entry)).raise_for_status()

    begin_s = time.perf_counter()
    async with httpx2.AsyncClient(timeout=60) as http:
        await asyncio.gather(*(client(http) for _ in range(_CLIENTS)))
    return len(entries) / (time.perf_counter() - begin_s)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or _SIZES)
