"""The what-if dialog: sliders for the drivers, and the twin's predictions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from forewarn.contracts.answers.twin import DriverItem, PresetItem, TwinAnswer
from forewarn.contracts.questions import WhatIfAnswer
from forewarn.domain.physics.unit_symbols import unit_symbol
from forewarn_dashboard.client import ApiError
from forewarn_dashboard.components import aria, bullets, notice, table, value_row
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.formatting import life_days, quantity, whole
from forewarn_dashboard.pages.asset.address import asset_of
from forewarn_dashboard.scene import Node, Single
from forewarn_dashboard.viewmodels import class_title

OPEN_ID: Final = "whatif-open"
STORE: Final = "whatif-now"
SLIDER: Final = "whatif-driver"
PRESET: Final = "whatif-preset"

#: A slider extends this share of the learned range beyond it, so that people see where the model's knowledge ends.
_BEYOND: Final = 0.5
_STEPS: Final = 200
_MOST_DRIVERS: Final = 64


def dialog() -> Component:
    """Return the closed dialog."""
    closed: Component = dmc.Modal(
        [
            html.Div(id="whatif-drivers"),
            html.Div(id="whatif-result", role="status", className="whatif-result"),
        ],
        id="whatif-dialog",
        title="What if the machine were operated differently?",
        opened=False,
        size="xl",
        closeButtonProps={"aria-label": "Close"},
        transitionProps={"duration": 0},
    )
    return closed


def register(app: Dash, dependencies: Dependencies) -> None:
    """Register the dialog's callbacks."""
    _register_asking(app, dependencies)
    _register_answers(app, dependencies)


