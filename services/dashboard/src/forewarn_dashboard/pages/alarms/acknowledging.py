"""The acknowledge dialog."""

from datetime import UTC
from typing import Final

from dash import Dash, Input, Output, State, html, no_update, set_props
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from forewarn_dashboard.client import Acknowledgement, ApiConflictError, ApiError, ApiNotFoundError, PlantApi
from forewarn_dashboard.components import notice, priority_badge
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.dialogs import Wording, failure, register_cancel, signature, signed_dialog, written
from forewarn_dashboard.page import run_in_browser
from forewarn_dashboard.pages.alarms.viewmodel import AlarmRow, alarm_row
from forewarn_dashboard.scene import Node
from forewarn_dashboard.tab import PageState

STORES: Final = ("asked", "answer")

_WORDING: Final = Wording(
    prefix="ack",
    title="Acknowledge alarm",
    signed="It is recorded with the acknowledgement.",
    text="comment",
    hint="What you saw, or what you will do. Optional.",
    confirm="Acknowledge",
)


def dialogs() -> tuple[Component]:
    """Return the closed dialog."""
    return (signed_dialog(_WORDING),)


def register(app: Dash, dependencies: Dependencies) -> None:
    """Register the dialog's callbacks."""
    run_in_browser(app, "answer", Output("answer", "data"), Input("ack-confirm", "n_clicks"), State("asked", "data"))
    register_cancel(app, "ack")
    _register_ask(app, dependencies)
    _register_confirm(app, dependencies)


def _register_ask(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("ack-dialog", "opened"),
        Output("ack-what", "children"),
        Output("ack-error", "children"),
        Output("ack-comment", "value"),
        Input("asked", "data"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(asked: object, store: object) -> tuple[bool, Node, None, str]:
        plant = dependencies.hub.plant
        alarm = plant.alarms.get(_text(asked, "alarm"))
        if alarm is None:
            set_props("notice", {"children": notice("This alarm has closed in the meantime.")})
            raise PreventUpdate
        page = PageState.from_store(store)
        tz = UTC if page is None else page.tz
        return True, _what(alarm_row(alarm, plant, dependencies.clock.now(), tz)), None, ""


def _register_confirm(app: Dash, dependencies: Dependencies) -> None:
    @app.callback(
        Output("ack-dialog", "opened", allow_duplicate=True),
        Output("ack-error", "children", allow_duplicate=True),
        Output("notice", "children"),
        Input("answer", "data"),
        prevent_initial_call=True,
    )
    async def confirm(answer: object) -> tuple[object, ...]:
        name = signature(_text(answer, "by"))
        if not name:
            return True, f"Enter your name. {_WORDING.signed}", no_update
        asset_id, _, rule = _text(answer, "alarm").partition("/")
        request = Acknowledgement(
            asset_id=asset_id,
            rule=rule,
            occurrence_id=_text(answer, "occurrence"),
            comment=written(_text(answer, "comment")),
            by=name,
        )
        problem = await acknowledge(dependencies.api, request)
        if problem:
            return True, problem, no_update
        return False, None, notice(f"Acknowledged: {rule} of {asset_id}.")


def _text(data: object, name: str) -> str:
    """Return a text that a browser sent; empty if it is missing or not a text."""
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


async def acknowledge(api: PlantApi, request: Acknowledgement) -> str:
    """Acknowledge an alarm and return what went wrong; empty if nothing did."""
    try:
        await api.acknowledge(request)
    except ApiConflictError as exc:
        return f"{failure('acknowledged', exc)} Close this dialog and check the newest occurrence first."
    except ApiNotFoundError:
        return "Not acknowledged: this alarm has closed in the meantime."
    except ApiError as exc:
        return failure("acknowledged", exc)
    return ""


def _what(row: AlarmRow) -> Node:
    return [
        html.P([priority_badge(row.priority), html.Strong(f" {row.message}")]),
        html.P(f"{row.asset_name} ({row.asset_id}), raised {row.raised}, {row.age} ago. {row.comparison}"),
        html.P(f"Action: {row.action}", className="note"),
    ]
