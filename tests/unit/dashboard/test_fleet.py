"""Large plants: pages asked of the API, shared by tabs; alarms by pages; assets followed while somebody looks."""

import asyncio
import random
from datetime import timedelta

import pytest

from forewarn.contracts.assets import Asset
from forewarn_dashboard.client import FleetQuery, LiveUpdate
from forewarn_dashboard.components import pager
from forewarn_dashboard.fleet import LET_GO_S, TILES_AT_MOST
from forewarn_dashboard.live import Hub
from forewarn_dashboard.pages.alarms import page as alarms
from forewarn_dashboard.pages.overview import table as fleet_table
from forewarn_dashboard.pages.overview.address import OverviewView
from support.memory_api import MemoryApi


def assets(count):
    return [Asset(asset_id=f"M-{n}", asset_class="centrifugal_pump", name=f"Pumpe {n}") for n in range(count)]


@pytest.fixture
def api():
    return MemoryApi(assets(TILES_AT_MOST + 1))


@pytest.fixture
def hub(api, clock):
    return Hub(api, clock, random.Random(1))


async def test_a_large_plant_is_followed_by_its_alarms_only(hub, api):
    slot = hub.subscribe()
    task = asyncio.create_task(hub.follow_feed())
    async with asyncio.timeout(5):
        while not hub.connected:
            await slot.wait(1)
    task.cancel()
    assert hub.large
    assert hub.plant.loaded
    assert hub.plant.assets == {}
    assert api.followed == [((), True)]
    assert "assets" not in api.calls


async def test_tabs_with_the_same_page_share_an_answer(hub, api, clock):
    query = FleetQuery(limit=10, offset=20)
    pages = await asyncio.gather(*(hub.fleet.page(query) for _ in range(5)))
    assert [row.asset_id for row in pages[0].items] == [f"M-{n}" for n in range(20, 30)]
    assert len(api.asked_overview) == 1
    clock.elapsed_s += 1.0
    await hub.fleet.page(query)
    assert len(api.asked_overview) == 2


async def test_an_asset_is_followed_as_long_as_somebody_looks_at_it(hub, api, clock, reading):
    asset = assets(1)[0]
    await api.feed.put(LiveUpdate(readings=(reading(asset_id="M-0"),)))
    await hub.fleet.watch(asset)
    assert api.followed == [(("M-0",), False)]
    assert hub.plant.live("M-0").latest is not None
    clock.elapsed_s += LET_GO_S + 1
    await api.feed.put(LiveUpdate())
    for _ in range(20):  # turns of the event loop, not time
        await asyncio.sleep(0)
    assert "M-0" not in hub.plant.assets


async def test_names_are_learned_once(hub, api):
    await hub.fleet.learn_names({"M-3", "GONE"})
    await hub.fleet.learn_names({"M-3", "GONE"})
    assert len(api.asked_overview) == 1
    assert (hub.plant.name_of("M-3"), hub.plant.name_of("GONE")) == ("Pumpe 3", "GONE")


def test_a_page_of_the_table_has_a_region_for_each_row(scene, api):
    view = OverviewView(number=3)
    page = asyncio.run(api.overview(fleet_table.query_of(view)))
    body, *rows = fleet_table.regions(page, scene(number=3), "body")
    assert page.found == TILES_AT_MOST + 1
    assert [row.id["asset"] for row in rows] == [f"M-{n}" for n in range(2 * fleet_table.ROWS, page.found)]
    assert {row.inside for row in rows} == {body.id}


def test_only_a_page_of_alarms_is_made(scene, receive, alarm, now):
    many = [alarm(f"r{n}", raised_at=now - timedelta(seconds=n)) for n in range(3 * alarms.SHOWN - 1)]
    receive(alarms=many)
    listed = alarms.listing(scene("alarms", number=99))
    assert (listed.number, listed.found, len(listed.rows)) == (3, len(many), alarms.SHOWN - 1)
    assert alarms.listing(scene("alarms")).rows[0].rule == f"r{len(many) - 1}"


def test_page_numbers_live_in_the_address(view_of):
    view = view_of("/", "?page=7&q=pump")
    assert view.number == 7
    assert view.href(number=8) == "/?q=pump&page=8"
    assert view.href(show="attention") == "/?q=pump&show=attention"
    assert [view_of("/", f"?page={text}").number for text in ("0", "-1", "x", "9" * 30, "²")] == [1, 1, 1, 1, 1]
    assert pager(OverviewView(), 40, 40, "Pages") is None
    assert len(pager(OverviewView(number=50), 4_000, 40, "Pages").children.children) == 7
