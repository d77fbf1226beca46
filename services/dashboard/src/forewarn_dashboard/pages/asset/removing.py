"""The dialog that removes an asset: says what is kept, and wants the id typed before history is deleted."""

from typing import Final

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from forewarn_dashboard.client import ApiError, NotFoundError
from forewarn_dashboard.components import notice
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.dialogs import Wording, failure, register_cancel, signature, signed_dialog
from forewarn_dashboard.pages.asset.address import asset_of
from forewarn_dashboard.scene import Node

OPEN_ID: Final = "remove-open"
KEEP: Final = "keep"
PURGE: Final = "purge"

_WORDING: Final = Wording(
    prefix="remove",
    title="Remove asset",
    signed="Recorded with the removal.",
    confirm="Remove asset",
)


def dialog() -> Component:
    """Return the closed dialog."""
    choices = dmc.RadioGroup(
        [
            dmc.Radio(
                value=KEEP,
                label="Keep the history",
                description="Readings, scores, health and alarms stay stored and can be queried through the API.",
                mt="xs",
            ),
            dmc.Radio(
                value=PURGE,
                label="Delete the history",
                description="Everything stored of this asset is deleted for good.",
                mt="xs",
            ),
        ],
        id="remove-history",
        label="Stored data",
        value=KEEP,
    )
    typed = dmc.TextInput(
        id="remove-typed",
        label="Asset id",
        description="To delete the history, enter the id of the asset.",
        debounce=True,
        inputProps={"maxLength": 128},
        mt="sm",
    )
    return signed_dialog(_WORDING, choices, typed)


def _what(name: str) -> Node:
    return [
        html.P([html.Strong(name), " will no longer be monitored: readings are refused, open alarms closed."]),
        html.P("Registered again under the same id, it is a new asset: its twin learns from scratch."),
    ]


def register(app: Dash, dependencies: Dependencies) -> None:
    """Register the dialog's callbacks."""
    register_cancel(app, "remove")
    _register_asking(app, dependencies)
    _register_confirming(app, dependencies)


def _register_asking(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("remove-dialog", "opened"),
        Output("remove-what", "children"),
        Output("remove-error", "children"),
        Output("remove-history", "value"),
        Output("remove-typed", "value"),
        Input(OPEN_ID, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(clicks: int | None, store: object) -> tuple[object, ...]:
        asset_id = asset_of(store)
        if not clicks or not asset_id:  # a page that is redrawn brings a button that was not pressed
            raise PreventUpdate
        detail = await dependencies.details.get(asset_id)
        return True, _what(f"{detail.asset.name} ({asset_id})"), None, KEEP, ""


def _register_confirming(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("remove-dialog", "opened", allow_duplicate=True),
        Output("remove-error", "children", allow_duplicate=True),
        Output("notice", "children", allow_duplicate=True),
        Input("remove-confirm", "n_clicks"),
        State("remove-by", "value"),
        State("remove-history", "value"),
        State("remove-typed", "value"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def confirm(
        clicks: int | None, by: object, history: object, typed: object, store: object
    ) -> tuple[object, ...]:
        asset_id = asset_of(store)
        if not clicks or not asset_id:
            raise PreventUpdate
        name = signature(by)
        problem = refusal(asset_id, name, history, typed) or await remove(
            asset_id, name, history == PURGE, dependencies
        )
        if problem:
            return True, problem, no_update
        set_props("url", {"pathname": "/", "search": ""})
        return False, None, notice(f"Asset {asset_id} removed.")


def refusal(asset_id: str, by: str, history: object, typed: object) -> str:
    """Return why the dialog cannot be confirmed as it stands; empty if it can."""
    if not by:
        return "Enter your name: the removal is recorded under it."
    if history == PURGE and (typed.strip() if isinstance(typed, str) else "") != asset_id:
        return f"Enter {asset_id} to delete its history, or choose to keep it."
    return ""


async def remove(asset_id: str, by: str, purge: bool, dependencies: Dependencies) -> str:  # noqa: FBT001  # the user's choice
    """Remove; returns what went wrong, empty if nothing did."""
    try:
        await dependencies.api.remove(asset_id, by=by, purge=purge)
    except NotFoundError:
        pass  # somebody was faster
    except ApiError as exc:
        return failure("removed", exc)
    dependencies.hub.forget(asset_id)
    dependencies.details.forget(asset_id)
    return ""
