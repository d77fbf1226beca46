"""A plant in memory for the dashboard's pure parts."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.assets import Asset
from forewarn_dashboard.client import JudgedReading, LiveUpdate
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.page import Pages
from forewarn_dashboard.pages.alarms.address import AlarmsView
from forewarn_dashboard.pages.alarms.page import AlarmsScene
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.scene import AssetScene
from forewarn_dashboard.pages.asset.timerange import resolve
from forewarn_dashboard.pages.notices import NOT_FOUND
from forewarn_dashboard.pages.overview.address import OverviewView
from forewarn_dashboard.pages.overview.page import OverviewScene
from forewarn_dashboard.pages.registry import PAGES
from forewarn_dashboard.plant import LivePlant
from forewarn_dashboard.tab import PageState

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


class StoppedClock:
    """A clock that tests move."""

    def __init__(self, now=NOW):
        self.time = now
        self.elapsed_s = 0.0

    def now(self):
        return self.time

    def monotonic_s(self):
        return self.elapsed_s


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def pump():
    return Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Feed pump", path=("acme", "north", "boiler"))


@pytest.fixture
def pump_class():
    return load_catalogue()["centrifugal_pump"]


@pytest.fixture
def reading():
    """Factory of judged readings of P-101, ``age_s`` old."""

    def make(age_s=0.0, asset_id="P-101", **changes):
        content = {
            "values": {"vibration_mm_s": 2.0, "power_kw": 40.0},
            "expected": {"vibration_mm_s": 1.9, "power_kw": 39.0},
            "residual": {"vibration_mm_s": 1.0, "power_kw": 0.5},
            "contribution": {"vibration_mm_s": 0.6, "power_kw": 0.4},
            "quality": {"vibration_mm_s": 0},
            "score": 5.0,
            "deviation": 8.0,
            "p_value": 0.4,
            "flag": False,
            "phase": "live",
            "model_version": 1,
        }
        return JudgedReading(asset_id=asset_id, ts=NOW - timedelta(seconds=age_s), **(content | changes))

    return make


@pytest.fixture
def alarm():
    """Factory of open alarms of P-101."""

    def make(rule="vibration_high", **changes):
        content = {
            "alarm_id": f"P-101/{rule}",
            "occurrence_id": "o1",
            "asset_id": "P-101",
            "rule": rule,
            "source": "threshold",
            "priority": Priority.MEDIUM,
            "active": True,
            "acknowledged": False,
            "raised_at": NOW - timedelta(minutes=5),
            "last_active_at": NOW,
            "value": 5.4,
            "limit": 4.5,
            "unit": "mm/s",
            "message": "Vibration high",
            "action": "Inspect",
        }
        return Alarm(**(content | changes))

    return make


@pytest.fixture(scope="session")
def view_of():
    """Read an address as the dashboard does; None if no page has it."""
    pages = Pages(PAGES, NOT_FOUND)
    dependencies = Dependencies(api=None, hub=SimpleNamespace(plant=LivePlant()), details=None, clock=StoppedClock())

    def read(path, search=""):
        page, scene = pages.scene(PageState(path=path, search=search), dependencies)
        return None if page is NOT_FOUND else scene.view

    return read


@pytest.fixture
def plant(pump):
    made = LivePlant()
    made.set_assets([pump])
    return made


@pytest.fixture
def scene(plant, pump, pump_class):
    """Factory of scenes of a page."""

    def make(page="overview", **parts):
        shared = {"plant": plant, "now": NOW, "tz": UTC}
        if page == "overview":
            return OverviewScene(view=OverviewView(**parts), **shared)
        if page == "alarms":
            return AlarmsScene(view=AlarmsView(**parts), **shared)
        view = AssetView(asset_id=pump.asset_id, **parts)
        detail = AssetProfile(asset=pump, asset_class=pump_class)
        return AssetScene(view=view, detail=detail, window=resolve(view.start, view.end, NOW), **shared)

    return make


@pytest.fixture
def receive(plant):
    """Apply a live update to the plant."""

    def apply(*readings, **parts):
        return plant.apply(LiveUpdate(readings=readings, **parts))

    return apply
