"""Callbacks of the dialogs about an asset's twin: asking what if, ordering to learn anew."""

from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from forewarn.contracts.answers.twin import TwinAnswer
from forewarn_dashboard import layout
from forewarn_dashboard.client import ApiError, ApiUnavailableError
from forewarn_dashboard.dependencies import Parts
from forewarn_dashboard.pages.asset import twin_dialogs
from forewarn_dashboard.pages.asset.twin_dialogs import PRESET, SLIDER
from forewarn_dashboard.pages.asset.twin_panel import ASK_ID, RELEARN_ID
from forewarn_dashboard.pagestate import PageState
from forewarn_dashboard.scene import Node
from forewarn_dashboard.urls import parse

_MOST_DRIVERS: Final = 64


def register(app: Dash, parts: Parts) -> None:
    """Register the dialogs' callbacks."""
    _register_asking(app, parts)
    _register_answers(app, parts)
    _register_relearning(app, parts)
    _register_confirming(app, parts)
    close = ClientsideFunction("forewarn", "close")
    app.clientside_callback(  # type: ignore[no-untyped-call]  # of Dash
        close,
        Output("relearn-dialog", "opened", allow_duplicate=True),
        Input("relearn-cancel", "n_clicks"),
        prevent_initial_call=True,
    )


def _register_asking(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("whatif-dialog", "opened"),
        Output("whatif-drivers", "children"),
        Output("whatif-result", "children"),
        Output("whatif-now", "data"),
        Output("notice", "children", allow_duplicate=True),
        Input(ASK_ID, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def open_dialog(clicks: int | None, page: object) -> tuple[object, ...]:
        asset_id = _asset(page)
        if not clicks or not asset_id:  # a page that is drawn anew brings a button nobody has pressed
            raise PreventUpdate
        try:
            twin = await parts.api.twin(asset_id)
        except ApiError as exc:
            return no_update, no_update, no_update, no_update, layout.notice(str(exc), error=True)
        hint = "Move a slider or choose a question." if twin.provenance else None
        return True, twin_dialogs.sliders(twin), hint, _kept(asset_id, twin), no_update

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


def _register_answers(app: Dash, parts: Parts) -> None:
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
            detail = await parts.details.get(asset_id)
            said = await parts.api.what_if(asset_id, changes)
        except ApiError as exc:
            return layout.notice(str(exc), error=True)
        return twin_dialogs.result(said, detail.asset_class.titles)


def _register_relearning(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("relearn-dialog", "opened"),
        Output("relearn-what", "children"),
        Output("relearn-error", "children"),
        Output("relearn-reason", "value"),
        Input(RELEARN_ID, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(clicks: int | None, page: object) -> tuple[bool, Node, None, str]:
        asset_id = _asset(page)
        if not clicks or not asset_id:
            raise PreventUpdate
        detail = await parts.details.get(asset_id)
        needed = detail.asset_class.twin.baseline_readings
        return True, twin_dialogs.relearn_text(f"{detail.asset.name} ({asset_id})", needed), None, ""


def _register_confirming(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("relearn-dialog", "opened", allow_duplicate=True),
        Output("relearn-error", "children", allow_duplicate=True),
        Output("notice", "children", allow_duplicate=True),
        Input("relearn-confirm", "n_clicks"),
        State("relearn-by", "value"),
        State("relearn-reason", "value"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def confirm(clicks: int | None, by: object, reason: object, page: object) -> tuple[object, ...]:
        asset_id = _asset(page)
        if not clicks or not asset_id:
            raise PreventUpdate
        name = by.strip()[:200] if isinstance(by, str) else ""
        if not name:
            return True, "Enter your name: the new model is recorded under it.", no_update
        why = reason.strip()[:1000] if isinstance(reason, str) else ""
        try:
            await parts.api.learn_anew(asset_id, by=name, reason=why)
        except ApiUnavailableError as exc:
            return True, f"Not ordered: {exc} Try again.", no_update
        except ApiError as exc:
            return True, f"Not ordered: {exc}", no_update
        return False, None, layout.notice(f"The twin of {asset_id} learns anew.")


def _asset(page: object) -> str:
    """Asset of the page that is shown; empty on any other page."""
    state = PageState.from_store(page)
    return "" if state is None else parse(state.path, state.search).asset_id


def _kept(asset_id: str, twin: TwinAnswer) -> dict[str, Any]:
    """What the tab remembers while the dialog is open: where drivers stand, where named questions put them."""
    now = {driver.column: driver.now for driver in twin.drivers if driver.now is not None}
    presets = {
        preset.name: {change.column: change.of(now[change.column]) for change in preset.changes if change.column in now}
        for preset in twin.presets
    }
    return {"asset_id": asset_id, "now": now, "presets": presets}


def changed(kept: dict[str, Any], values: dict[str, float | None]) -> dict[str, float]:
    """Sliders that were moved; what comes from a browser is not trusted."""
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
    """A slider rounds to its precision."""
    return 1e-4 + 1e-6 * abs(value)
