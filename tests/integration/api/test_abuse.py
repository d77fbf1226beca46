"""One API and one dashboard as processes, and clients that send too much, too slowly, or all at once.

Whatever they do, liveness answers and memory stays below what docker compose allows, child processes included.
"""

import contextlib
import json
import os
import statistics
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.limits import MEMORY_CEILING_MIB, MIB
from forewarn.contracts.topics import TopicName
from forewarn.testing.api_examples import PUMP, alarm
from forewarn_local.ports import any_free
from support.api_service import TOKEN, Service, reading
from support.memory import MemoryWatch
from support.plant import PUMPS, register
from support.raw_http import ask, opened, parsed, request, until_closed
from support.stack import SERVICE_ENV, ServiceProcess, wait_until

pytestmark = pytest.mark.integration

AUTHORIZED = f"Authorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"
#: Half of all answers come within it; CI machines are busy, so no more is asked of the others than to come at all.
LIVE_WITHIN_S = 0.2


@pytest.fixture(scope="module")
def start(stack_dir):
    """Start ``python -m module``; ended with the tests of this file."""
    with contextlib.ExitStack() as stack:

        def spawn(module, env):
            process = ServiceProcess(
                command=[sys.executable, "-m", module],
                env={**os.environ, **SERVICE_ENV, "FOREWARN_ENV": "production", "API_TOKEN": TOKEN, **env},
                log_path=stack_dir / f"{module}-{uuid.uuid4().hex[:8]}.log",
            )
            process.start()
            stack.callback(process.close)
            return process

        yield spawn


@pytest.fixture(scope="module")
def api(session_broker, migrated_url, start):
    bootstrap, prefix = session_broker.bootstrap_servers, f"t{uuid.uuid4().hex[:6]}."
    create_topics(bootstrap, prefix)
    register(bootstrap, prefix, (*PUMPS, PUMP))
    port, probe_port = any_free(), any_free()
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC_PREFIX": prefix,
        "DATABASE_URL": migrated_url,
        "API_PORT": str(port),
        "PROBE_PORT": str(probe_port),
    }
    service = Service(start("forewarn_api", env), port, probe_port, bootstrap, prefix, migrated_url)
    service.wait_ready()
    yield service
    service.close()


@pytest.fixture(scope="module")
def dashboard(api, start):
    port, probe_port = any_free(), any_free()
    env = {"DASHBOARD_PORT": str(port), "PROBE_PORT": str(probe_port), "API_URL": str(api.http.base_url)}
    process = start("forewarn_dashboard", env)

    def connected():
        assert process.running, process.log
        with contextlib.suppress(httpx2.TransportError):
            return httpx2.get(f"http://127.0.0.1:{port}/healthz").json()["api_connected"]

    wait_until(connected, 60)
    return process, port


@pytest.fixture(params=["api", "dashboard"])
def edge(request, api, dashboard):
    """Process and port of each server, and a path that shows whether it lives."""
    if request.param == "api":
        return api.process, api.http.base_url.port, "/livez", MEMORY_CEILING_MIB["api"] * MIB
    return *dashboard, "/healthz", MEMORY_CEILING_MIB["dashboard"] * MIB


def lives(port, path):
    """How long a sign of life takes [s], over a connection of its own."""
    begin_s = time.monotonic()
    status, _ = ask(port, request(path, host="Host: 127.0.0.1"))
    assert status == 200
    return time.monotonic() - begin_s


def test_headers_without_end_fill_no_memory(edge):
    process, port, path, ceiling = edge

    def flood(piece):
        with opened(port) as line:
            with contextlib.suppress(OSError):
                line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
                for _ in range(300):
                    line.sendall(piece)
            return parsed(until_closed(line))[0]

    with MemoryWatch(process.pid) as memory, ThreadPoolExecutor(2) as pool:
        floods = [pool.submit(flood, piece) for piece in (b"X: " + b"y" * 1_000_000, b"x: y\r\n" * 170_000)]
        took_s = [lives(port, path) for _ in range(20)]
        assert {found.result() for found in floods} <= {431, None}
    assert statistics.median(took_s) < LIVE_WITHIN_S
    assert memory.peak_bytes < ceiling
    assert memory.grown_bytes < 40 * MIB


