"""Dialogs in which somebody orders something under their name."""

from dataclasses import dataclass
from typing import Final

import dash_mantine_components as dmc
from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from forewarn_dashboard.client import ApiError, ApiUnavailableError
from forewarn_dashboard.components import data
from forewarn_dashboard.page import run_in_browser

_LONGEST_NAME: Final = 200  #: what the API takes
_LONGEST_TEXT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a dialog says.

    Attributes
    ----------
    prefix
        Its components are ``PREFIX-dialog``, ``-what``, ``-by``, ``-error``, ``-cancel`` and ``-confirm``.
    text
        The text field is ``PREFIX-TEXT``; its label is the word with a capital letter. Empty: there is none.
    signed, hint
        Below the fields of name and text.
    confirm
        On the button that gives the order.
    """

    prefix: str
    title: str
    signed: str
    confirm: str
    text: str = ""
    hint: str = ""


def signed_dialog(wording: Wording, *choices: Component) -> Component:
    """Return a closed dialog: what it is about, choices, name, text, and two buttons."""
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
    """Let the cancel button close the dialog."""
    opened = Output(f"{prefix}-dialog", "opened", allow_duplicate=True)
    run_in_browser(app, "close", opened, Input(f"{prefix}-cancel", "n_clicks"))


def signature(name: object) -> str:
    """Return a name as the API takes it; empty if the browser sent none."""
    return name.strip()[:_LONGEST_NAME] if isinstance(name, str) else ""


def remark(text: object) -> str:
    """Return a comment or reason as the API takes it."""
    return text.strip()[:_LONGEST_TEXT] if isinstance(text, str) else ""


def failure(what: str, error: ApiError) -> str:
    """Say why an order was not carried out, and whether it helps to try again."""
    return f"Not {what}: {error}" + (" Try again." if isinstance(error, ApiUnavailableError) else "")
