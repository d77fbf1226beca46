"""What-if and retraining in a real browser."""

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_slider_or_a_named_question_tells_what_would_happen(visit):
    tab = visit("/asset/P-101")
    tab.page.get_by_role("button", name="What if …").click()
    dialog = tab.page.get_by_role("dialog", name="What if the machine were operated differently?")
    slider = dialog.get_by_role("slider", name="flow_m3_h")
    expect(slider).to_have_attribute("aria-valuenow", "182")
    dialog.get_by_role("button", name="Load 150 %").click()
    expect(dialog.get_by_text("Health by the class's metrics: 94 → 81")).to_be_visible()
    expect(dialog.get_by_role("row", name="Electrical power")).to_contain_text("57.60 kW")
    expect(dialog.get_by_text("Volume flow: outside of the learned range")).to_be_visible()
    serious = [v["id"] for v in Axe().run(tab.page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert serious == []
    slider.focus()
    tab.page.keyboard.press("Home")
    expect(dialog.get_by_role("row", name="Electrical power")).not_to_contain_text("57.60 kW")
    tab.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert tab.errors == []


def test_retraining_asks_for_name_and_reason_first(visit, ui):
    tab = visit("/asset/P-101")
    expect(tab.page.get_by_role("heading", name="Digital twin")).to_be_visible()
    tab.page.get_by_role("button", name="Retrain …").click()
    dialog = tab.page.get_by_role("dialog", name="Retrain the twin")
    expect(dialog).to_contain_text("Feed pump A (P-101)")
    dialog.get_by_role("button", name="Retrain").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Enter your name")
    dialog.get_by_label("Your name").fill("M. Keller")
    dialog.get_by_label("Reason").fill("new impeller")
    dialog.get_by_role("button", name="Retrain").click()
    expect(tab.page.get_by_text("The twin of P-101 is being retrained.")).to_be_visible()
    expect(dialog).to_be_hidden()
    assert httpx.get(f"{ui.api_url}/control/ordered").json() == [
        {"asset_id": "P-101", "by": "M. Keller", "reason": "new impeller"}
    ]
    assert tab.errors == []
