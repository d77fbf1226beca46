"""Dialogs for orders, which people sign with their name."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from forewarn_dashboard.client import ApiError, ApiUnavailableError
from forewarn_dashboard.components import data, notice
from forewarn_dashboard.page import run_in_browser
from forewarn_dashboard.scene import Node

_LONGEST_NAME: Final = 200  #: as the API limits it
_LONGEST_TEXT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Texts of a dialog."""

    prefix: str  #: of its components: ``PREFIX-dialog``, ``-what``, ``-by``, ``-error``, ``-cancel``, ``-confirm``
    title: str
    signed: str  #: below the field for the name
    confirm: str  #: on the button that gives the order
    text: str = ""  #: id suffix and, capitalised, label of the text field; empty: no field
    hint: str = ""  #: below the text field


class RefusedError(Exception):
    """The order is incomplete; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a signed dialog orders for an asset."""

    opened_by: str  #: id of the button that opens the dialog
    asset_of: Callable[[object], str]  #: returns the asset that the tab shows; empty if none
    fields: Mapping[str, str]  #: further fields, without the prefix, and their initial values
    explain: Callable[[str], Awaitable[Node]]  #: describes what the order will do
    #: Sends the order for an asset, under a name, with the fields' values; returns the message on success. May raise
    #: ``RefusedError`` and ``ApiError``.
    send: Callable[..., Awaitable[str]]
    done: str  #: participle for failures: "Not DONE: …"


def signed_dialog(wording: Wording, *choices: Component) -> Component:
    """Return a closed dialog: subject, choices, name, text, and two buttons."""
    dialog: Component = dmc.Modal(
        [
            html.Div(id=f"{wording.prefix}-what", className="ack-what"),
            *choices,
            _name(wording),
            *([_text(wording)] if wording.text else []),
            html.Div(id=f"{wording.prefix}-error", role="alert", className="ack-error"),
            _buttons(wording),
        ],
        id=f"{wording.prefix}-dialog",
        title=wording.title,
        opened=False,
        centered=True,
        closeButtonProps={"aria-label": "Close"},
        transitionProps={"duration": 0},
    )
    return dialog


def _name(wording: Wording) -> Component:
    field: Component = dmc.TextInput(
        id=f"{wording.prefix}-by",
        label="Your name",
        description=wording.signed,
        required=True,
        inputProps={"maxLength": _LONGEST_NAME},
        debounce=True,
        persistence=True,
        persistence_type="local",
        **data(autofocus="true"),
    )
    return field


def _text(wording: Wording) -> Component:
    field: Component = dmc.Textarea(
        id=f"{wording.prefix}-{wording.text}",
        label=wording.text.capitalize(),
        description=wording.hint,
        inputProps={"maxLength": _LONGEST_TEXT},
        autosize=True,
        debounce=True,
        minRows=2,
        mt="sm",
    )
    return field


def _buttons(wording: Wording) -> html.Div:
    return html.Div(
        [
            html.Button("Cancel", id=f"{wording.prefix}-cancel", className="button", n_clicks=0),
            html.Button(wording.confirm, id=f"{wording.prefix}-confirm", className="button button-main", n_clicks=0),
        ],
        className="ack-buttons",
    )


def register_cancel(app: Dash, prefix: str) -> None:
    """Register the cancel button."""
    opened = Output(f"{prefix}-dialog", "opened", allow_duplicate=True)
    run_in_browser(app, "close", opened, Input(f"{prefix}-cancel", "n_clicks"))


def register_order(app: Dash, wording: Wording, order: Order) -> None:
    """Register the callbacks of a dialog with an order for the asset on the page."""
    prefix, fields = wording.prefix, [f"{wording.prefix}-{name}" for name in order.fields]
    register_cancel(app, prefix)

    @app.callback(
        Output(f"{prefix}-dialog", "opened"),
        Output(f"{prefix}-what", "children"),
        Output(f"{prefix}-error", "children"),
        *(Output(field, "value") for field in fields),
        Input(order.opened_by, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(clicks: int | None, store: object) -> tuple[object, ...]:
        asset_id = order.asset_of(store)
        if not clicks or not asset_id:  # a redrawn page has a new button, not pressed yet
            raise PreventUpdate
        return True, await order.explain(asset_id), None, *order.fields.values()

    @app.callback(
        Output(f"{prefix}-dialog", "opened", allow_duplicate=True),
        Output(f"{prefix}-error", "children", allow_duplicate=True),
        Output("notice", "children", allow_duplicate=True),
        Input(f"{prefix}-confirm", "n_clicks"),
        State(f"{prefix}-by", "value"),
        *(State(field, "value") for field in fields),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def confirm(clicks: int | None, by: object, *values: object) -> tuple[object, ...]:
        asset_id = order.asset_of(values[-1])
        if not clicks or not asset_id:
            raise PreventUpdate
        name = signature(by)
        if not name:
            return True, f"Enter your name. {wording.signed}", no_update
        try:
            return False, None, notice(await order.send(asset_id, name, *(written(value) for value in values[:-1])))
        except RefusedError as exc:
            return True, str(exc), no_update
        except ApiError as exc:
            return True, failure(order.done, exc), no_update


def signature(name: object) -> str:
    """Return a name within the API's limits; empty if the browser sent none."""
    return written(name)[:_LONGEST_NAME]


def written(text: object) -> str:
    """Return a text field's content, cut to the API's limit."""
    return text.strip()[:_LONGEST_TEXT] if isinstance(text, str) else ""


def failure(done: str, error: ApiError) -> str:
    """Say why an order failed, and whether to try again."""
    return f"Not {done}: {error}" + (" Try again." if isinstance(error, ApiUnavailableError) else "")
