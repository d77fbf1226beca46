"""The twin's panel and dialogs as pure parts, and their callbacks' way to the API."""

import json
import random
from datetime import timedelta

import httpx
import pytest
from dash.development.base_component import Component

from forewarn.contracts.answers.twin import DriverItem, PresetItem, TwinAnswer
from forewarn.contracts.health import ModelArtefact, SuspiciousStretch
from forewarn.contracts.questions import WhatIfAnswer
from forewarn_dashboard.app import build
from forewarn_dashboard.client import ApiUnavailableError, HistoryColumns
from forewarn_dashboard.details import AssetProfile, Details
from forewarn_dashboard.pages.asset import whatif
from forewarn_dashboard.pages.asset.twin_panel import twin_panel
from forewarn_dashboard.pages.asset.whatif import changed
from forewarn_dashboard.tab import PageState
from support.memory_api import MemoryApi

FLOW = {
    "column": "flow_m3_h",
    "title": "Volume flow",
    "unit": "m3/h",
    "now": 100.0,
    "learned": {"low": 80.0, "middle": 100.0, "high": 120.0},
}
LOAD = {"name": "high_load", "title": "Load 150 %", "changes": [{"column": "flow_m3_h", "factor": 1.5}]}
TWIN = TwinAnswer.model_validate(
    {"asset_id": "P-101", "provenance": "own", "model": None, "fleet": None, "drivers": [FLOW], "presets": [LOAD]}
)
ANSWER = WhatIfAnswer.model_validate(
    {
        "asset_id": "P-101",
        "provenance": "fleet",
        "confidence": "low",
        "reach": "extrapolated",
        "model_version": None,
        "reading_at": None,
        "drivers": {"flow_m3_h": 150.0},
        "responses": {
            "power_kw": {
                "unit": "kW",
                "measured": 40.0,
                "expected_now": 41.0,
                "expected": 55.0,
                "low": None,
                "high": None,
                "projected": 56.0,
            }
        },
        "derived": {"head_m": {"unit": "m", "now": 40.0, "projected": 31.0, "healthy": 33.0}},
        "health": {"now": 90.0, "then": 70.0, "metrics_now": [], "metrics_then": []},
        "remaining_life": [],
        "cautions": [{"column": "flow_m3_h", "message": "outside", "outside_by": 0.75}],
    }
)


def text(node) -> str:
    """All words of a piece of a page."""
    if isinstance(node, Component):
        return text(getattr(node, "children", None))
    if isinstance(node, list | tuple):
        return " ".join(text(child) for child in node)
    return "" if node is None else str(node)


@pytest.fixture
def model(now):
    return ModelArtefact(
        asset_id="P-101",
        kind="twin",
        version=3,
        method="ridge2",
        trained_from=now - timedelta(days=1),
        trained_to=now,
        rows=600,
        r2={"power_kw": 0.987},
        unjudged={"vibration_mm_s": "flat: it did not move while the twin learned"},
        requested_by="anna",
        reason="new impeller",
        suspicious=(
            SuspiciousStretch(
                tag="power_kw", start=now - timedelta(hours=2), end=now - timedelta(hours=1), rows=40, explanation="odd"
            ),
        ),
        suspicious_share=0.07,
    )


def test_the_panel_tells_quality_reasons_suspicions_and_who_asked(pump, pump_class, model, now):
    detail = AssetProfile(asset=pump, asset_class=pump_class, model=model)
    words = text(twin_panel(detail, pump_class.titles, now.tzinfo))
    for said in (
        "3, ridge2",
        "600 readings",
        "anna: new impeller",
        "Electrical power",
        "0.987",
        "flat: it did not",
        "7 %",
    ):
        assert said in words


def test_without_a_model_the_panel_says_that_it_learns(pump, pump_class, now):
    words = text(twin_panel(AssetProfile(asset=pump, asset_class=pump_class), pump_class.titles, now.tzinfo))
    assert "No model of its own yet" in words


def test_a_slider_reaches_what_named_questions_ask():
    driver, preset = DriverItem.model_validate(FLOW), PresetItem.model_validate(LOAD)
    assert whatif.span_of(driver, ()) == (60.0, 140.0, 100.0)
    assert whatif.span_of(driver, (preset,)) == (60.0, 150.0, 100.0)


