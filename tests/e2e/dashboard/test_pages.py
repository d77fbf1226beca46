"""Pages in a real browser against a fake API: content, live updates, addresses, accessibility, policy."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.dashboard_ui import Watched, alarm, until

pytestmark = pytest.mark.browser

CHARTS = "document.querySelectorAll('.js-plotly-plot .main-svg').length > 3"
TIMES = "document.querySelectorAll('.js-plotly-plot')[1].data.at(-1).x.map(t => Date.parse(t + 'Z'))"
PAGES = ("/", "/asset/P-101", "/alarms", "/asset/NOPE", "/nowhere", "/asset/P-101?from=now&to=now")


def violations(page):
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found if v["impact"] in ("serious", "critical")]


def test_the_overview_shows_the_assets_and_updates_without_reload(visit, ui):
    tab = visit("/")
    expect(tab.page).to_have_title("Overview · Forewarn")
    expect(tab.page.get_by_text("Feed pump A")).to_be_visible()
    expect(tab.page.get_by_role("heading", name="north / boiler-house")).to_be_visible()
    tab.page.evaluate("window.sameDocument = true")
    ui.control(faulty=["P-102"], alarms=[alarm("P-102", priority="critical", message="Vibration dangerously high")])
    tile = tab.page.get_by_role("link", name=re.compile("Feed pump B"))
    expect(tile).to_contain_text("Vibration dangerously high")
    expect(tile).to_contain_text("Poor")
    expect(tab.page.get_by_role("link", name=re.compile("Alarms"))).to_contain_text("1")
    assert tab.page.evaluate("window.sameDocument")
    assert tab.errors == []


def test_a_new_asset_appears_by_itself(visit, ui):
    ui.control(assets=[])
    tab = visit("/")
    expect(tab.page.get_by_text("No assets yet")).to_be_visible(timeout=30_000)
    pump = {"asset_id": "P-9", "asset_class": "centrifugal_pump", "name": "New pump", "path": ["acme", "south"]}
    ui.control(assets=[pump])
    expect(tab.page.get_by_text("New pump")).to_be_visible(timeout=30_000)
    assert tab.errors == []


def test_a_deep_link_to_an_asset_works_as_the_first_request(visit):
    tab = visit("/asset/P-101?from=now-5m&tz=utc")
    expect(tab.page).to_have_title("Feed pump A · Forewarn")
    expect(tab.page.get_by_role("heading", name="Feed pump A")).to_be_visible()
    expect(tab.page.locator(".js-plotly-plot").first).to_be_visible()
    expect(tab.page.get_by_text("Twin model version 1")).to_be_visible()
    assert tab.errors == []


def test_the_charts_go_on_by_themselves(visit):
    tab = visit("/asset/P-101?from=now-5m&tz=utc")
    newest = f"Math.max(...{TIMES})"
    until(tab.page, f"{CHARTS} && {newest} > 0")
    first = tab.page.evaluate(newest)
    until(tab.page, f"{newest} > {first} + 3000")
    times = tab.page.evaluate(TIMES)
    assert times == sorted(set(times))
    assert 290_000 < times[-1] - times[0] < 310_000, "what has left the window is cut off"
    assert tab.errors == []


def test_a_paused_page_stands_still(visit):
    tab = visit("/asset/P-101?live=0")
    readout = tab.page.locator(".readout-value").nth(1)
    expect(readout).to_be_visible()
    before = readout.inner_text()
    tick = "JSON.stringify(document.querySelectorAll('.js-plotly-plot')[1].data.at(-1).x.at(-1))"
    until(tab.page, CHARTS)
    last = tab.page.evaluate(tick)
    tab.page.wait_for_timeout(3_000)
    assert (readout.inner_text(), tab.page.evaluate(tick)) == (before, last)


def test_filter_search_and_sort_stand_in_the_address_and_the_back_button_undoes_them(visit, ui):
    tab = visit("/")
    expect(tab.page.locator(".tile")).to_have_count(3)
    tab.page.get_by_label("Search").focus()
    tab.page.keyboard.type("cool")
    expect(tab.page.locator(".tile")).to_have_count(1)
    expect(tab.page).to_have_url(f"{ui.url}/?q=cool")
    tab.page.keyboard.type("ing")  # on, without a click: drawing the page again must not take the focus away
    expect(tab.page).to_have_url(f"{ui.url}/?q=cooling")
    expect(tab.page.get_by_label("Search")).to_be_focused()
    tab.page.get_by_role("link", name="Health", exact=True).click()
    expect(tab.page).to_have_url(f"{ui.url}/?q=cooling&sort=health")
    tab.page.locator(".tile").click()
    expect(tab.page).to_have_title("Cooling pump · Forewarn")
    tab.page.go_back()
    expect(tab.page).to_have_title("Overview · Forewarn")
    expect(tab.page.locator(".tile")).to_have_count(1)
    tab.page.go_back()
    expect(tab.page).to_have_url(f"{ui.url}/?q=cooling")
    assert tab.errors == []


def test_letters_stay_in_order_however_fast_they_are_typed(visit):
    tab = visit("/")
    search = tab.page.get_by_label("Search")
    search.focus()
    tab.page.keyboard.type("c")
    expect(search).to_have_value("c")
    tab.page.evaluate(
        """() => {
            const put = (letter) => document.execCommand("insertText", false, letter);
            put("o");
            setTimeout(() => put("l"), 0);  // after what the first letter has set off, before what the next one does
            put("o");
        }"""
    )
    expect(search).to_have_value("cool")
    expect(tab.page.locator(".tile")).to_have_count(1)


def test_times_are_local_by_default_and_utc_on_demand(visit):
    tab = visit("/asset/P-101")
    expect(tab.page.get_by_text("UTC+05:30").first).to_be_visible()
    tab.page.get_by_role("link", name="UTC", exact=True).click()
    expect(tab.page.get_by_role("link", name="UTC (chosen)")).to_be_visible()
    tab.page.get_by_role("link", name=re.compile("^Alarms")).click()
    expect(tab.page).to_have_url(re.compile(r"/alarms\?tz=utc"))


def test_stale_data_is_called_stale(visit, ui):
    ui.control(silent=["P-201"])
    tab = visit("/")
    tile = tab.page.get_by_role("link", name=re.compile("Cooling pump"))
    expect(tile).to_contain_text(re.compile("No fresh data|No data yet"), timeout=60_000)
    expect(tile).not_to_contain_text("live")


def test_a_twin_that_learns_is_called_learning_and_unknown_is_never_zero(visit, ui):
    ui.control(learning=["P-101"])
    tab = visit("/asset/P-101")
    expect(tab.page.get_by_text("Twin learns normal behaviour")).to_be_visible()
    expect(tab.page.locator(".readout-value").first).to_have_text("–")
    assert tab.errors == []


def test_the_csv_download_is_the_apis_file(visit):
    tab = visit("/asset/P-101?from=now-5m")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "P-101.csv"
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "ts,score"
    assert len(lines) > 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_console_errors_policy_violations_or_serious_accessibility_faults(scheme, visit, ui, context):
    ui.control(
        faulty=["P-101"],
        alarms=[alarm(), alarm(rule="anomaly", priority="high", acknowledged=True), alarm("P-102", priority="low")],
    )
    problems = {}
    for path in PAGES:
        tab = visit(path)
        tab.page.emulate_media(color_scheme=scheme)
        expect(tab.page.locator("main h1")).to_have_count(1)
        if path == "/asset/P-101":
            until(tab.page, CHARTS)
        until(tab.page, "document.title !== 'Forewarn'")
        expected_404 = ["error: Failed to load resource: the server responded with a status of 404 (Not Found)"]
        errors = [e for e in tab.errors if path != "/nowhere" or e not in expected_404]
        found = errors + violations(tab.page)
        if found:
            problems[path] = found
        tab.page.close()
    assert problems == {}


def test_nothing_is_asked_of_any_other_server(context, ui):
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{ui.url}/asset/P-101")
    until(page, CHARTS)
    assert [url for url in asked if not url.startswith((ui.url, "data:", "blob:"))] == []
    assert len(asked) > 10


def test_a_planted_inline_script_does_not_run(visit):
    tab = visit("/")
    expect(tab.page.locator(".tile")).to_have_count(3)
    tab.page.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.planted = 1';"
        " document.body.append(s) })()"
    )
    assert tab.page.evaluate("window.planted") is None


def test_markup_in_names_and_messages_is_shown_as_text(visit, ui):
    attack = "<img src=x onerror=alert(1)>"
    pump = {"asset_id": "P-101", "asset_class": "centrifugal_pump", "name": attack, "path": ["acme", "south"]}
    ui.control(assets=[pump], alarms=[alarm(message=attack, action=attack)])
    dialogs = []
    for path in ("/", "/asset/P-101", "/alarms"):
        tab = visit(path)
        tab.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        expect(tab.page.get_by_text(attack).first).to_be_visible(timeout=30_000)
    assert dialogs == []


def test_a_range_is_chosen_with_the_calendar_fields_in_the_shown_clock(visit, ui):
    tab = visit("/asset/P-101?from=2026-11-20T10:00:00Z&to=2026-11-20T11:00:00Z")
    tab.page.get_by_text("From … to").click()
    expect(tab.page.get_by_label("From (IST")).to_be_visible()
    expect(tab.page.get_by_label("From (IST")).to_contain_text("2026-11-20 15:30")
    assert violations(tab.page) == []
    tab.page.get_by_role("button", name="Show this range").click()
    expect(tab.page).to_have_url(f"{ui.url}/asset/P-101?from=2026-11-20T10%3A00%3A00Z&to=2026-11-20T11%3A00%3A00Z")
    tab.page.get_by_text("Signals", exact=True).click()
    tab.page.get_by_role("link", name="Volume flow").click()
    expect(tab.page).to_have_url(re.compile("flow_m3_h"))
    expect(tab.page.get_by_role("heading", name="Volume flow")).to_be_visible()
    assert tab.errors == []


def test_a_menu_stays_as_it_was_clicked_when_the_page_is_drawn_anew_at_that_moment(visit):
    """It closed again when the old one was gone before the browser reported the toggle, a moment after the click."""
    tab = visit("/asset/P-101")
    menu = tab.page.locator("#range-menu")
    expect(menu).to_be_visible()
    clicked_and_drawn_anew = (
        "() => { const old = document.getElementById('range-menu'); old.querySelector('summary').click();"
        " const drawn = old.cloneNode(true); drawn.open = false; old.replaceWith(drawn) }"
    )
    button = tab.page.get_by_role("button", name="Show this range")
    tab.page.evaluate(clicked_and_drawn_anew)
    expect(button).to_be_visible()
    tab.page.evaluate(clicked_and_drawn_anew)
    expect(button).to_be_hidden()


def test_on_a_phone_nothing_has_to_be_scrolled_sideways_to(context, ui):
    ui.control(alarms=[alarm(message="The pump behaves unlike its learned normal; vibration deviates most")])
    tab = Watched(context.new_page())
    tab.page.set_viewport_size({"width": 420, "height": 860})
    tab.page.goto(f"{ui.url}/alarms")
    expect(tab.page.get_by_role("button", name="Acknowledge").first).to_be_in_viewport(ratio=1)
    assert violations(tab.page) == []
    tab.page.goto(f"{ui.url}/asset/P-101?tags=power_kw&live=0")
    expect(tab.page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    tab.page.get_by_text("From … to").click()
    expect(tab.page.get_by_role("button", name="Show this range")).to_be_in_viewport(ratio=1)
    tab.page.get_by_text("From … to").click()
    tab.page.get_by_text("Signals", exact=True).click()
    expect(tab.page.get_by_role("link", name="Hydraulic power")).to_be_in_viewport(ratio=1)
    assert violations(tab.page) == []
    assert tab.errors == []
