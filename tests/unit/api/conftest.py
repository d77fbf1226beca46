"""One API over stand-ins."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from forewarn_api.app import make_app
from support.api_fakes import FakePlatform


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture
def client(platform: FakePlatform) -> Iterator[TestClient]:
    with TestClient(make_app(platform.backend), raise_server_exceptions=False) as test_client:
        yield test_client
