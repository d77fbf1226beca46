"""Hostile values in every parameter and every place of every body: each is answered, none is an error of ours."""

import time
import unicodedata

import pytest
from fastapi.testclient import TestClient

from forewarn_api.app import make_app, routed_app
from support.api_fakes import NOW, FakePlatform, alarm, health, judged_rows, rejected, stretch, valid_rows
from support.hostile_requests import hostile_requests, operations

DOCUMENT = routed_app().openapi()
OPERATIONS = operations(DOCUMENT)
_SLOW_S = 1.0
_UNFIT = {"Cc", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def platform():
    platform = FakePlatform()
    platform.history.stretches["P-101"] = stretch()
    platform.history.refused = (rejected(),)
    platform.history.health_events = (health(),)
    platform.live.take_readings(valid_rows(["P-101"], NOW))
    platform.live.take_judgements(judged_rows(["P-101"], NOW))
    return platform


@pytest.fixture(scope="module")
def client(platform):
    with TestClient(make_app(platform.backend), raise_server_exceptions=False) as test_client:
        yield test_client


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_no_value_makes_an_error_of_ours(client, platform, operation):
    faults = []
    platform.delivery.events.clear()
    for request in hostile_requests(operation, DOCUMENT):
        platform.live.take_alarm("P-101/vibration_high", alarm())
        begin_s = time.perf_counter()
        answer = client.request(
            request.method, request.url, content=request.content, headers={"content-type": "application/json"}
        )
        elapsed_s = time.perf_counter() - begin_s
        if answer.status_code >= 500 or elapsed_s > _SLOW_S:
            faults.append(f"{request}: {answer.status_code} after {elapsed_s:.2f} s: {answer.text[:300]}")
    assert faults == []
    assert [text for *_, event in platform.delivery.events for text in _unfit(event.model_dump(mode="json"))] == []


def _unfit(node):
    """Texts of an event that no person could have meant."""
    if isinstance(node, dict | list):
        for value in (*node.keys(), *node.values()) if isinstance(node, dict) else node:
            yield from _unfit(value)
    elif isinstance(node, str) and (
        node != node.strip() or any(unicodedata.category(c) in _UNFIT and c not in "\n\t" for c in node)
    ):
        yield node
