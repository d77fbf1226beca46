"""Whatever comes in, no answer is a server error and every error is a problem detail."""

import json
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forewarn.testing.api_examples import alarm, rejected, stretch, valid_rows
from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from support.hostile_requests import DOCUMENT

_TEXT = st.one_of(
    st.sampled_from(
        ["P-101", "P-102", "vibration_high", "centrifugal_pump", "readings.raw/3/17", "2026-11-20T20:00:00Z"]
    ),
    st.text(max_size=30),
    st.sampled_from(
        ["", "0", "-1", "1e999", "nan", "null", "true", "9" * 400, "../..", "%00", "'; DROP TABLE assets; --"]
    ),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_FIELDS = ["asset_id", "ts", "metrics", "quality", "seq", "source", "asset_class", "name", "path", "nameplate"]
_FIELDS += ["criticality", "occurrence_id", "comment", "by", "reason", "fault", "duration_s", "severity"]
_BODY = st.one_of(_JSON, st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=8)).map(
    lambda v: json.dumps(v).encode()
)


OPERATIONS = [
    (method.upper(), path, [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


@pytest.fixture(scope="module")
def client():
    platform = FakePlatform()
    platform.history.stretches["P-101"] = stretch()
    platform.history.refused = (rejected(),)
    platform.live.take_readings(valid_rows(["P-101"], platform.clock.now()))
    platform.live.take_alarm("P-101/vibration_high", alarm())
    with TestClient(make_app(platform.backend), raise_server_exceptions=False) as test_client:
        yield test_client


@pytest.mark.parametrize(("method", "path", "names"), OPERATIONS, ids=[f"{m} {p}" for m, p, _ in OPERATIONS])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_input_makes_a_server_error(client, method, path, names, data):
    for name in ("asset_id", "rule", "name", "rejected_id"):
        value = data.draw(_TEXT.filter(lambda text: text.strip("./ ") != ""), label=name)
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    query = data.draw(
        st.dictionaries(st.sampled_from(names), _TEXT, max_size=4) if names else st.just({}), label="query"
    )
    query.pop("wait_s", None)  # it would wait
    content = data.draw(st.one_of(_BODY, st.binary(max_size=40)), label="body") if method == "POST" else None
    headers = {"content-type": data.draw(st.sampled_from(["application/json", "text/plain", ""]))} if content else {}
    answer = client.request(method, path, params=query, content=content, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == answer.status_code
        assert problem["type"].startswith("urn:forewarn:problem:")
