"""The dialog that removes an asset: says what is kept, and wants the id typed before history is deleted."""

from typing import Final

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from forewarn_dashboard.scene import Node
from forewarn_dashboard.signing import Wording, signed_dialog

KEEP: Final = "keep"
PURGE: Final = "purge"

_WORDING: Final = Wording(
    prefix="remove",
    title="Remove asset",
    signed="Recorded with the removal.",
    confirm="Remove asset",
)


def dialog() -> Component:
    """The closed dialog."""
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
                description="Everything that is stored of this asset is deleted for good.",
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


def what(name: str) -> Node:
    """What a removal does, before it is confirmed."""
    return [
        html.P([html.Strong(name), " will no longer be monitored: readings are refused, open alarms closed."]),
        html.P("Registered again under the same id, it is a new asset: its twin learns from the beginning."),
    ]
