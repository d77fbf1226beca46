"""Closed alarms, forecasts and the judgement of others in a real browser."""

from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.dashboard_ui import alarm

pytestmark = pytest.mark.browser


def serious(page):
    return [v["id"] for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]


def test_closed_alarms_are_a_choice_of_the_page_and_older_ones_a_link_away(visit, ui):
    closed = alarm(active=False, acknowledged=True, acknowledged_by="ada", state="normal")
    older = alarm("P-201", "bearing_hot", active=False, message="Bearing hot", state="normal")
    at = datetime.now(UTC).isoformat()
    ui.control(past=[{"alarm": closed, "closed_at": at}, {"alarm": older, "closed_at": at}], alarms=[alarm("P-102")])
    tab = visit("/alarms")
    expect(tab.page.get_by_role("row", name="Feed pump B")).to_contain_text("Active, not acknowledged")
    tab.page.get_by_role("link", name="Closed", exact=True).click()
    row = tab.page.get_by_role("row", name="Feed pump A")
    expect(row).to_contain_text("after 5 min")
    expect(row).to_contain_text("by ada")
    expect(tab.page.get_by_role("row", name="Feed pump B")).to_be_hidden()
    assert serious(tab.page) == []
    tab.page.get_by_role("link", name="Older").click()
    expect(tab.page.get_by_role("row", name="Cooling pump")).to_contain_text("Bearing hot")
    tab.page.get_by_role("link", name="Newest").click()
    expect(row).to_be_visible()
    tab.page.get_by_label("Search").fill("nothing like it")
    expect(row).to_be_hidden()
    assert tab.errors == []


def test_a_signal_on_its_way_to_a_limit_is_foretold(visit, ui):
    tab = visit("/asset/P-101")
    expect(tab.page.get_by_text("No signal is expected to reach an alarm limit.")).to_be_visible()
    ui.control(faulty=["P-101"])
    expect(tab.page.get_by_role("heading", name="Vibration velocity (RMS) to 4.500")).to_be_visible()
    expect(tab.page.get_by_text("Probability 90 % within 14 d")).to_be_visible()
    expect(tab.page.get_by_text("Method: daily trend")).to_be_visible()
    assert serious(tab.page) == []
    assert tab.errors == []


def test_an_asset_that_learns_shows_what_others_say_of_it(visit, ui):
    ui.control(learning=["P-101"])
    tab = visit("/asset/P-101")
    expect(tab.page.get_by_text("Judged by 2 other machines of its class")).to_be_visible()
    expect(tab.page.get_by_text("Deviation 31.0 (high).")).to_be_visible()
    expect(tab.page.get_by_text("Not stored, raises no alarm.")).to_be_visible()
    expect(tab.page.get_by_role("row", name="Electrical power 38.40")).to_contain_text("34.56")
    assert tab.errors == []
