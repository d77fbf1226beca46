"""The dialog that retrains an asset's twin."""

from typing import Final

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from forewarn_dashboard.client import ApiError
from forewarn_dashboard.components import notice
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.dialogs import Wording, failure, register_cancel, remark, signature, signed_dialog
from forewarn_dashboard.pages.asset.address import asset_of
from forewarn_dashboard.scene import Node

OPEN_ID: Final = "relearn-open"

_WORDING: Final = Wording(
    prefix="relearn",
    title="Retrain the twin",
    signed="Recorded with the new model.",
    text="reason",
    hint="What was done to the machine. Optional.",
    confirm="Retrain",
)


def dialog() -> Component:
    """Return the closed dialog."""
    return signed_dialog(_WORDING)


def register(app: Dash, dependencies: Dependencies) -> None:
    """Register the dialog's callbacks."""
    register_cancel(app, "relearn")
    _register_asking(app, dependencies)
    _register_confirming(app, dependencies)


def _register_asking(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("relearn-dialog", "opened"),
        Output("relearn-what", "children"),
        Output("relearn-error", "children"),
        Output("relearn-reason", "value"),
        Input(OPEN_ID, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(clicks: int | None, store: object) -> tuple[bool, Node, None, str]:
        asset_id = asset_of(store)
        if not clicks or not asset_id:
            raise PreventUpdate
        detail = await dependencies.details.get(asset_id)
        needed = detail.asset_class.twin.baseline_readings
        return True, _what(f"{detail.asset.name} ({asset_id})", needed), None, ""


def _register_confirming(app: Dash, dependencies: Dependencies) -> None:
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
    async def confirm(clicks: int | None, by: object, reason: object, store: object) -> tuple[object, ...]:
        asset_id = asset_of(store)
        if not clicks or not asset_id:
            raise PreventUpdate
        name = signature(by)
        if not name:
            return True, "Enter your name: the new model is recorded under it.", no_update
        try:
            await dependencies.api.retrain(asset_id, by=name, reason=remark(reason))
        except ApiError as exc:
            return True, failure("ordered", exc), no_update
        return False, None, notice(f"The twin of {asset_id} is being retrained.")


def _what(name: str, needed: int) -> Node:
    return [
        html.P(f"The twin of {name} is discarded; the next {needed} readings define what is normal."),
        html.P(
            "Nothing is judged until then. Retrain after maintenance, while the machine is healthy.", className="note"
        ),
    ]
