"""Alarms that are over: asked of the API, shown as a list, refreshed now and then."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from forewarn.contracts.answers.alarms import AlarmItem, AlarmList
from forewarn_dashboard.client import ApiError, ClosedQuery
from forewarn_dashboard.http_client import HttpPlantApi
from forewarn_dashboard.pages.alarms import page as alarms
from forewarn_dashboard.pages.alarms.address import AlarmsView
from unit.dashboard.test_panels import words


@pytest.fixture
def closed(alarm, now):
    def make(rule="vibration_high", **changes):
        item = alarm(rule, active=False, raised_at=now - timedelta(hours=3), **changes)
        return AlarmItem(alarm=item, closed_at=now - timedelta(hours=1))

    return make


@pytest.fixture
def page(scene):
    def draw(*items, older="", problem="", **view):
        closed = ApiError(problem) if problem else AlarmList(items=items, next_cursor=older or None)
        shown = replace(scene("alarms", closed=True, **view), closed=closed)
        return words(alarms.render(shown))

    return draw


def test_a_closed_alarm_says_when_how_long_and_who_saw_it(page, closed):
    text = page(closed(acknowledged=True, acknowledged_by="ada", comment="greased", occurrences=3))
    assert "1 closed alarm here, the newest closed first." in text
    assert "Feed pump | P-101 | Vibration high | vibration_high" in text
    assert "2026-11-20 17:00:00 | 3 times | 2026-11-20 19:00:00 | after 2 h | by ada | greased" in text


def test_search_and_acknowledgement_choose_among_them(page, closed):
    items = (closed(), closed("anomaly", message="Unlike normal", acknowledged=True, acknowledged_by="ada"))
    assert "Unlike normal" not in page(*items, search="vibration")
    assert "Unlike normal" not in page(*items, unacknowledged=True)
    assert "none matches the search and the filters" in page(*items, search="nothing like it")


def test_none_and_a_problem_are_said_in_words(page):
    assert "No alarm has been closed yet" in page()
    assert "There are no older ones" in page(older_than="abc")
    text = page(problem="The database is away.")
    assert "Closed alarms cannot be read | The database is away." in text


def test_older_ones_are_a_link_away(scene, closed):
    shown = replace(
        scene("alarms", closed=True, priority="high"), closed=AlarmList(items=[closed()], next_cursor="YWJj")
    )
    body = alarms.redraw(shown)[alarms.BODY_ID]
    assert body[-1].children[1].href == "/alarms?priority=high&state=closed&cursor=YWJj"


def test_the_address_keeps_what_is_shown(view_of):
    view = view_of("/alarms", "?state=closed&cursor=YWJj&priority=low")
    assert (view.closed, view.older_than) == (True, "YWJj")
    assert view_of("/alarms", "?" + view.query) == view
    assert view_of("/alarms", "?cursor=%3Cscript%3E&state=odd") == AlarmsView()
    assert view.href(closed=False) == "/alarms?priority=low"


async def test_the_api_is_asked_for_closed_ones_by_filters_and_cursor(alarm):
    asked = []

    def answer(request):
        asked.append(dict(request.url.params))
        item = {"alarm": alarm().model_dump(mode="json"), "closed_at": "2026-11-20T19:00:00Z"}
        return httpx.Response(200, json={"items": [item], "next_cursor": "n"})

    api = HttpPlantApi("http://api", None, httpx.MockTransport(answer))
    found = await api.closed_alarms(ClosedQuery(asset_id="P-101", priority="high", older_than="c"))
    assert asked == [{"state": "closed", "limit": "100", "asset": "P-101", "priority": "high", "cursor": "c"}]
    assert (found.items[0].alarm, found.next_cursor) == (alarm(), "n")
    await api.closed_alarms(ClosedQuery())
    assert asked[1] == {"state": "closed", "limit": "100"}
