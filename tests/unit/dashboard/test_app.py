"""The application as a whole, inside the process: routes, gate, callbacks."""

import asyncio
import inspect
import json
import random

import httpx
import pytest

from forewarn_dashboard import security
from forewarn_dashboard.app import build
from forewarn_dashboard.client import Acknowledgement, ApiNotFoundError, ApiUnavailableError
from forewarn_dashboard.pages.alarms.acknowledging import acknowledge
from forewarn_dashboard.settings import DashboardSettings
from support.memory_api import MemoryApi

ORIGIN = "http://localhost:8050"


@pytest.fixture
def api(pump, pump_class):
    return MemoryApi([pump], {pump_class.name: pump_class})


@pytest.fixture
async def dashboard(api, clock):
    return await build(api, clock, random.Random(1), frozenset({"localhost"}))


@pytest.fixture
async def http(dashboard):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(dashboard.asgi), base_url=ORIGIN) as client:
        yield client


async def test_no_registered_callback_is_synchronous(dashboard):
    entries = dashboard.dash.callback_map
    server_side = {name: entry["callback"] for name, entry in entries.items() if "callback" in entry}
    assert len(server_side) >= 4
    assert [name for name, function in server_side.items() if not inspect.iscoroutinefunction(function)] == []


async def test_every_clientside_callback_exists_in_our_script(dashboard, http):
    dependencies = (await http.get("/_dash-dependencies")).json()
    named = {entry["clientside_function"]["function_name"] for entry in dependencies if entry["clientside_function"]}
    script = (await http.get("/assets/forewarn.js")).text
    assert {name for name in named if f"      {name}: (" not in script} == set()
    assert {entry["clientside_function"]["namespace"] for entry in dependencies if entry["clientside_function"]} == {
        "forewarn"
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/alarms", 200),
        ("/asset/P-101", 200),
        ("/nowhere", 404),
        ("/api/v1/assets", 404),
        ("/healthz", 200),
        ("/openapi.json", 404),
        ("/docs", 404),
        ("/_mcp", 404),
    ],
)
async def test_paths_answer_with_their_own_status(http, path, status):
    assert (await http.get(path)).status_code == status


@pytest.mark.parametrize("path", ["/nowhere", "/assets/NOPE", "/assets/a/b.js", "/_dash-component-suites/NOPE"])
async def test_what_does_not_exist_is_the_applications_own_page(http, path):
    missing = await http.get(path)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert missing.text == (await http.get("/alarms")).text


async def test_unknown_api_paths_are_json(http):
    response = await http.get("/api/v1/assets")
    assert response.headers["content-type"] == "application/json"


