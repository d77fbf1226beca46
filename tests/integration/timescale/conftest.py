"""Every test here runs on plain PostgreSQL, and on TimescaleDB where there is a Docker engine."""

import numpy as np
import pytest

from forewarn.adapters.timescale.migrate import migrate
from forewarn.adapters.timescale.store import TimescaleStore
from support.containers import need_engine
from support.databases import fresh_database, login_role, timescale_container


@pytest.fixture(scope="session")
def timescale_server():
    need_engine()
    with timescale_container() as server:
        yield server


@pytest.fixture(scope="module", params=["postgres", pytest.param("timescaledb", marks=pytest.mark.containers)])
def server(request):
    """A server of each kind."""
    return request.getfixturevalue("postgres_server" if request.param == "postgres" else "timescale_server")


@pytest.fixture
def empty_url(server):
    """URL of an empty database of this test's own."""
    with fresh_database(server) as url:
        yield url


@pytest.fixture(scope="module")
def module_url(server, catalogue):
    """URL of a migrated database of this module's own."""
    with fresh_database(server) as url:
        migrate(url, catalogue)
        yield url


@pytest.fixture
def migrated_url(empty_url, catalogue):
    """URL of a migrated database of this test's own."""
    migrate(empty_url, catalogue)
    return empty_url


@pytest.fixture
def open_store(catalogue):
    """Make stores that are closed with the test."""
    stores = []

    def make(url):
        store = TimescaleStore(url, catalogue, application="test-sink")
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def rng():
    return np.random.default_rng(20261120)


@pytest.fixture
def login(empty_url):
    """Make a login role in no group; returns the URL to connect with."""
    with login_role(empty_url) as url:
        yield url
