"""Acknowledging alarms in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.dashboard_ui import alarm

pytestmark = pytest.mark.browser


def test_an_alarm_is_acknowledged_with_name_comment_and_occurrence(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/alarms")
    row = tab.page.get_by_role("row", name="Vibration high")
    expect(row).to_contain_text("5.120 mm/s, limit 4.500 (+14 %)")
    row.get_by_role("button", name="Acknowledge").click()
    dialog = tab.page.get_by_role("dialog", name="Acknowledge alarm")
    expect(dialog).to_contain_text("Feed pump A (P-101)")
    serious = [v["id"] for v in Axe().run(tab.page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert serious == []
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Enter your name")
    dialog.get_by_label("Your name").fill("M. Keller")
    dialog.get_by_label("Comment").fill("on my way")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text("Active, acknowledged")
    expect(row).to_contain_text("by M. Keller")
    assert ui.acknowledged() == [{"by": "M. Keller", "comment": "on my way", "occurrence_id": "o1"}]
    assert tab.errors == []


def test_a_newer_occurrence_is_not_acknowledged_unseen(visit, ui):
    ui.control(alarms=[alarm(occurrence="o1")])
    tab = visit("/alarms")
    tab.page.get_by_role("button", name="Acknowledge Vibration high").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Your name").fill("M. Keller")
    ui.control(alarms=[alarm(occurrence="o2", value=6.0)])
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog.get_by_role("alert")).to_contain_text("newest occurrence")
    assert ui.acknowledged() == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(tab.page.get_by_text("6.000 mm/s")).to_be_visible()
    tab.page.get_by_role("button", name="Acknowledge Vibration high").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(tab.page.get_by_text("Acknowledged: vibration_high of P-101")).to_be_visible()
    assert [seen["occurrence_id"] for seen in ui.acknowledged()] == ["o2"]


def test_the_keyboard_is_enough(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/asset/P-101")
    button = tab.page.get_by_role("button", name="Acknowledge Vibration high")
    button.focus()
    expect(button).to_be_focused()
    tab.page.keyboard.press("Enter")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_label("Your name")).to_be_focused()
    keyboard = tab.page.keyboard
    keyboard.type("Kim")
    keyboard.press("Tab")
    keyboard.type("on my way")
    keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert ui.acknowledged() == [{"by": "Kim", "comment": "on my way", "occurrence_id": "o1"}]


def test_a_click_counts_although_a_live_update_draws_the_row_anew_before_the_server_hears_of_it(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/alarms")
    expect(tab.page.get_by_role("button", name="Acknowledge Vibration high")).to_be_visible()
    tab.page.evaluate(
        "() => { document.querySelector('button[data-occurrence]').click();"
        " dash_clientside.set_props('alarms-body', { children: 'drawn again' }) }"
    )
    expect(tab.page.get_by_role("dialog")).to_contain_text("Feed pump A (P-101)")


def test_a_click_counts_although_the_row_is_drawn_again_while_the_button_is_held(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/alarms")
    tab.page.get_by_role("button", name="Acknowledge Vibration high").hover()
    tab.page.mouse.down()
    ui.control(alarms=[alarm(value=7.7)])
    expect(tab.page.get_by_text("7.700 mm/s")).to_be_visible()
    tab.page.mouse.up()
    expect(tab.page.get_by_role("dialog")).to_contain_text("Feed pump A (P-101)")


def test_what_stands_in_the_fields_counts_however_fast_it_came(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/alarms")
    tab.page.get_by_role("button", name="Acknowledge Vibration high").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Your name").evaluate(
        "field => { field.focus(); document.execCommand('insertText', false, 'Kim');"
        " document.getElementById('ack-confirm').click() }"
    )
    expect(dialog).to_be_hidden()
    assert [seen["by"] for seen in ui.acknowledged()] == ["Kim"]


def test_a_comment_that_was_not_sent_is_not_offered_for_another_alarm(visit, ui):
    ui.control(alarms=[alarm(), alarm("P-102", message="Bearing hot")])
    tab = visit("/alarms")
    tab.page.get_by_role("button", name="Acknowledge Vibration high").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Comment").fill("pump is loud")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    tab.page.get_by_role("button", name="Acknowledge Bearing hot").click()
    expect(dialog).to_contain_text("Bearing hot")
    expect(dialog.get_by_label("Comment")).to_have_value("")


def test_escape_closes_the_dialog_and_acknowledges_nothing(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/alarms")
    tab.page.get_by_role("button", name="Acknowledge Vibration high").click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_be_hidden()
    assert ui.acknowledged() == []


def test_live_updates_do_not_take_the_focus_away(visit, ui):
    ui.control(alarms=[alarm()])
    tab = visit("/alarms")
    button = tab.page.get_by_role("button", name="Acknowledge Vibration high")
    button.focus()
    expect(button).to_be_focused()
    ui.control(alarms=[alarm(value=7.7), alarm("P-102", priority="critical", message="Bearing hot")])
    expect(tab.page.get_by_text("7.700 mm/s")).to_be_visible()
    expect(button).to_be_focused()