def _register_asking(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("whatif-dialog", "opened"),
        Output("whatif-drivers", "children"),
        Output("whatif-result", "children"),
        Output("whatif-now", "data"),
        Output("notice", "children", allow_duplicate=True),
        Input(OPEN_ID, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def open_dialog(clicks: int | None, store: object) -> tuple[object, ...]:
        asset_id = asset_of(store)
        if not clicks or not asset_id:  # a redrawn page has a new button, not pressed yet
            raise PreventUpdate
        try:
            twin = await dependencies.api.twin(asset_id)
        except ApiError as exc:
            return no_update, no_update, no_update, no_update, notice(str(exc), error=True)
        hint = "Move a slider or choose a question." if twin.provenance else None
        return True, sliders(twin), hint, _kept(asset_id, twin), no_update

    @app.callback(
        Output({"type": SLIDER, "column": ALL}, "value"),
        Input({"type": PRESET, "name": ALL}, "n_clicks"),
        State({"type": SLIDER, "column": ALL}, "id"),
        State("whatif-now", "data"),
        prevent_initial_call=True,
    )
    async def choose(clicks: list[int | None], ids: list[dict[str, str]], kept: object) -> list[float]:
        name = ctx.triggered_id.get("name") if isinstance(ctx.triggered_id, dict) else None
        if not any(clicks) or not isinstance(kept, dict):
            raise PreventUpdate
        asked = kept.get("presets", {}).get(name)
        if not isinstance(asked, dict):
            raise PreventUpdate
        return [asked.get(item["column"], kept["now"][item["column"]]) for item in ids]


def _register_answers(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("whatif-result", "children", allow_duplicate=True),
        Input({"type": SLIDER, "column": ALL}, "value"),
        State({"type": SLIDER, "column": ALL}, "id"),
        State("whatif-now", "data"),
        prevent_initial_call=True,
    )
    async def answer(values: list[float | None], ids: list[dict[str, str]], kept: object) -> Node:
        if not isinstance(kept, dict):
            raise PreventUpdate
        changes = changed(kept, dict(zip((item["column"] for item in ids), values, strict=True)))
        if not changes:
            raise PreventUpdate
        asset_id = str(kept.get("asset_id", ""))
        try:
            detail = await dependencies.details.get(asset_id)
            said = await dependencies.api.what_if(asset_id, changes)
        except ApiError as exc:
            return notice(str(exc), error=True)
        return result(said, detail.asset_class.titles)


def sliders(twin: TwinAnswer) -> Node:
    """Draw presets, and a slider for each driver with a known value and range."""
    usable = [driver for driver in twin.drivers if driver.now is not None and driver.learned is not None]
    if not usable:
        return html.P("Not available yet: the twin is still learning.", className="note")
    buttons = [
        html.Button(preset.title, id={"type": PRESET, "name": preset.name}, className="button", n_clicks=0)
        for preset in twin.presets
    ]
    return [html.Div(buttons, className="whatif-presets"), *(_slider(driver, twin.presets) for driver in usable)]


def _slider(driver: DriverItem, presets: Sequence[PresetItem]) -> html.Div:
    low, high, now = span_of(driver, presets)
    label = f"{driver.title}, {unit_symbol(driver.unit)}".removesuffix(", ")
    learned = driver.learned
    marks = [] if learned is None else [{"value": learned.low}, {"value": learned.high}]
    return html.Div(
        [
            html.Div(
                [
                    html.Span(driver.title),
                    html.Span(
                        f"now {quantity(now, driver.unit, 3)}"
                        + ("" if learned is None else f", learned {learned.low:.4g} to {learned.high:.4g}"),
                        className="note",
                    ),
                ],
                className="whatif-label",
            ),
            dmc.Slider(
                id={"type": SLIDER, "column": driver.column},
                min=low,
                max=high,
                step=(high - low) / _STEPS,
                precision=4,
                value=now,
                marks=marks,
                thumbLabel=label,
                updatemode="mouseup",
                color="gray",
                size="sm",
            ),
        ],
        className="whatif-driver",
    )


def span_of(driver: DriverItem, presets: Sequence[PresetItem]) -> tuple[float, float, float]:
    """Return lowest, highest and current value of a slider.

    Raises ``ValueError`` if the driver's value or range is unknown.
    """
    if driver.now is None or driver.learned is None:
        raise ValueError(f"{driver.column} has no slider: its value or range is unknown")
    learned, now = driver.learned, driver.now
    width = (learned.high - learned.low) or abs(learned.middle) or 1.0
    asked = [change.of(now) for preset in presets for change in preset.changes if change.column == driver.column]
    low = min(learned.low - _BEYOND * width, now, *asked)
    high = max(learned.high + _BEYOND * width, now, *asked)
    return low, high, now


def result(said: WhatIfAnswer, titles: Mapping[str, str]) -> Node:
    """Draw a prediction."""
    whose = "other machines of its class" if said.provenance == "fleet" else "its own model"
    return [
        html.P([html.Strong(f"Confidence {said.confidence}"), f", by {whose}."]),
        bullets(_caution(item.column, item.message, titles) for item in said.cautions),
        _effects(said),
        table(
            "Expected values after the change",
            ("Signal", "Now", "Expected", "90 % interval", "This machine"),
            [
                value_row(
                    titles.get(name, name),
                    quantity(item.measured, item.unit),
                    quantity(item.expected, item.unit),
                    _interval(item.low, item.high),
                    quantity(item.projected, item.unit),
                )
                for name, item in said.responses.items()
            ],
        ),
        table(
            "Recomputed by physics",
            ("Quantity", "Now", "After the change"),
            [
                value_row(titles.get(name, name), quantity(item.now, item.unit), quantity(item.projected, item.unit))
                for name, item in said.derived.items()
            ],
        )
        if said.derived
        else None,
    ]


def _effects(said: WhatIfAnswer) -> Single:
    parts = []
    if said.health is not None and said.health.now is not None:
        parts.append(html.Li(f"Health by the class's metrics: {whole(said.health.now)} → {whole(said.health.then)}"))
    for life in said.remaining_life:
        then = "not known" if life.then is None else life_days(life.then.p50_days)
        parts.append(html.Li(f"{class_title(life.failure_mode)}: {life_days(life.now.p50_days)} → {then}"))
    return html.Ul(parts, className="whatif-effects", **aria(label="Effects")) if parts else None


def _caution(column: str, message: str, titles: Mapping[str, str]) -> str:
    return f"{titles.get(column, column)}: {message}" if column else message


def _interval(low: float | None, high: float | None) -> str:
    return "not known" if low is None or high is None else f"{low:.4g} to {high:.4g}"


def _kept(asset_id: str, twin: TwinAnswer) -> dict[str, Any]:
    """Return what the open dialog remembers: drivers as they are, and as presets set them."""
    now = {driver.column: driver.now for driver in twin.drivers if driver.now is not None}
    presets = {
        preset.name: {change.column: change.of(now[change.column]) for change in preset.changes if change.column in now}
        for preset in twin.presets
    }
    return {"asset_id": asset_id, "now": now, "presets": presets}


def changed(kept: dict[str, Any], values: dict[str, float | None]) -> dict[str, float]:
    """Return the moved sliders; input from a browser is not trusted."""
    now = kept.get("now")
    if not isinstance(now, dict):
        return {}
    moved = {
        column: float(value)
        for column, value in list(values.items())[:_MOST_DRIVERS]
        if isinstance(value, int | float) and isinstance(now.get(column), int | float)
    }
    return {column: value for column, value in moved.items() if abs(value - now[column]) > _tolerance(now[column])}


def _tolerance(value: float) -> float:
    """Return how far an unmoved slider may be off, as it rounds."""
    return 1e-4 + 1e-6 * abs(value)
