"""What open browsers see when API or dashboard go away and come back."""

import time

import httpx
import pytest
from playwright.sync_api import expect

from support.stack import wait_until

pytestmark = pytest.mark.browser


def test_the_disconnected_banner_comes_and_goes_with_the_api(visit, ui):
    overview, asset = visit("/"), visit("/asset/P-101?from=now-5m")
    expect(overview.page.locator(".tile")).to_have_count(3)
    expect(asset.page.locator(".js-plotly-plot").nth(3)).to_be_visible()
    ui.api.kill()
    for tab in (overview, asset):
        expect(tab.page.get_by_text("No connection to the API")).to_be_visible()
    late = visit("/asset/P-102")
    expect(late.page.get_by_text("The plant's data cannot be read")).to_be_visible()
    ui.start_api()
    for tab in (overview, asset, late):
        expect(tab.page.locator(".banner-warning")).to_have_count(0, timeout=20_000)
    expect(late.page.get_by_role("heading", name="Feed pump B")).to_be_visible()
    assert overview.errors + asset.errors == []


def test_an_open_browser_resumes_unattended_after_the_dashboard_is_killed(visit, ui):
    tab = visit("/asset/P-101?from=now-5m")
    status = tab.page.locator("#asset-status")
    expect(status).to_contain_text("Last reading")
    ui.dashboard.kill()
    ui.start_dashboard()
    back = time.monotonic()
    before = status.inner_text()
    expect(status).not_to_have_text(before, timeout=10_000)
    first = status.inner_text()
    expect(status).not_to_have_text(first, timeout=10_000 - int(1000 * (time.monotonic() - back)))


def test_a_browser_says_that_the_dashboard_is_away_and_returns_after_a_long_outage(visit, ui):
    tab = visit("/")
    expect(tab.page.locator(".tile")).to_have_count(3)
    ui.dashboard.kill()
    expect(tab.page.get_by_text("Connection to the dashboard lost")).to_be_visible()
    tab.page.wait_for_timeout(20_000)  # long enough for the socket's own retries to have become rare
    ui.start_dashboard()
    expect(tab.page.get_by_text("Connection to the dashboard lost")).to_be_hidden(timeout=15_000)
    expect(tab.page.locator(".tile")).to_have_count(3)


def test_sigterm_ends_the_dashboard_quickly_under_open_browsers(visit, ui):
    tabs = [visit("/"), visit("/asset/P-101"), visit("/alarms")]
    for tab in tabs:
        expect(tab.page.locator("main h1")).to_have_count(1)
    assert ui.dashboard.terminate() < 5
    assert ui.dashboard.returncode == 0


def test_closed_tabs_are_fed_no_longer(visit, ui):
    tabs = [visit("/") for _ in range(3)]
    for tab in tabs:
        expect(tab.page.locator(".tile")).to_have_count(3)

    def fed() -> int:
        lines = httpx.get(f"{ui.probe_url}/metrics").text.splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("forewarn_dashboard_tabs "))))

    wait_until(lambda: fed() == 3, 15, "three tabs are fed")
    tabs[0].page.close()
    tabs[1].page.close()
    wait_until(lambda: fed() == 1, 60, "one tab is left, on the socket it shared with the others")
