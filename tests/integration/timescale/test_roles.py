"""The sink may write and the API may read, and neither may do anything else."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors

from forewarn.contracts.frames import FrameKind
from forewarn.ports.store import Item, Source
from forewarn.testing.frames import START_US
from support.databases import login_role
from support.sink_frames import random_frame

pytestmark = pytest.mark.integration

FORBIDDEN_TO_ALL = [
    "DROP TABLE asset",
    "ALTER TABLE readings_centrifugal_pump ADD COLUMN extra integer",
    "CREATE TABLE mine (a integer)",
    "TRUNCATE alarm",
    "DELETE FROM alarm_event",
    "UPDATE readings_centrifugal_pump SET flow_m3_h = 0",
    "UPDATE alarm_event SET at = now()",
    "DELETE FROM rejected",
    "SELECT * FROM forewarn_schema_version",
    "COPY asset TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
    "CREATE ROLE other",
]
FORBIDDEN_TO_API = [
    "INSERT INTO alarm_event VALUES ('a', 'a', 'a', now(), 'a', 'a', 'a', '{}')",
    "UPDATE asset SET name = 'x'",
    "INSERT INTO sink_offset VALUES ('t', 0, 1)",
    "SELECT * FROM sink_offset",
    "SELECT * FROM forewarn_retain(now(), 1)",
    "SELECT * FROM forewarn_purge(now(), 1)",
    "SELECT forewarn_begin_purge('r', 'P', 'c', now())",
]


@pytest.fixture(scope="module")
def sink_url(module_url):
    with login_role(module_url, "forewarn_sink") as url:
        yield url


@pytest.fixture(scope="module")
def api_url(module_url):
    with login_role(module_url, "forewarn_api") as url:
        yield url


def test_the_sink_s_role_is_enough_to_write_and_to_clean_up(sink_url, open_store, pump, rng):
    store = open_store(sink_url)
    source = Source("t", 0)
    claims = store.claim([source])
    for offset, late in enumerate([False, True]):
        frame = random_frame(FrameKind.VALID, pump, ["P"] * 9, range(START_US, START_US + 9), rng, late=late)
        store.write([Item(source=source, offset=offset, content=frame)], claims)
    store.rewind(claims[source], 0, None)
    assert store.retain(datetime(2026, 11, 20, tzinfo=UTC)).complete


@pytest.mark.parametrize("statement", FORBIDDEN_TO_ALL)
def test_the_sink_s_role_is_refused(sink_url, statement):
    with psycopg.connect(sink_url) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("statement", FORBIDDEN_TO_ALL + FORBIDDEN_TO_API)
def test_the_api_s_role_is_refused(api_url, statement):
    with psycopg.connect(api_url) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize(
    "relation",
    ["asset", "alarm", "rejected", "model", "readings_centrifugal_pump", "results_chiller_v", "readings_chiller_1h"],
)
def test_the_api_s_role_may_read(api_url, relation):
    with psycopg.connect(api_url) as connection:
        connection.execute(f"SELECT count(*) FROM {relation}")
