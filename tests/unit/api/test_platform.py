"""Probes, metrics, health of the service, documentation."""

import re
from datetime import timedelta

from forewarn.contracts.answers.platform import StageState
from forewarn.ports.progress import Progress, StageProgress
from forewarn.testing.api_examples import NOW, alarm, valid_rows


def test_all_is_well(client, platform):
    platform.live.take_readings(valid_rows(["P-101"], NOW - timedelta(seconds=3)))
    platform.live.take_alarm("P-101/a", alarm(rule="a"))
    answer = client.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert {component["status"] for component in body["components"].values()} == {"ok"}
    assert body["stages"][0] == {"stage": "readings.valid", "newest": "2026-11-20T19:59:57.000000Z", "age_s": 3.0}
    assert body["stages"][1]["age_s"] is None
    assert (body["assets"], body["open_alarms"]) == (2, 1)


def test_what_is_away_is_named(client, platform):
    platform.delivery.away = True
    platform.history.away = True
    answer = client.get("/healthz")
    assert answer.status_code == 503
    failed = {name for name, component in answer.json()["components"].items() if component["status"] == "failed"}
    assert failed == {"kafka", "database"}
    assert "db:5432" not in answer.text


def test_a_service_that_stands_is_named_with_what_to_do_and_the_api_stays_in_service(client, platform):
    since = NOW - timedelta(minutes=4)
    twin = StageProgress(
        service="twin", state=StageState.STANDS, behind_messages=17, since=since, topic="readings.valid"
    )
    sink = StageProgress(service="sink", state=StageState.OK, behind_messages=0)
    platform.progress = Progress(stages=(twin, sink), newest_input=NOW)
    answer = client.get("/healthz")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "degraded")
    found = {one["service"]: one for one in body["processing"]}
    assert (found["twin"]["state"], found["twin"]["behind_messages"]) == ("stands", 17)
    assert found["twin"]["since"] == "2026-11-20T19:56:00.000000Z"
    assert "forewarn logs twin" in found["twin"]["detail"]
    assert found["sink"]["detail"] is None
    platform.progress = Progress(stages=(sink,), newest_input=NOW - timedelta(hours=5))
    assert client.get("/healthz").json()["status"] == "ok", "an idle plant is fine"


def test_a_full_disk_refuses_readings_and_is_named_before_it_is_full(client, platform):
    reading = {"asset_id": "P-101", "ts": "2026-11-20T20:00:00Z", "metrics": {"flow_m3_h": 120.5}}
    platform.free_gb = 1.5
    assert client.post("/api/v1/readings", json=reading).status_code == 202
    health = client.get("/healthz")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert "will be refused soon" in health.json()["components"]["disk"]["detail"]

    platform.free_gb = 0.9
    refused = client.post("/api/v1/readings", json=reading)
    assert (refused.status_code, refused.headers["retry-after"]) == (507, "30")
    assert "less than 1 GB free" in refused.json()["detail"]
    assert client.get("/api/v1/alarms").status_code == 200

    platform.free_gb = 3
    assert client.post("/api/v1/readings", json=reading).status_code == 202
    assert client.get("/healthz").json()["status"] == "ok"


def test_ready_means_registry_and_live_state_are_complete(client, platform):
    assert client.get("/readyz").status_code == 200
    platform.live_problem = "still reading alarms"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "still reading alarms")
    assert client.get("/livez").text == "ok"


def test_requests_are_measured_by_route_and_not_by_path(client):
    client.get("/api/v1/assets/P-101")
    client.get("/api/v1/assets/P-999")
    client.get("/no/such/path")
    text = client.get("/metrics").text
    count = 'forewarn_api_request_seconds_count{{method="GET",route="{}",status="{}"}}'
    for route, status in (("/api/v1/assets/{asset_id}", 200), ("/api/v1/assets/{asset_id}", 404), ("unmatched", 404)):
        assert count.format(route, status) in text
    assert "P-101" not in text


def test_swagger_ui_is_served_from_the_package(client):
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    files = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert len(files) == 3
    assert not re.search(r'(?i)(src|href)="?(https?:)?//', page.text)
    for path in files:
        plain = client.get(f"/{path}", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.headers["content-type"].startswith(("text/javascript", "text/css"))
        assert client.get(f"/{path}", headers={"accept-encoding": "gzip"}).content == plain.content
    assert client.get("/docs/LICENSE").status_code == 404


def test_every_operation_documents_its_problems(client):
    document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), (method, path)
            if path.startswith("/api/"):
                assert "application/problem+json" in operation["responses"]["422"]["content"]
                assert "application/problem+json" in operation["responses"]["401"]["content"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
