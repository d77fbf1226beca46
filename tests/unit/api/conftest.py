"""One API over stand-ins."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from forewarn_api.app import Api, make_app
from support.api_fakes import FakePlatform


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


@pytest.fixture(scope="session")
def routes() -> list[BaseRoute]:
    """The routes of all the apps: FastAPI takes 0.3 s to finish them at the first request that they get."""
    return make_app(FakePlatform().backend).router.routes


@pytest.fixture
def app_of(routes: list[BaseRoute]) -> Callable[..., Api]:
    """Make an app as ``make_app`` does, with routes that are finished."""

    def make(*arguments: object, **options: object) -> Api:
        app = make_app(*arguments, **options)
        app.router.routes[:] = routes
        return app

    return make


@pytest.fixture
def client(platform: FakePlatform, app_of: Callable[..., Api]) -> Iterator[TestClient]:
    with TestClient(app_of(platform.backend), raise_server_exceptions=False) as test_client:
        yield test_client
