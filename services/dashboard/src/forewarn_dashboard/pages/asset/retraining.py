"""The dialog that retrains an asset's twin."""

from typing import Final

from dash import Dash, html
from dash.development.base_component import Component

from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.dialogs import Order, Wording, register_order, signed_dialog
from forewarn_dashboard.pages.asset.address import asset_of
from forewarn_dashboard.scene import Node

OPEN_ID: Final = "relearn-open"

_WORDING: Final = Wording(
    prefix="relearn",
    title="Retrain the twin",
    signed="It is recorded with the new model.",
    text="reason",
    hint="What was done to the machine. Optional.",
    confirm="Retrain",
)


def dialog() -> Component:
    """Return the closed dialog."""
    return signed_dialog(_WORDING)


def register(app: Dash, dependencies: Dependencies) -> None:
    """Register the dialog's callbacks."""

    async def explain(asset_id: str) -> Node:
        detail = await dependencies.details.get(asset_id)
        needed = detail.asset_class.twin.baseline_readings
        name = f"{detail.asset.name} ({asset_id})"
        return [
            html.P(f"The twin of {name} is discarded; the next {needed} readings define what is normal."),
            html.P("Nothing is judged until then. Retrain a healthy machine, after maintenance.", className="note"),
        ]

    async def send(asset_id: str, name: str, reason: str) -> str:
        await dependencies.api.retrain(asset_id, by=name, reason=reason)
        return f"The twin of {asset_id} is being retrained."

    order = Order(
        opened_by=OPEN_ID, asset_of=asset_of, fields={"reason": ""}, explain=explain, send=send, done="ordered"
    )
    register_order(app, _WORDING, order)
