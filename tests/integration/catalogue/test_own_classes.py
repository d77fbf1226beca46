"""A class of machines of one's own, and a tag more on one that ships, need a file and nothing else.

The whole way on a real broker and a real database: an installation that is there already, a catalogue directory
mounted into every service, provisioning, readings through gateway API, validator and sink, and what API and
dashboard then show.
"""

import asyncio
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx2
import psycopg
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.schema_export.rendering import render
from forewarn.adapters.timescale.migrate import migrate
from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.details import Details
from forewarn_dashboard.http_client import HttpPlantApi
from forewarn_dashboard.live import Hub
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.charts import shown_tags
from forewarn_dashboard.pages.asset.page import ASSET
from forewarn_dashboard.scene import Scene
from forewarn_local.ports import any_free
from support.stack import SERVICE_ENV, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

KILN = """\
name: kiln
title: Rotary kiln
tags:
  - {name: shell_temp_c, title: Shell temperature, unit: Cel, engineering_range: [0, 500], aliases: [TI-4711.PV]}
  - {name: torque_kn_m, title: Torque, unit: kN.m, engineering_range: [0, 900]}
  - {name: power_kw, title: Power of the drive, unit: kW, engineering_range: [0, 400]}
nameplate:
  - {name: rated_power_kw, unit: kW, default: 250}
derived:
  - {name: load_pct, title: Load, unit: "%", function: share_of_rated_pct,
     inputs: {value: power_kw, rated_value: nameplate.rated_power_kw}}
rules:
  - {id: kiln.overload, column: load_pct, maximum: 120, severity: reject, blames: [power_kw],
     message: The drive cannot give that much, recommendation: Check the power meter}
twin:
  drivers: [power_kw]
  responses: [shell_temp_c, torque_kn_m]
health:
  - {column: shell_temp_c, weight: 1, bands: [250, 300, 340, 380], message: The shell is hot,
     recommendation: Check the bricks}
failure_modes:
  - {id: brick_loss, title: Lost bricks, indicator: shell_temp_c, threshold: 400, recommendation: Renew the lining}
"""
COLD = """\
extends: chiller
tags:
  - {name: oil_temp_c, title: Oil temperature, unit: Cel, engineering_range: [10, 90], aliases: [oil_temp]}
health:
  - {column: oil_temp_c, weight: 0.1, good: 60, bad: 80, message: The oil is hot, recommendation: Check the oil cooler}
"""
GATEWAY = {
    "chw_supply_temp": 7.0,
    "chw_return_temp": 12.0,
    "cdw_inlet_temp": 29.0,
    "cdw_outlet_temp": 34.0,
    "power_kw": 160.0,
    "vibration_rms": 1.5,
    "current_r": 257.0,
    "current_y": 256.0,
    "current_b": 256.0,
}


def columns_of(url, table):
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,))
        return {name for (name,) in rows.fetchall()}


