"""The routes over a real database: what only PostgreSQL refuses, and what it says of alarms whose clocks disagree."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from forewarn.adapters.timescale.history import TimescaleHistory
from forewarn.adapters.timescale.store import TimescaleStore
from forewarn.domain.alarms.evaluation import Evaluation, Level
from forewarn.domain.alarms.lifecycle import NORMAL, acknowledge, step
from forewarn.ports.store import Item, Source
from forewarn.testing.api_examples import CATALOGUE, NOW, PUMP, PUMP_CLASS, health, rejected
from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from support.hostile_requests import DOCUMENT, FOR_DATABASES, hostile_requests, operations

pytestmark = pytest.mark.integration

#: What reads the database: all that only looks, and the two commands that fetch what they send.
OPERATIONS = [o for o in operations(DOCUMENT) if o.method == "GET" or o.path.endswith(("/baseline", "/replay"))]
_SLOW_S = 1.0
#: A gateway whose clock is ahead, within what the validator accepts.
AHEAD = NOW + timedelta(minutes=5)


@pytest.fixture(scope="module")
def alerts():
    """Raised by the gateway's clock, acknowledged by a person's, as the alerting service decides it."""
    rule = next(rule for rule in PUMP_CLASS.alarms if rule.id == "vibration_trip")
    over = Evaluation(level=Level.OVER, value=9.0, limit=7.1, unit="mm/s")
    state, _ = step(NORMAL, over, "P-101", rule, AHEAD)
    state, raised = step(state, over, "P-101", rule, AHEAD + timedelta(seconds=rule.on_delay_s))
    _, seen = acknowledge(state, raised[0].alarm.occurrence_id, "anna", "on my way", NOW)
    return (*raised, *seen)


@pytest.fixture(scope="module")
def client(migrated_url, alerts):
    store = TimescaleStore(migrated_url, CATALOGUE, application="test")
    source = Source("everything", 0)
    contents = (PUMP, health(), rejected(), *alerts)
    items = [Item(source=source, offset=n, content=content) for n, content in enumerate(contents)]
    store.write(items, store.claim([source]))
    store.close()
    platform = FakePlatform()
    for alert in alerts:
        platform.live.take_alarm(alert.alarm.alarm_id, alert.alarm)
    history = TimescaleHistory(migrated_url, CATALOGUE)
    app = make_app(replace(platform.backend, history=history), resources=[history])
    with TestClient(app, raise_server_exceptions=False) as test_client:
        yield test_client


def test_no_value_makes_an_error_of_ours(client):
    faults = []
    for operation in OPERATIONS:
        for request in hostile_requests(operation, DOCUMENT, FOR_DATABASES):
            status, elapsed_s, text = _ask(client, request)
            if elapsed_s > _SLOW_S:  # perhaps others kept the machine busy
                elapsed_s = _ask(client, request)[1]
            if status >= 500 or elapsed_s > _SLOW_S:
                faults.append(f"{operation} {request}: {status}, {elapsed_s:.2f} s: {text[:200]}")
    assert faults == []


def _ask(client, request):
    begin_s = time.perf_counter()
    headers = {"content-type": "application/json"}
    answer = client.request(request.method, request.url, content=request.content, headers=headers)
    return answer.status_code, time.perf_counter() - begin_s, answer.text


def test_an_acknowledgement_counts_although_the_gateway_s_clock_is_ahead(client, alerts):
    raised, seen = alerts
    assert seen.at < raised.at
    lists = {state: client.get("/api/v1/alarms", params={"state": state}).json()["items"] for state in ("open", "all")}
    assert lists["open"] == lists["all"]
    assert [item["alarm"]["state"] for item in lists["all"]] == ["acknowledged"]
    detail = client.get(f"/api/v1/alarms/{raised.alarm.alarm_id}").json()
    assert detail["alarm"] == lists["open"][0]["alarm"]
    assert [alert["transition"] for alert in detail["transitions"]] == ["acknowledged", "raised"]