def test_an_answer_tells_confidence_cautions_effects_and_values(pump_class):
    words = text(whatif.result(ANSWER, pump_class.titles))
    for said in ("Confidence low", "other machines", "Volume flow: outside", "90 → 70", "not known", "56.00", "31.00"):
        assert said in words


def test_a_twin_nobody_can_ask_has_no_sliders():
    nobody = TWIN.model_copy(update={"drivers": (DriverItem.model_validate({**FLOW, "now": None}),)})
    assert "still learning" in text(whatif.sliders(nobody))


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ({"flow_m3_h": 100.00001}, {}),
        ({"flow_m3_h": 120}, {"flow_m3_h": 120.0}),
        ({"flow_m3_h": None}, {}),
        ({"flow_m3_h": "80"}, {}),
        ({"unheard_of": 3.0}, {}),
    ],
)
def test_only_sliders_that_were_moved_are_asked_about(values, moved):
    assert changed({"now": {"flow_m3_h": 100.0}}, values) == moved
    assert changed({"now": "nonsense"}, values) == {}


@pytest.fixture
def api(pump, pump_class):
    made = MemoryApi([pump], {pump_class.name: pump_class})
    made.twins["P-101"], made.answer = TWIN, ANSWER
    return made


def calling(dashboard, view):
    """Call callbacks of the running application as a browser that shows ``view`` does."""

    async def make(output, inputs, states=()):
        multiple = output.startswith("..")
        names = output.strip(".").split("...") if multiple else [output]
        parts = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
        body = {
            "output": output,
            "outputs": parts if multiple else parts[0],
            "inputs": [{"id": i, "property": p, "value": v} for i, p, v in inputs],
            "changedPropIds": [f"{inputs[0][0]}.{inputs[0][1]}"],
            "state": [{"id": i, "property": p, "value": view if i == "view" else v} for i, p, v in states],
        }
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(dashboard.asgi), base_url="http://localhost:8050"
        ) as http:
            return await http.post(
                "/_dash-update-component", content=json.dumps(body), headers={"Content-Type": "application/json"}
            )

    return make


@pytest.fixture
async def call(api, clock):
    dashboard = await build(api, clock, random.Random(1), frozenset({"localhost"}))
    make = calling(dashboard, PageState(path="/asset/P-101").to_store())
    make.outputs = list(dashboard.dash.callback_map)
    return make


def confirm_output(call):
    return next(name for name in call.outputs if "relearn-dialog.opened@" in name and "notice" in name)


CONFIRM = (("relearn-confirm", "n_clicks", 1),)


def said_by(by, reason="new impeller"):
    return (("relearn-by", "value", by), ("relearn-reason", "value", reason), ("view", "data", None))


async def test_an_order_goes_out_under_a_name(call, api):
    answer = await call(confirm_output(call), CONFIRM, said_by(" anna "))
    assert answer.status_code == 200
    assert api.ordered == [("P-101", "anna", "new impeller")]
    assert "is being retrained" in answer.text


async def test_without_a_name_no_order_goes_out(call, api):
    answer = await call(confirm_output(call), CONFIRM, said_by("  "))
    assert "Enter your name" in answer.text
    assert api.ordered == []


async def test_an_order_that_fails_keeps_the_dialog_open_and_says_why(call, api):
    api.failure = ApiUnavailableError("The API does not answer.")
    answer = await call(confirm_output(call), CONFIRM, said_by("anna"))
    assert "Not ordered: The API does not answer. Try again." in answer.text


@pytest.mark.parametrize(("expected", "learned"), [((None, None, None), 3), ((38.0, None, None), None)])
async def test_how_far_learning_is_is_only_told_of_a_first_model(api, clock, monkeypatch, expected, learned):
    async def history(asset_id, query):
        times = tuple(query.end - timedelta(seconds=s) for s in (3, 2, 1))
        return HistoryColumns(times=times, columns={f"expected_{query.columns[0]}": expected}, resolution="raw")

    monkeypatch.setattr(api, "history", history)
    assert (await Details(api, clock).get("P-101")).learned == learned