@pytest.fixture
def own(tmp_path):
    (tmp_path / "kiln.yaml").write_text(KILN, encoding="utf-8")
    (tmp_path / "chiller.yaml").write_text(COLD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def environment(kafka_broker, topic_prefix, database_url, own):
    migrate(database_url, load_catalogue())  # the installation is older than the classes
    assert columns_of(database_url, "readings_kiln") == set()
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "DATABASE_URL": database_url,
        "CATALOGUE_PATH": str(own),
        "API_PORT": str(any_free()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "forewarn.runtime.provision"],
        env={**os.environ, **SERVICE_ENV, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return environment


@pytest.fixture
def api(environment, spawn_service):
    services = [spawn_service(f"forewarn_{name}", environment) for name in ("api", "validator", "sink")]
    with httpx2.Client(base_url=f"http://127.0.0.1:{environment['API_PORT']}/api/v1", timeout=30) as client:

        def ready():
            assert all(service.running for service in services), [service.log[-1000:] for service in services]
            try:
                return client.get(client.base_url.copy_with(path="/readyz")).status_code == 200
            except httpx2.TransportError:
                return False

        wait_until(ready, 60, lambda: services[0].log[-2000:])
        yield client


def send(api, asset_id, metrics, age_s):
    ts = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
    answer = api.post("/readings", json={"asset_id": asset_id, "ts": ts, "metrics": metrics})
    assert answer.status_code in (200, 202), answer.text


def stored(api, asset_id, column):
    answer = api.get(f"/assets/{asset_id}/history", params={"columns": column, "resolution": "raw"})
    assert answer.status_code == 200, answer.text
    return answer.json()["columns"].get(column, {"values": []})["values"]


def test_database_api_and_dashboard_follow_from_the_file(api, environment, own):
    catalogue = load_catalogue(own)
    assert_tables_have_every_column(environment["DATABASE_URL"], catalogue)
    assert_contracts_have_every_column(catalogue)
    assert_registry_and_catalogue_are_told(api, catalogue)
    assert_readings_by_the_gateways_names_are_stored(api)
    assert_newest_state_weights_and_costs_are_told(api)
    page = asyncio.run(_page(environment, "K-1"))  # drawn from what the API says
    assert "Shell temperature" in page
    assert "Torque" in page


def assert_tables_have_every_column(url, catalogue):
    """A table with all columns of the frames for the new class, a column for the new tag."""
    for name in ("kiln", "chiller"):
        assert set(catalogue[name].column_names) <= columns_of(url, f"readings_{name}")
    assert {"oil_temp_c", "quality_oil_temp_c"} <= columns_of(url, "readings_chiller")
    assert {"expected_torque_kn_m", "residual_torque_kn_m"} <= columns_of(url, "results_kiln")


def assert_contracts_have_every_column(catalogue):
    schemas = render(catalogue, "0")
    assert "frames/valid.kiln.json" in schemas
    assert "oil_temp_c" in schemas["frames/anomaly.chiller.json"]
    assert "quality_torque_kn_m" in {column.name for column in frame_columns(FrameKind.VALID, catalogue["kiln"])}


def assert_registry_and_catalogue_are_told(api, catalogue):
    kiln = {"asset_id": "K-1", "asset_class": "kiln", "name": "Kiln 1", "nameplate": {"rated_power_kw": 200}}
    assert api.post("/assets", json=kiln).status_code == 201
    assert api.post("/assets", json={"asset_id": "CH-7", "asset_class": "chiller", "name": "C"}).status_code == 201
    assert {item["name"] for item in api.get("/classes").json()["items"]} == set(catalogue)
    detail = api.get("/assets/K-1").json()
    assert [tag["name"] for tag in detail["asset_class"]["tags"]] == ["shell_temp_c", "torque_kn_m", "power_kw"]


def assert_readings_by_the_gateways_names_are_stored(api):
    """Through broker, validator and sink into the table."""
    dry = {"asset_id": "K-1", "ts": datetime.now(UTC).isoformat(), "metrics": {"power_kw": 300}}
    reported = api.post("/readings/validate", json=dry).json()
    assert "The drive cannot give that much" in str(reported)
    for age_s in (30, 20, 10):
        send(api, "K-1", {"TI-4711.PV": 260.0, "torque_kn_m": 500.0, "power_kw": 150.0}, age_s)
        send(api, "CH-7", {**GATEWAY, "oil_temp": 52.5}, age_s)
    wait_until(lambda: stored(api, "K-1", "load_pct") == [75.0] * 3, 60)
    wait_until(lambda: stored(api, "CH-7", "oil_temp_c") == [52.5] * 3, 60)


def assert_newest_state_weights_and_costs_are_told(api):
    latest = {value["name"]: value for value in api.get("/assets/K-1/latest").json()["values"]}
    assert (latest["shell_temp_c"]["value"], latest["shell_temp_c"]["title"]) == (260.0, "Shell temperature")
    assert (latest["load_pct"]["value"], latest["load_pct"]["unit"]) == (75.0, "%")
    weights = api.get("/assets/CH-7/health/weights").json()["of_class"]["metrics"]
    assert weights["oil_temp_c"] == 0.1

    costs = api.get("/assets/CH-7/economics", params={"days": 31})  # the database adds power up by the minute
    assert costs.status_code == 200, costs.text
    assert (costs.json()["energy"], costs.json()["failures"]) == (None, [])  # its twin still learns


async def _page(environment, asset_id):
    async with HttpPlantApi(f"http://127.0.0.1:{environment['API_PORT']}", token=None) as plant_api:
        clock = SystemClock()
        hub = Hub(plant_api, clock, random.Random(1))
        hub.plant.set_assets(list(await plant_api.assets()))
        dependencies = Dependencies(api=plant_api, hub=hub, details=Details(plant_api, clock), clock=clock)
        view = AssetView(asset_id=asset_id, start="now-5m")
        scene = await ASSET.opened(Scene(view=view, plant=hub.plant, now=clock.now(), tz=UTC), dependencies)
        assert shown_tags(view, scene.detail.asset_class) == ("shell_temp_c", "torque_kn_m")
        assert scene.history.column("shell_temp_c") == (260.0,) * 3
        return str(ASSET.render(scene))
