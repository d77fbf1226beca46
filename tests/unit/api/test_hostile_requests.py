"""Hostile values in every parameter and every place of every body: each is answered, none is an error of ours."""

import time
import unicodedata

import pytest
from fastapi.testclient import TestClient

from forewarn.contracts.base import format_utc
from forewarn.testing.api_examples import NOW, PUMP, alarm, health, judged_rows, rejected
from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from forewarn_api.paging import cursor_to, page_of
from support.api_twins import learn, measure, readings, stored
from support.hostile_requests import DOCUMENT, MISTYPED, hostile_requests, operations

OPERATIONS = operations(DOCUMENT)
_SLOW_S = 1.0
_UNFIT = {"Cc", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def platform():
    platform = FakePlatform()
    platform.history.stretches["P-101"] = stored(readings("P-101"))
    platform.history.refused = (rejected(),)
    platform.history.health_events = (health(),)
    learn(platform, "P-101")
    measure(platform, "P-101")
    platform.live.take_judgements(judged_rows(["P-101"], NOW))
    return platform


@pytest.fixture(scope="module")
def client(platform):
    with TestClient(make_app(platform.backend), raise_server_exceptions=False) as test_client:
        yield test_client


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_no_value_makes_an_error_of_ours(client, platform, operation):
    faults, coerced = [], []
    platform.delivery.events.clear()
    for request in hostile_requests(operation, DOCUMENT):
        platform.registry.assets["P-101"] = PUMP
        platform.live.take_alarm("P-101/vibration_high", alarm())
        begin_s = time.process_time()  # of this process alone: others may keep the machine busy
        answer = client.request(
            request.method, request.url, content=request.content, headers={"content-type": "application/json"}
        )
        elapsed_s = time.process_time() - begin_s
        if answer.status_code >= 500 or elapsed_s > _SLOW_S:
            faults.append(f"{request}: {answer.status_code} after {elapsed_s:.2f} s: {answer.text[:300]}")
        refused = answer.status_code >= 400 or b'"registered":0' in answer.content  # a list is answered entry by entry
        if request.kind is MISTYPED and not refused:
            coerced.append(str(request))
        if request.kind is None:
            assert answer.status_code < 400 or answer.status_code == 404, f"{request}: {answer.text}"
    assert faults == []
    assert coerced == []
    assert [text for *_, event in platform.delivery.events for text in _unfit(event.model_dump(mode="json"))] == []


def test_the_walk_reaches_past_the_first_check(platform):
    """Valid requests do what they say: hostile values are not all refused for the same first reason."""
    platform.registry.assets["P-101"] = PUMP
    platform.live.take_alarm("P-101/vibration_high", alarm())
    with TestClient(make_app(platform.backend)) as fresh:  # the walk's own has acknowledged the alarm
        answers = {str(operation): _valid(fresh, operation) for operation in OPERATIONS}
    assert [name for name, status in answers.items() if status >= 400] == [
        "GET /api/v1/models/{asset_id}/{kind}/{version}",
    ]


def test_a_page_s_cursor_leads_to_the_next_page_and_no_other_text_does():
    cursor = cursor_to((NOW, "a/b"))
    assert page_of(1, cursor).before == NOW
    assert page_of(1, cursor).before_id == "a/b"
    assert format_utc(NOW) not in cursor


def _valid(client, operation):
    request = next(iter(hostile_requests(operation, DOCUMENT)))
    headers = {"content-type": "application/json"}
    return client.request(request.method, request.url, content=request.content, headers=headers).status_code


def _unfit(node):
    """Texts of an event that no person could have meant."""
    if isinstance(node, dict | list):
        for value in (*node.keys(), *node.values()) if isinstance(node, dict) else node:
            yield from _unfit(value)
    elif isinstance(node, str) and (
        node != node.strip() or any(unicodedata.category(c) in _UNFIT and c not in "\n\t" for c in node)
    ):
        yield node