async def test_every_answer_carries_the_security_headers(http):
    for path in ("/", "/assets/forewarn.css", "/_dash-layout", "/healthz", "/nowhere"):
        headers = (await http.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


async def test_foreign_host_names_and_origins_are_refused(http):
    assert (await http.get("/", headers={"Host": "evil.example"})).status_code == 421
    assert (await http.get("/healthz", headers={"Host": "10.0.0.7:8050"})).status_code == 200
    foreign = await http.post("/_dash-update-component", json={}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403


@pytest.mark.parametrize("host", ["[", "[::1", "[x]:80", "]"])
async def test_a_host_or_an_origin_that_is_none_is_refused(http, host):
    assert (await http.get("/", headers={"Host": host})).status_code in {400, 421}
    headers = {"Origin": f"http://{host}"}
    assert (await http.post("/_dash-update-component", json={}, headers=headers)).status_code == 403


async def test_large_bodies_are_refused(http):
    response = await http.post("/_dash-update-component", content=b"x" * 300_000, headers={"Origin": ORIGIN})
    assert response.status_code == 413


async def test_the_login_hook_stands_before_everything(clock):
    reached = []

    async def inside(scope, receive, send):
        reached.append(scope["path"])

    gate = security.Gate(
        inside, hosts=None, policy="", known_callback=lambda _: True, clock=clock, authenticate=lambda _: None
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url=ORIGIN) as client:
        for path in ("/", "/asset/P-1", "/_dash-layout", "/assets/forewarn.css", "/download/P-1.csv"):
            assert (await client.get(path)).status_code == 401
    sent = await talk(gate, [], origin=ORIGIN)
    assert sent[0] == {"type": "websocket.close", "code": 4403, "reason": "not_logged_in"}
    assert reached == []


async def test_downloads_pass_the_apis_file_on_and_explain_failures(http, api):
    assert (await http.get("/download/P-101.csv?from=now-5m")).content == b"ts\r\n"
    assert (await http.get("/download/P-101.csv?from=now&to=now")).status_code == 422
    api.failure = ApiUnavailableError("away")
    assert (await http.get("/download/P-101.csv")).status_code == 503
    api.failure = ApiNotFoundError("no")
    assert (await http.get("/download/P-101.csv")).status_code == 404


async def talk(app, texts, origin=ORIGIN):
    """Open a socket on an ASGI application, send texts, leave, and return what came back."""
    incoming = asyncio.Queue()
    for message in [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": text} for text in texts)]:
        incoming.put_nowait(message)
    sent = []

    async def send(message):
        sent.append(message)
        if message["type"] == "websocket.close":
            incoming.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    async def receive():
        if incoming.empty():
            await asyncio.sleep(0)
            return {"type": "websocket.disconnect", "code": 1000}
        return incoming.get_nowait()

    headers = [(b"host", b"localhost:8050")] + ([(b"origin", origin.encode())] if origin else [])
    scope = {
        "type": "websocket",
        "path": "/_dash-ws-callback",
        "raw_path": b"/_dash-ws-callback",
        "query_string": b"",
        "headers": headers,
        "scheme": "ws",
        "subprotocols": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8050),
        "extensions": {},
    }
    await app(scope, receive, send)
    return sent


def request(output, request_id="1"):
    payload = {"output": output, "outputs": [], "inputs": [], "state": [], "changedPropIds": []}
    return json.dumps({"type": "callback_request", "requestId": request_id, "rendererId": "r", "payload": payload})


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("{not json", 1008, "not_json"),
        ("[" * 20_000, 1008, "not_json"),
        ("[]", 1008, "unknown_message"),
        ('{"type": "evil"}', 1008, "unknown_message"),
        ('{"type": "callback_request"}', 1008, "bad_request"),
        (request("content.children"), 1008, "unknown_callback"),
        (request("nonsense"), 1008, "unknown_callback"),
        (json.dumps({"type": "heartbeat", "pad": "x" * 33_000}), 1009, "message_too_big"),
    ],
)
async def test_bad_socket_messages_close_the_socket_without_a_traceback(dashboard, capfd, text, code, reason):
    sent = await talk(dashboard.asgi, [text])
    closing = [message for message in sent if message["type"] == "websocket.close"]
    assert closing[0]["code"] == code
    assert closing[0]["reason"] == reason
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_sockets_of_foreign_origin_are_refused(dashboard, origin):
    sent = await talk(dashboard.asgi, [], origin=origin)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_a_socket_cannot_start_callbacks_without_end(dashboard):
    (live,) = [name for name, entry in dashboard.dash.callback_map.items() if entry.get("websocket")]
    sent = await talk(dashboard.asgi, [request(live, str(i)) for i in range(100)])
    assert sent[-1]["reason"] == "too_many_callbacks"
    assert dashboard.hub._slots == set()


async def test_a_failed_callback_tells_the_browser_an_id_and_nothing_else(dashboard, http, monkeypatch):
    secret = "postgresql://user:hunter2@db/plant"
    monkeypatch.setattr("forewarn_dashboard.page.Pages.scene", lambda *_: (_ for _ in ()).throw(RuntimeError(secret)))
    dependencies = (await http.get("/_dash-dependencies")).json()
    page = next(entry for entry in dependencies if "content.children" in entry["output"])
    names = ["content.children", "view.data", "title.data", "nav.children", "clock.children"]
    body = {
        "output": page["output"],
        "outputs": [dict(zip(("id", "property"), name.split("."), strict=True)) for name in names],
        "inputs": [
            {"id": "url", "property": "pathname", "value": "/"},
            {"id": "url", "property": "search", "value": ""},
            {"id": "browser", "property": "data", "value": {"zone": "UTC"}},
            {"id": "refresh", "property": "data", "value": None},
        ],
        "state": [{"id": "view", "property": "data", "value": None}],
        "changedPropIds": ["url.pathname"],
    }
    response = await http.post("/_dash-update-component", json=body, headers={"Origin": ORIGIN})
    assert response.status_code == 200
    assert "hunter2" not in response.text
    assert "Something went wrong (error " in response.text


async def test_an_acknowledgement_says_what_became_of_it(api):
    seen = Acknowledgement(asset_id="P-101", rule="anomaly", occurrence_id="o1", comment="", by="Kim")
    assert "newest occurrence" in await acknowledge(api, seen)
    api.occurrences = {"P-101/anomaly": "o1"}
    assert await acknowledge(api, seen) == ""
    api.failure = ApiNotFoundError("gone")
    assert "closed in the meantime" in await acknowledge(api, seen)
    api.failure = ApiUnavailableError("The API does not answer.")
    assert "Try again" in await acknowledge(api, seen)


def test_a_loopback_dashboard_answers_only_to_loopback_names(monkeypatch):
    monkeypatch.setenv("FOREWARN_ENV", "demo")
    assert DashboardSettings().hosts == {"localhost", "127.0.0.1", "::1"}
    assert DashboardSettings(dashboard_host="0.0.0.0").hosts is None
    named = DashboardSettings(dashboard_host="0.0.0.0", dashboard_allowed_hosts="Plant.example, ").hosts
    assert named == {"localhost", "127.0.0.1", "::1", "plant.example"}
