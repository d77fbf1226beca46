"""A page is a folder and a line in the registry: an application with one page more, without any other change."""

import inspect
import random
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from dash import Input, Output, dcc, html

from forewarn_dashboard.app import build
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.details import Details
from forewarn_dashboard.live import Hub
from forewarn_dashboard.page import Pages, PageSpec
from forewarn_dashboard.pages.notices import NOT_FOUND
from forewarn_dashboard.pages.registry import PAGES
from forewarn_dashboard.push import Pusher
from forewarn_dashboard.scene import Region, Scene
from forewarn_dashboard.tab import PageState, Tab
from forewarn_dashboard.view import View
from support.memory_api import MemoryApi
from unit.dashboard.test_panels import words
from unit.dashboard.test_twin import calling

ORIGIN = "http://localhost:8050"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftView(View):
    """Address of the throwaway page: ``/shift?of=``."""

    PATHS = ("/shift",)

    of: str = "day"

    @classmethod
    def parse(cls, query):
        return {"of": query.get("of", "day")}

    def parameters(self):
        return {"of": "" if self.of == "day" else self.of}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftScene(Scene[ShiftView]):
    assets: int

    @property
    def heading(self):
        return f"Shift {self.view.of}"


async def load(scene, dependencies):
    return ShiftScene(**scene.shared(), assets=len(await dependencies.api.assets()))


def regions(scene):
    yield Region(id="shift-body", key=(scene.view.of, scene.assets), build=lambda: f"{scene.assets} on {scene.view.of}")


def render(scene):
    return [html.H1("Shift"), html.Div([region.build() for region in regions(scene)], id="shift-body")]


def register(app, dependencies):
    @app.callback(Output("shift-note", "data"), Input("shift-button", "n_clicks"), prevent_initial_call=True)
    async def note(clicks):
        return f"{clicks} of {len(dependencies.hub.plant.alarms)}"


SHIFT = PageSpec(
    title="Shift",
    view=ShiftView,
    load=load,
    regions=regions,
    render=render,
    badge=("shift-count", lambda plant: len(plant.assets)),
    stores=("shift-note",),
    dialogs=lambda: (dcc.ConfirmDialog(id="shift-dialog"),),
    controls=lambda: (html.Button(id="shift-button"),),
    register=register,
)
PLANT = (*PAGES, SHIFT)


@pytest.fixture
def api(pump, pump_class):
    return MemoryApi([pump], {pump_class.name: pump_class})


@pytest.fixture
async def dashboard(api, clock):
    return await build(api, clock, random.Random(1), frozenset({"localhost"}), PLANT)


async def show(dashboard, path, search=""):
    output = next(name for name in dashboard.dash.callback_map if "content.children" in name)
    address = (("url", "pathname", path), ("url", "search", search))
    more = (("browser", "data", {"zone": "UTC"}), ("refresh", "data", None))
    return (await calling(dashboard, None)(output, (*address, *more), (("view", "data", None),))).json()["response"]


async def test_it_has_an_address_a_title_and_a_place_in_the_menu(dashboard):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(dashboard.asgi), base_url=ORIGIN) as http:
        assert [(await http.get(path)).status_code for path in ("/shift", "/shifts")] == [200, 404]
    drawn = await show(dashboard, "/shift", "?of=night&tz=utc")
    assert drawn["title"]["data"] == "Shift night · Forewarn"
    assert "1 on night" in str(drawn["content"]["children"])
    menu = str(drawn["nav"]["children"])
    assert all(text in menu for text in ("Overview", "Alarms", "Shift", "/shift?tz=utc", "shift-count"))


async def test_other_pages_are_as_they_were_and_link_to_it(dashboard):
    drawn = await show(dashboard, "/alarms")
    assert drawn["title"]["data"] == "Alarms · Forewarn"
    assert "/shift" in str(drawn["nav"]["children"])


async def test_its_dialogs_stores_and_callbacks_are_part_of_the_application(dashboard):
    layout = str(dashboard.dash.layout)
    assert "shift-dialog" in layout
    assert "shift-note" in layout
    answer = await calling(dashboard, None)("shift-note.data", (("shift-button", "n_clicks", 2),))
    assert answer.json()["response"]["shift-note"]["data"] == "2 of 0"
    callbacks = [entry["callback"] for entry in dashboard.dash.callback_map.values() if "callback" in entry]
    assert all(inspect.iscoroutinefunction(callback) for callback in callbacks)


async def test_an_open_tab_of_it_is_sent_what_changes(api, clock, pump):
    hub = Hub(api, clock, random.Random(1))
    hub.plant.set_assets([pump])
    hub.connected, hub.epoch = True, "e1"
    dependencies = Dependencies(api=api, hub=hub, details=Details(api, clock), clock=clock)
    pusher, tab = Pusher(Pages(PLANT, NOT_FOUND), dependencies), Tab()
    page = PageState(render_id="r1", path="/shift", epoch="e1")
    first = dict(await pusher.news(page, tab))
    assert first["shift-body"] == {"children": "1 on day"}
    assert words(first["shift-count"]["children"]) == "1 |  open"
    clock.time += timedelta(seconds=1)
    assert [name for name, _ in await pusher.news(page, tab)] == ["tick"]
    api.known["P-102"] = pump
    assert [name for name, _ in await pusher.news(page, tab)] == ["shift-body", "tick"]
