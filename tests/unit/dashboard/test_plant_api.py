"""The dashboard's fake API and its HTTP client behave the same."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import uvicorn

from forewarn.contracts.alarms import Alert, Transition
from forewarn.testing.api_examples import CATALOGUE, NOW, OTHER_PUMP, PUMP, alarm
from forewarn.testing.fakes import FakePlatform
from forewarn_api.app import make_app
from forewarn_dashboard.http_client import HttpPlantApi
from support import fake_api
from support.fake_plant import Control
from support.memory_api import MemoryApi
from support.plant_api_checks import PlantApiChecks


@asynccontextmanager
async def served(app):
    """The HTTP client over an application in this process, on a port of its own for the live feed."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        async with HttpPlantApi(f"http://{host}:{port}", None) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


class TestMemoryApi(PlantApiChecks):
    @pytest.fixture
    def api(self):
        api = MemoryApi((PUMP, OTHER_PUMP), CATALOGUE)
        api.occurrences["P-101/vibration_high"] = "o-1"
        return api


class TestRealApi(PlantApiChecks):
    @pytest.fixture
    async def api(self, monkeypatch):
        monkeypatch.setattr("forewarn_dashboard.http_client.ACKNOWLEDGED_WITHIN_S", 0)  # no alerting service answers
        platform = FakePlatform()
        platform.live.take_alarm("P-101/vibration_high", alarm())
        before = alarm(occurrence_id="o-0")
        platform.history.store(Alert(alert_id="a-0", transition=Transition.RAISED, at=NOW, alarm=before))
        async with served(make_app(platform.backend)) as client:
            yield client


class TestApiOfTheBrowserTests(PlantApiChecks):
    @pytest.fixture
    async def api(self):
        app = fake_api.make_app()
        async with served(app) as client:
            control = Control(alarms=[alarm()])
            await client._http.post(client._root.replace("/api/v1", "/control"), json=control.model_dump(mode="json"))
            yield client
