"""Removing an asset from its page: what is kept is said, history goes only when its id was typed."""

import re

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def removed(ui):
    return httpx.get(f"{ui.api_url}/control/removed").json()


def test_an_asset_is_removed_after_a_confirmation(visit, ui):
    tab = visit("/asset/P-201")
    tab.page.set_viewport_size({"width": 390, "height": 500})  # the overview is longer than the screen, too
    tab.page.get_by_role("button", name="Remove asset …").click()
    dialog = tab.page.get_by_role("dialog", name="Remove asset")
    expect(dialog).to_contain_text("Cooling pump (P-201)")
    expect(dialog.get_by_label("Keep the history")).to_be_checked()
    dialog.get_by_role("button", name="Remove asset").click()
    expect(dialog).to_contain_text("Enter your name")
    dialog.get_by_label("Your name").fill("Ada")
    dialog.get_by_label("Delete the history").check()
    dialog.get_by_role("button", name="Remove asset").click()
    expect(dialog).to_contain_text("Enter P-201 to delete its history")
    assert removed(ui) == []
    dialog.get_by_label("Asset id").fill("P-201")
    dialog.get_by_role("button", name="Remove asset").click()
    expect(tab.page).to_have_title("Overview · Forewarn")
    expect(tab.page.get_by_text("Asset P-201 removed.")).to_be_in_viewport()
    expect(tab.page.get_by_role("link", name=re.compile("Feed pump A"))).to_be_visible()
    expect(tab.page.get_by_role("link", name=re.compile("Cooling pump"))).to_have_count(0)
    assert removed(ui) == [{"asset_id": "P-201", "history": "purge", "by": "Ada"}]
    assert tab.errors == []
