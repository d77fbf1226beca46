"""The dialog that removes an asset; deleting its history requires entering its id."""

from contextlib import suppress
from typing import Final

import dash_mantine_components as dmc
from dash import Dash, html, set_props
from dash.development.base_component import Component

from forewarn_dashboard.client import ApiNotFoundError
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.dialogs import Order, RefusedError, Wording, register_order, signed_dialog
from forewarn_dashboard.pages.asset.address import asset_of
from forewarn_dashboard.scene import Node

OPEN_ID: Final = "remove-open"
KEEP: Final = "keep"
PURGE: Final = "purge"

_WORDING: Final = Wording(
    prefix="remove",
    title="Remove asset",
    signed="It is recorded with the removal.",
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
                description="All stored data of this asset is deleted permanently.",
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


def register(app: Dash, dependencies: Dependencies) -> None:
    """Register the dialog's callbacks."""

    async def explain(asset_id: str) -> Node:
        name = (await dependencies.details.get(asset_id)).asset.name
        effect = " will no longer be monitored: readings are refused, open alarms closed."
        return [
            html.P([html.Strong(f"{name} ({asset_id})"), effect]),
            html.P("Registered again under the same id, it is a new asset: its twin learns from scratch."),
        ]

    async def send(asset_id: str, name: str, history: str, typed: str) -> str:
        if history == PURGE and typed != asset_id:
            raise RefusedError(f"Enter {asset_id} to delete its history, or choose to keep it.")
        with suppress(ApiNotFoundError):  # somebody else was faster
            await dependencies.api.remove(asset_id, by=name, purge=history == PURGE)
        dependencies.hub.forget(asset_id)
        dependencies.details.forget(asset_id)
        set_props("url", {"pathname": "/", "search": ""})
        return f"Asset {asset_id} removed."

    fields = {"history": KEEP, "typed": ""}
    order = Order(opened_by=OPEN_ID, asset_of=asset_of, fields=fields, explain=explain, send=send, done="removed")
    register_order(app, _WORDING, order)
