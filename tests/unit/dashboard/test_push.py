"""What a tab is sent, and when."""

import asyncio
import random
from datetime import timedelta

import pytest
from dash.exceptions import WebsocketDisconnected

from forewarn_dashboard import push
from forewarn_dashboard.client import ApiUnavailableError, LiveUpdate
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.details import Details
from forewarn_dashboard.live import Hub, TooManyTabsError
from forewarn_dashboard.page import Pages
from forewarn_dashboard.pages.alarms.page import CLOSED_AGAIN_S
from forewarn_dashboard.pages.notices import NOT_FOUND
from forewarn_dashboard.pages.registry import PAGES
from forewarn_dashboard.push import Pusher
from forewarn_dashboard.tab import PageState, Tab
from support.memory_api import MemoryApi


@pytest.fixture
def api(pump, pump_class):
    return MemoryApi([pump], {pump_class.name: pump_class})


@pytest.fixture
def hub(api, clock, pump):
    made = Hub(api, clock, random.Random(1))
    made.plant.set_assets([pump])
    made.connected, made.epoch = True, "e1"
    return made


@pytest.fixture
def pusher(api, hub, clock):
    return Pusher(Pages(PAGES, NOT_FOUND), Dependencies(api=api, hub=hub, details=Details(api, clock), clock=clock))


def page(path="/", search="", **parts):
    return PageState(**({"render_id": "r1", "path": path, "search": search, "epoch": "e1"} | parts))


def ids(updates):
    return [identifier if isinstance(identifier, str) else identifier["type"] for identifier, _ in updates]


async def test_a_tab_is_sent_everything_once_and_then_only_what_changes(pusher, hub, reading, clock):
    tab = Tab()
    assert ids(await pusher.news(page(), tab)) == [
        "connection",
        "alarm-count",
        "overview-summary",
        "overview-body",
        "tick",
    ]
    assert ids(await pusher.news(page(), tab)) == ["tick"]
    hub.plant.apply(LiveUpdate(readings=(reading(),)))
    assert ids(await pusher.news(page(), tab)) == ["overview-summary", "tile", "tick"]
    clock.time += timedelta(seconds=1)
    assert ids(await pusher.news(page(), tab)) == ["tick"], "a tile is quiet while only time passes"


async def test_another_drawing_of_the_page_is_sent_everything_again(pusher):
    tab = Tab()
    await pusher.news(page(), tab)
    assert "overview-body" in ids(await pusher.news(page(render_id="r2"), tab))


async def test_a_paused_page_hears_only_of_the_connection(pusher, hub, reading):
    tab = Tab()
    hub.plant.apply(LiveUpdate(readings=(reading(),)))
    updates = await pusher.news(page("/asset/P-101", "?live=0"), tab)
    assert ids(updates) == ["connection", "alarm-count", "tick"]


async def test_a_list_of_closed_alarms_is_drawn_anew_now_and_then(pusher, clock):
    tab, shown = Tab(), page("/alarms", "?state=closed")
    assert ids(await pusher.news(shown, tab)) == ["connection", "alarm-count", "tick"]
    clock.time += timedelta(seconds=CLOSED_AGAIN_S)
    assert ids(await pusher.news(shown, tab)) == ["refresh", "tick"]
    older = page("/alarms", "?state=closed&cursor=YWJj", render_id="r2")
    await pusher.news(older, tab)
    clock.time += timedelta(seconds=CLOSED_AGAIN_S)
    assert ids(await pusher.news(older, tab)) == ["tick"]


async def test_a_page_of_another_epoch_is_drawn_anew_once(pusher, hub):
    tab = Tab()
    assert "refresh" in ids(await pusher.news(page(epoch="e0"), tab))
    assert "refresh" not in ids(await pusher.news(page(epoch="e0"), tab))
    assert "refresh" in ids(await pusher.news(page(epoch="e0", render_id="r2"), tab))


async def test_charts_are_continued_with_the_readings_since_the_page_was_drawn(pusher, hub, reading, now):
    hub.plant.apply(LiveUpdate(readings=(reading(age_s=9), reading(age_s=6), reading(age_s=3))))
    tab = Tab()
    state = page("/asset/P-101", since=(now - timedelta(seconds=7)).isoformat())
    updates = {i: p for i, p in await pusher.news(state, tab) if isinstance(i, str)}
    frame = updates["frame"]["data"]
    assert frame["times"] == ["2026-11-20T19:59:54.000", "2026-11-20T19:59:57.000"]
    assert frame["columns"]["power_kw:value"] == [40.0, 40.0]
    assert frame["to"] == "2026-11-20T20:00:00.000"
    hub.plant.apply(LiveUpdate(readings=(reading(age_s=1, score=50.0),)))
    frame = {i: p for i, p in await pusher.news(state, tab) if isinstance(i, str)}["frame"]["data"]
    assert frame["times"][-1] == "2026-11-20T19:59:59.000"
    assert frame["columns"][":score"][-1] == 50.0


async def test_a_gap_that_live_readings_cannot_fill_makes_the_page_draw_itself_anew(pusher, hub, reading, now):
    for age_s in range(150, 0, -1):
        hub.plant.apply(LiveUpdate(readings=(reading(age_s=age_s),)))
    state = page("/asset/P-101", since=(now - timedelta(seconds=600)).isoformat())
    assert "refresh" in ids(await pusher.news(state, Tab()))


