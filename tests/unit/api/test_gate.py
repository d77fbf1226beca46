"""Who may use the API, and what errors say."""

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from starlette.testclient import WebSocketDenialResponse
from structlog.testing import capture_logs

from forewarn_api.http.access import PUBLIC_PATHS
from forewarn_api.settings import ApiSettings

TOKEN = "a-token-of-32-characters-or-more"
BEARER = {"authorization": f"Bearer {TOKEN}"}
LIVE = "/api/v1/live"
FAULT = {"fault": "bearing_wear", "duration_s": 600}


@pytest.fixture
def guarded(platform, app_of):
    app = app_of(platform.backend, token=TOKEN, allowed_origins=["https://plant.example.org"])
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def routes_of(app):
    """Every (method, path) a router of the application serves, with placeholders filled in."""
    found = []
    for route in app.routes:
        for leaf in getattr(getattr(route, "original_router", None), "routes", [route]):
            methods = getattr(leaf, "methods", None) or {"WEBSOCKET"}
            found += [(method, leaf.path.replace("{", "").replace("}", "").replace(":path", "")) for method in methods]
    return found


def test_every_route_wants_the_token_unless_it_is_listed_as_public(guarded):
    routes = routes_of(guarded.app)
    assert len(routes) > 20
    assert ("WEBSOCKET", LIVE) in routes
    for method, path in routes:
        if method == "WEBSOCKET":
            with pytest.raises(WebSocketDenialResponse) as refused, guarded.websocket_connect(path):
                pass
            assert refused.value.status_code == 401
        elif path in PUBLIC_PATHS:
            assert guarded.request(method, path).status_code == 200, path
        else:
            answer = guarded.request(method, path)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="forewarn"'
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    ["Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ", "Bearer é"],
)
def test_a_wrong_token_is_refused(guarded, header):
    assert guarded.get("/api/v1/assets", headers={"authorization": header.encode()}).status_code == 401


def test_the_token_opens_http_and_websocket(guarded):
    assert guarded.get("/api/v1/assets", headers=BEARER).status_code == 200
    with guarded.websocket_connect(LIVE, headers=BEARER) as socket:
        assert socket.receive_json()["type"] == "snapshot"


def test_a_browser_brings_the_token_as_a_subprotocol(guarded):
    with guarded.websocket_connect(LIVE, subprotocols=["token", TOKEN]) as socket:
        assert socket.accepted_subprotocol == "token"
    with pytest.raises(WebSocketDenialResponse), guarded.websocket_connect(LIVE, subprotocols=["token", "wrong"]):
        pass


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[broken", "https://localhost.evil.example"])
def test_pages_of_foreign_origins_are_refused_even_without_a_token(client, origin):
    headers = {"origin": origin}
    assert client.post("/api/v1/assets/P-101/faults", json=FAULT, headers=headers).status_code == 403
    assert client.post("/api/v1/rejected/readings.raw/3/17/replay", headers=headers).status_code == 403
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(LIVE, headers=headers):
        pass
    assert refused.value.status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:8050", "http://127.0.0.1:8050", "http://[::1]:1"])
def test_pages_of_this_machine_are_trusted(client, origin):
    assert client.post("/api/v1/assets/P-101/faults", json=FAULT, headers={"origin": origin}).status_code == 202


def test_cors_is_closed_unless_an_origin_is_named(client, guarded):
    preflight = {"origin": "https://plant.example.org", "access-control-request-method": "GET"}
    assert "access-control-allow-origin" not in client.options("/api/v1/assets", headers=preflight).headers
    allowed = guarded.options("/api/v1/assets", headers=preflight)
    assert allowed.headers["access-control-allow-origin"] == "https://plant.example.org"
    foreign = guarded.options("/api/v1/assets", headers=preflight | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers


def test_every_answer_has_a_correlation_id_and_quiet_headers(client):
    mine = client.get("/api/v1/assets", headers={"x-correlation-id": "shift-42"})
    assert mine.headers["x-correlation-id"] == "shift-42"
    forged = client.get("/api/v1/nothing", headers={"x-correlation-id": "a\tb; drop"})
    assert forged.headers["x-correlation-id"].startswith("id-")
    assert forged.json()["instance"] == f"urn:forewarn:request:{forged.headers['x-correlation-id']}"
    for answer in (mine, forged):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "PUT"])
