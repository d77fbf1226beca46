"""Attacks over HTTP, by anyone who reaches the ports of API and dashboard; none has a token."""

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.abuse.plant import NEIGHBOURS, Plant
from forewarn.contracts.base import format_utc
from support.plant import pump_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

_MIB = 1024 * 1024
_HELD_S = 75.0


def headers_without_end(plant: Plant) -> str:
    """H2: up to 300 MB of headers on one connection to API and dashboard."""
    answers = []
    for name, url in (("API", plant.platform.api_url), ("dashboard", plant.platform.dashboard_url)):
        line = b"X-Padding: " + b"x" * 65_000 + b"\r\n"
        done = 0
        with plant.connect(url) as connection, contextlib.suppress(OSError):
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            while done < 300 * _MIB:
                connection.sendall(line)
                done += len(line)
        answers.append(f"{name} {_status(plant, url, line)}, {done / _MIB:.0f} MiB thrown away")
    return "; ".join(answers)


def _status(plant: Plant, url: str, line: bytes) -> str:
    """What such headers are answered with when the client stops to listen."""
    with plant.connect(url) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n" + line)
        return connection.recv(64).decode(errors="replace").partition("\r\n")[0]


def validations_beside_scenarios(plant: Plant) -> str:
    """M1: four dry runs of 5,000 readings and eight generated scenarios at once."""
    metrics = {name: round(value, 3) for name, value in pump_metrics(plant.rng, load=0.5).items()}
    reading = {"asset_id": NEIGHBOURS[0], "ts": format_utc(datetime.now(UTC)), "metrics": metrics}
    readings = json.dumps([reading] * 5000).encode()
    scenario = json.dumps({"scenario": "bearing_wear", "asset_class": "centrifugal_pump", "output": "json"}).encode()
    calls: list[Callable[[], tuple[int, bytes]]] = [
        *[lambda: plant.ask("/api/v1/readings/validate", readings)] * 4,
        *[lambda: plant.ask("/api/v1/scenarios/generate", scenario)] * 8,
    ]
    statuses: Counter[int] = Counter()
    threads = [threading.Thread(target=lambda call=call: statuses.update([call()[0]])) for call in calls]
    for thread in threads:
        thread.start()
    ingest_s = []
    while any(thread.is_alive() for thread in threads):
        begin_s = time.monotonic()
        plant.ask("/api/v1/readings", json.dumps(reading | {"ts": format_utc(datetime.now(UTC))}).encode())
        ingest_s.append(time.monotonic() - begin_s)
    return f"answers {dict(sorted(statuses.items()))}, slowest ingest beside them {max(ingest_s):.2f} s"


def half_open_connections(plant: Plant) -> str:
    """M2: 3,000 connections that send half a request line, 60 that send half a body of 8 MiB; held for 75 s."""
    url = plant.platform.api_url
    held: list[socket.socket] = []
    refused = 0
    for _ in range(3000):
        try:
            connection = plant.connect(url)
            connection.sendall(b"GET /liv")
            held.append(connection)
        except OSError:
            refused += 1
    head = (
        b"POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: 8388608\r\n\r\n"
    )
    for _ in range(60):
        try:
            connection = plant.connect(url)
            connection.sendall(head + b"[" * (4 * _MIB))
            held.append(connection)
        except OSError:
            refused += 1
    begin_s = time.monotonic()
    while (alive := sum(map(_is_open, held))) and time.monotonic() - begin_s < _HELD_S:
        time.sleep(0.5)
    waited_s = time.monotonic() - begin_s
    for connection in held:
        connection.close()
    return f"{refused} of 3,060 refused, {alive} still open after {waited_s:.0f} s"


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while data := connection.recv(65536):
            del data
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def values_at_the_edge(plant: Plant) -> str:
    """M4-M7 and C2 over HTTP: NUL, first and last years, odd hosts, subnormal numbers, paths for names."""
    asset = f"/api/v1/assets/{NEIGHBOURS[0]}"
    calls: list[tuple[str, bytes | None, dict[str, str]]] = [
        *(
            (f"{asset}/history?from={year}-01-01T00:00:00Z&to={year}-12-31T00:00:00Z", None, {})
            for year in ("0001", "9999")
        ),
        (f"{asset}/history?resolution=1d&from=2026-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", None, {}),
        (f"{asset}/health?from=0001-01-01T00:00:00%2B05:00", None, {}),
        ("/api/v1/rejected?reason=%00", None, {}),
        ("/api/v1/rejected/%00", None, {}),
        ("/api/v1/rejected?cursor=%00", None, {}),
        ("/api/v1/alarms?asset=%00", None, {}),
        ("/api/v1/models/%00/twin/1", None, {}),
        ("/api/v1/alarms", None, {"Host": "["}),
        ("/api/v1/readings", b"{}", {"Origin": "http://["}),
        ("/api/v1/scenarios/generate", b'{"scenario": "../../etc/passwd", "asset_class": "centrifugal_pump"}', {}),
        (f"{asset}/what-if", b'{"drivers": {"flow_m3_h": 5e-324}}', {}),
        (f"{asset}/baseline", b'{"since": "0001-01-01T00:00:00Z"}', {}),
        ("/api/v1/assets", b'{"asset_id": "N-1", "asset_class": "fan", "name": "a\\u0000b"}', {}),
        ("/api/v1/assets", b'{"asset_id": "N-1", "asset_class": "fan", "name": "a\\nb"}', {}),
        ("/api/v1/assets", b'{"asset_id": "N-1", "asset_class": "fan", "name": " "}', {}),
        ("/api/v1/assets", b'{"asset_id": "N-1", "asset_class": "fan", "name": "a", "criticality": true}', {}),
        (
            "/api/v1/readings",
            json.dumps({"asset_id": NEIGHBOURS[0], "ts": "1790000000", "metrics": {"flow_m3_h": 1}}).encode(),
            {},
        ),
    ]
    statuses = [(plant.ask(path, body, headers)[0], path) for path, body, headers in calls]
    bad = [f"{status} {path}" for status, path in statuses if not 400 <= status < 500]
    return f"{len(statuses)} requests, not refused with 4xx: {'; '.join(bad) or 'none'}"