def test_half_open_connections_and_half_sent_bodies_give_way(edge):
    process, port, path, ceiling = edge
    half = request(
        "/api/v1/readings", AUTHORIZED, JSON, f"Content-Length: {8 * MIB}", method="POST", host="Host: 127.0.0.1"
    )
    with contextlib.ExitStack() as stack, MemoryWatch(process.pid) as memory:
        for _ in range(1_500):
            line = stack.enter_context(opened(port))
            with contextlib.suppress(OSError):
                line.sendall(b"GET / HTTP/1.1\r\nHost:")
        bodies = [stack.enter_context(opened(port)) for _ in range(20)]
        for line in bodies:
            with contextlib.suppress(OSError):
                line.sendall(half + b"[" + b" " * 7_000_000)
        took_s = [lives(port, path) for _ in range(20)]
    assert statistics.median(took_s) < LIVE_WITHIN_S
    assert memory.peak_bytes < ceiling


@pytest.mark.parametrize("host", ["Host: [", "Host:", "Host: " + "a" * 300, "Host: one\r\nHost: two", None])
def test_a_host_that_is_none_is_a_400(edge, host):
    _, port, path, _ = edge
    status, problem = ask(port, request(path, host=host))
    assert (status, problem["type"]) == (400, "urn:forewarn:problem:bad-host")


def test_a_websocket_with_too_long_an_address_is_refused_at_once(edge):
    _, port, _, _ = edge
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{port}/api/v1/live?asset={'a' * 9_000}", open_timeout=5)
    assert refused.value.response.status_code == 414


def test_heavy_requests_leave_liveness_and_ingest_alone(api):
    now = datetime.now(UTC)
    many = json.dumps([reading(ts=(now + timedelta(milliseconds=n)).isoformat()) for n in range(5_000)])
    scenario = {"scenario": "healthy", "asset_class": "centrifugal_pump", "duration_days": 1, "interval_s": 60}
    client = httpx2.Client(base_url=api.http.base_url, headers=dict([AUTHORIZED.split(": ")]), timeout=120)

    def validate():
        answer = client.post("/api/v1/readings/validate", content=many, headers=dict([JSON.split(": ")]))
        return answer.status_code, len(answer.json().get("verdicts", ()))

    def generate():
        return client.post("/api/v1/scenarios/generate", json=scenario | {"output": "json"}).status_code, 0

    live_s, ingest_s = [], []
    with MemoryWatch(api.process.pid) as memory, ThreadPoolExecutor(12) as pool:
        heavy = [pool.submit(validate) for _ in range(4)] + [pool.submit(generate) for _ in range(8)]
        while not all(job.done() for job in heavy):
            live_s.append(lives(client.base_url.port, "/livez"))
            begin_s = time.monotonic()
            assert api.http.post("/api/v1/readings", json=reading()).status_code == 202
            ingest_s.append(time.monotonic() - begin_s)
        assert {job.result() for job in heavy} == {(200, 5_000), (200, 0)}
    client.close()
    assert statistics.median(live_s) < LIVE_WITHIN_S
    assert statistics.median(ingest_s) < 1.0
    assert memory.peak_bytes < MEMORY_CEILING_MIB["api"] * MIB


def test_more_heavy_requests_than_can_wait_are_told_when_to_try_again(api):
    body = {"scenario": "healthy", "asset_class": "centrifugal_pump", "duration_days": 1, "interval_s": 60}
    headers = dict([AUTHORIZED.split(": ")])

    def generate(_):
        url = f"{api.http.base_url}/api/v1/scenarios/generate"
        return httpx2.post(url, json=body | {"output": "csv"}, headers=headers, timeout=120)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(generate, range(20)))
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)


def test_of_thirty_acknowledgements_at_once_one_counts(api):
    api.produce(TopicName.ALERTS_ACTIVE, (b"P-101/vibration_high", alarm().model_dump_json().encode()))
    wait_until(lambda: api.http.get("/api/v1/alarms", params={"asset": "P-101"}).json()["items"])
    path = "/api/v1/alarms/P-101/vibration_high/acknowledge"

    def acknowledge(n):
        return api.http.post(path, json={"occurrence_id": "o-1", "by": f"operator {n}"})

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(acknowledge, range(30)))
    assert sorted(answer.status_code for answer in answers) == [202] + 29 * [409]
    [command] = api.topic(TopicName.COMMANDS)
    winner = json.loads(command.value)["issued_by"]
    assert all(winner in answer.json()["detail"] for answer in answers if answer.status_code == 409)