async def test_a_page_on_a_fixed_range_gets_no_chart_points(pusher, hub, reading):
    hub.plant.apply(LiveUpdate(readings=(reading(),)))
    search = "?from=2026-11-20T18:00:00Z&to=2026-11-20T19:00:00Z"
    updates = ids(await pusher.news(page("/asset/P-101", search), Tab()))
    assert "frame" not in updates
    assert "asset-health" in updates


async def test_a_lost_api_raises_the_banner_and_its_return_removes_it(pusher, hub, clock):
    tab = Tab()
    await pusher.news(page(), tab)
    hub._lost("The API does not answer.")
    updates = {i: p for i, p in await pusher.news(page(), tab) if isinstance(i, str)}
    assert "No connection to the API" in str(updates["connection"]["children"])
    hub._gained()
    updates = {i: p for i, p in await pusher.news(page(), tab) if isinstance(i, str)}
    assert updates["connection"]["children"] is None


@pytest.mark.parametrize("data", [None, 7, [], {}, {"render_id": 1}, {"render_id": "a", "path": "/"}])
def test_a_store_that_is_not_ours_is_not_believed(data):
    assert PageState.from_store(data) is None


def test_the_store_keeps_what_it_is_given():
    state = page("/asset/P-1", "?tz=utc", since="2026-11-20T20:00:00+00:00")
    assert PageState.from_store(state.to_store()) == state


async def test_nobody_is_sent_anything_before_the_page_is_drawn(pusher):
    assert ids(await pusher.news(None, Tab())) == ["tick"]


class Line:
    """A tab that answers a number of times and then fails as asked."""

    is_shutdown = False

    def __init__(self, answers, failure):
        self.answers = answers
        self.failure = failure

    async def get_prop(self, component_id, prop_name, timeout=30.0):  # noqa: ASYNC109  # Dash's signature
        assert (component_id, prop_name) == ("view", "data")
        self.answers -= 1
        if self.answers < 0:
            raise self.failure


@pytest.mark.parametrize("failure", [WebsocketDisconnected(), TimeoutError(), asyncio.CancelledError()])
async def test_a_tab_that_is_gone_or_mute_is_forgotten(pusher, hub, monkeypatch, failure):
    monkeypatch.setattr(push, "IDLE_S", 0.001)
    monkeypatch.setattr(push, "INTERVAL_S", 0.001)
    sent = []
    feeding = pusher.feed(Line(2, failure), lambda identifier, props: sent.append(identifier))
    if isinstance(failure, asyncio.CancelledError):
        with pytest.raises(asyncio.CancelledError):
            await feeding
    else:
        await feeding
    assert sent == ["tick", "tick"]
    assert hub._slots == set()


async def test_there_is_a_limit_to_tabs(hub):
    slots = [hub.subscribe() for _ in range(500)]
    with pytest.raises(TooManyTabsError, match="500"):
        hub.subscribe()
    hub.unsubscribe(slots[0])
    assert hub.subscribe()


async def test_the_hub_follows_the_feed_and_returns_after_it_broke(api, clock, pump, reading, monkeypatch):
    monkeypatch.setattr("forewarn_dashboard.live.FIRST_RETRY_S", 0.001)
    hub = Hub(api, clock, random.Random(1))
    slot = hub.subscribe()
    task = asyncio.create_task(hub.follow_feed())
    assert await slot.wait(5)
    first = hub.epoch
    assert hub.connected
    await api.feed.put(LiveUpdate(readings=(reading(),)))
    assert await slot.wait(5)
    assert hub.plant.live("P-101").latest is not None
    await api.feed.put(None)
    async with asyncio.timeout(5):
        while not (hub.connected and hub.epoch != first):
            await slot.wait(1)
    assert api.calls.count("live") == 2
    task.cancel()


async def test_the_hub_says_why_it_is_not_connected(api, clock, monkeypatch):
    monkeypatch.setattr("forewarn_dashboard.live.FIRST_RETRY_S", 0.001)
    api.failure = ApiUnavailableError("The API at http://x does not answer.")
    hub = Hub(api, clock, random.Random(1))
    slot = hub.subscribe()
    task = asyncio.create_task(hub.follow_feed())
    assert await slot.wait(5)
    assert (hub.connected, hub.problem, hub.lost_at) == (False, "The API at http://x does not answer.", clock.now())
    task.cancel()


async def test_an_unknown_asset_in_the_feed_makes_the_hub_ask_for_the_registry(api, clock, pump, reading):
    api.known = {}
    hub = Hub(api, clock, random.Random(1))
    tasks = [asyncio.create_task(hub.follow_feed()), asyncio.create_task(hub.follow_registry())]
    slot = hub.subscribe()
    assert await slot.wait(5)
    api.known = {pump.asset_id: pump}
    await api.feed.put(LiveUpdate(readings=(reading(),)))
    async with asyncio.timeout(5):
        while pump.asset_id not in hub.plant.assets:
            await slot.wait(1)
    for task in tasks:
        task.cancel()


async def test_details_are_asked_once_and_then_kept_for_a_while(api, clock):
    details = Details(api, clock)
    first = await details.get("P-101")
    await details.get("P-101")
    assert api.calls.count("detail") == 1
    assert first.learned == 3
    clock.elapsed_s += 60
    await details.get("P-101")
    assert api.calls.count("detail") == 2