@pytest.mark.parametrize("path", ["/api", "/api/v1", "/api/v2/assets", "/api/v1/assets/P-101/nothing", "/", "/admin"])
def test_unknown_paths_are_problems(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_wrong_methods_are_problems(client):
    answer = client.delete("/api/v1/assets")
    assert (answer.status_code, answer.json()["title"]) == (405, "Method Not Allowed")
    assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST"}


def test_a_crash_tells_the_client_nothing(client, platform):
    platform.history.crash = True
    answer = client.get("/api/v1/assets/P-101/history")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-correlation-id"]
    for secret in ("hunter2", "postgresql", "Traceback", "RuntimeError"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/assets/P-101/history", "/assets/P-101/latest", "/rejected", "/alarms?state=all", "/models?all_versions=1"],
)
def test_a_database_that_is_away_is_a_503_without_its_address(client, platform, path):
    platform.history.away = True
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "db:5432" not in answer.text


def settings(**values):
    base = {"kafka_bootstrap_servers": "k:9092", "database_url": "postgresql://u:p@db/x"}
    return ApiSettings.model_validate(base | values)


def test_production_refuses_to_start_without_a_real_token():
    for token in ("", "changeme", "short"):
        with pytest.raises(ValidationError, match="API_TOKEN"):
            settings(forewarn_env="production", api_token=token)
    assert settings(forewarn_env="production", api_token=TOKEN).api_token == SecretStr(TOKEN)


def test_the_demo_may_be_open_and_listens_on_this_machine_only():
    demo = settings(forewarn_env="demo")
    assert (demo.api_token.get_secret_value(), demo.api_host) == ("", "127.0.0.1")


def test_a_token_that_fits_into_no_header_is_refused():
    with pytest.raises(ValidationError, match="letters, digits"):
        settings(forewarn_env="production", api_token="line\nbreak-0123456789")


def test_a_query_parameter_that_does_not_exist_is_named_with_those_that_do(client):
    answer = client.get("/api/v1/models", params={"assets": "P-101", "asset": "P-101"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"detail": "no such parameter: there are asset, all_versions, cursor", "parameter": "query.assets"}
    ]
    assert client.get("/api/v1/assets/P-101/latest", params={"x": 1}).json()["errors"][0]["detail"].endswith("none")
    assert client.get("/livez", params={"verbose": 1}).status_code == 200, "probes may say what they like"


def test_the_summary_of_a_fault_says_where_and_what(client):
    answer = client.get("/api/v1/assets", params={"limit": 0, "cursor": "x" * 2_000}).json()
    assert answer["detail"] == "query.limit: Input should be greater than or equal to 1 (and 1 more)."


@pytest.mark.parametrize(
    ("body", "media_type", "status", "detail"),
    [
        (b'{"asset_id": ', "application/json", 422, "#: Invalid JSON at character 13: Expecting value."),
        (b"a=1", "application/x-www-form-urlencoded", 415, "Send JSON, with the header"),
        (b"{}", "", 415, "Send JSON, with the header"),
    ],
)
def test_a_body_that_is_no_json_is_told_so(client, body, media_type, status, detail):
    answer = client.post("/api/v1/assets", content=body, headers={"content-type": media_type} if media_type else {})
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize("host", ["[", "[::1", "[x]:80", "]"])
@pytest.mark.parametrize("path", ["/livez", "/nothing", "/api/v1/assets", "/api/v1/assets/"])
def test_a_host_that_is_none_is_no_error_of_ours(client, host, path):
    assert client.get(path, headers={"host": host}).status_code in {200, 400, 404}
    answer = client.post("/api/v1/assets", json={}, headers={"origin": f"http://{host}"})
    assert answer.json()["type"] == "urn:forewarn:problem:foreign-origin"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"criticality": True}, "#/criticality"),
        ({"criticality": "3"}, "#/criticality"),
        ({"criticality": 3.0}, "#/criticality"),
        ({"nameplate": {"fluid_density_kg_m3": "998"}}, "#/nameplate/fluid_density_kg_m3"),
        ({"nameplate": {"fluid_density_kg_m3": 5e-324}}, "#/nameplate/fluid_density_kg_m3"),
        ({"economics": {"energy_price_per_kwh": 1e300}}, "#/economics/energy_price_per_kwh"),
        ({"name": "Pump\x00"}, "#/name"),
        ({"name": "Pump\n1"}, "#/name"),
        ({"name": "  "}, "#/name"),
        ({"name": 17}, "#/name"),
        ({"path": ["../../etc"]}, "#/path/0"),
    ],
)
def test_an_asset_of_careless_values_is_refused(client, platform, body, pointer):
    answer = client.post("/api/v1/assets", json={**_ASSET, **body})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert platform.delivery.events == []


def test_a_time_is_written_out(client, platform):
    for ts in ("1700000000", 1_700_000_000, True, "2026-11-20T20:00:00", "9999-12-31T23:59:59Z"):
        answer = client.post("/api/v1/readings", json={"asset_id": "P-101", "ts": ts, "metrics": {"flow_m3_h": 1.0}})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/ts")
    assert platform.delivery.sent == []


_ASSET = {"asset_id": "P-103", "asset_class": "centrifugal_pump", "name": "New pump"}


def test_a_path_reaches_the_log_without_control_characters(client):
    with capture_logs() as logs:
        client.get("/api/v1/a%00b%1b%5b31m")
    assert [entry["path"] for entry in logs if entry["event"] == "request"] == [r"/api/v1/a\x00b\x1b[31m"]
