"""The acknowledge dialog: asks, sends the occurrence that was seen, says what became of it."""

from datetime import UTC

from dash import Dash, Input, Output, State, no_update, set_props
from dash.exceptions import PreventUpdate

from forewarn.contracts.alarms import Alarm
from forewarn_dashboard import layout
from forewarn_dashboard.client import (
    Acknowledgement,
    ApiError,
    ApiUnavailableError,
    ConflictError,
    NotFoundError,
    PlantApi,
)
from forewarn_dashboard.dependencies import Parts
from forewarn_dashboard.formatting import zone
from forewarn_dashboard.pages.alarms import page as alarms
from forewarn_dashboard.pagestate import PageState
from forewarn_dashboard.scene import Node
from forewarn_dashboard.urls import parse
from forewarn_dashboard.viewmodels import alarm_row


def register(app: Dash, parts: Parts) -> None:
    """Register the dialog's callbacks."""
    _register_ask(app, parts)
    _register_confirm(app, parts)


def _register_ask(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("ack-dialog", "opened"),
        Output("ack-what", "children"),
        Output("ack-error", "children"),
        Output("ack-comment", "value"),
        Input("asked", "data"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(asked: object, page: object) -> tuple[bool, Node, None, str]:
        alarm = parts.hub.plant.alarms.get(_text(asked, "alarm"))
        if alarm is None:
            set_props("notice", {"children": layout.notice("This alarm has closed meanwhile.")})
            raise PreventUpdate
        return True, _what(alarm, page, parts), None, ""


def _register_confirm(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("ack-dialog", "opened", allow_duplicate=True),
        Output("ack-error", "children", allow_duplicate=True),
        Output("notice", "children"),
        Input("answer", "data"),
        prevent_initial_call=True,
    )
    async def confirm(answer: object) -> tuple[object, ...]:
        name = _text(answer, "by").strip()[:200]
        if not name:
            return True, "Enter your name: the acknowledgement is recorded under it.", no_update
        asset_id, _, rule = _text(answer, "alarm").partition("/")
        request = Acknowledgement(
            asset_id=asset_id,
            rule=rule,
            occurrence_id=_text(answer, "occurrence"),
            comment=_text(answer, "comment").strip()[:1000],
            by=name,
        )
        problem = await acknowledge(parts.api, request)
        if problem:
            return True, problem, no_update
        return False, None, layout.notice(f"Acknowledged: {rule} of {asset_id}.")


def _text(data: object, name: str) -> str:
    """A field of what a browser sent; empty if it is not there or no text."""
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


async def acknowledge(api: PlantApi, request: Acknowledgement) -> str:
    """Acknowledge; returns what went wrong, empty when all is well."""
    try:
        await api.acknowledge(request)
    except ConflictError as exc:
        return f"Not acknowledged: {exc} Close this dialog and look at the newest occurrence first."
    except NotFoundError:
        return "Not acknowledged: this alarm has closed meanwhile."
    except ApiUnavailableError as exc:
        return f"Not acknowledged: {exc} Try again."
    except ApiError as exc:
        return f"Not acknowledged: {exc}"
    return ""


def _what(alarm: Alarm, page: object, parts: Parts) -> Node:
    state = PageState.from_store(page) or PageState()
    tz = UTC if parse(state.path, state.search).utc else zone(state.zone)
    return alarms.dialog_text(alarm_row(alarm, parts.hub.plant, parts.clock.now(), tz))
