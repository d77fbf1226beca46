"""Callbacks of the dialog that removes an asset."""

from dash import ClientsideFunction, Dash, Input, Output, State, no_update, set_props
from dash.exceptions import PreventUpdate

from forewarn_dashboard import layout
from forewarn_dashboard.client import ApiError, ApiUnavailableError, NotFoundError
from forewarn_dashboard.dependencies import Parts
from forewarn_dashboard.pages.asset.controls import REMOVE_ID
from forewarn_dashboard.pages.asset.remove_dialog import KEEP, PURGE, what
from forewarn_dashboard.pagestate import PageState
from forewarn_dashboard.urls import parse


def register(app: Dash, parts: Parts) -> None:
    """Register the dialog's callbacks."""
    app.clientside_callback(  # type: ignore[no-untyped-call]  # of Dash
        ClientsideFunction("forewarn", "close"),
        Output("remove-dialog", "opened", allow_duplicate=True),
        Input("remove-cancel", "n_clicks"),
        prevent_initial_call=True,
    )
    _register_asking(app, parts)
    _register_confirming(app, parts)


def _register_asking(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("remove-dialog", "opened"),
        Output("remove-what", "children"),
        Output("remove-error", "children"),
        Output("remove-history", "value"),
        Output("remove-typed", "value"),
        Input(REMOVE_ID, "n_clicks"),
        State("view", "data"),
        prevent_initial_call=True,
    )
    async def ask(clicks: int | None, page: object) -> tuple[object, ...]:
        asset_id = _asset(page)
        if not clicks or not asset_id:  # a page that is redrawn brings a button that was not pressed
            raise PreventUpdate
        detail = await parts.details.get(asset_id)
        return True, what(f"{detail.asset.name} ({asset_id})"), None, KEEP, ""


def _register_confirming(app: Dash, parts: Parts) -> None:
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
        clicks: int | None, by: object, history: object, typed: object, page: object
    ) -> tuple[object, ...]:
        asset_id = _asset(page)
        if not clicks or not asset_id:
            raise PreventUpdate
        name = by.strip()[:200] if isinstance(by, str) else ""
        problem = refusal(asset_id, name, history, typed) or await remove(asset_id, name, history == PURGE, parts)
        if problem:
            return True, problem, no_update
        set_props("url", {"pathname": "/", "search": ""})
        return False, None, layout.notice(f"{asset_id} is removed.")


def refusal(asset_id: str, by: str, history: object, typed: object) -> str:
    """Why the dialog cannot be confirmed as it stands; empty if it can."""
    if not by:
        return "Enter your name: the removal is recorded under it."
    if history == PURGE and (typed.strip() if isinstance(typed, str) else "") != asset_id:
        return f"Enter {asset_id} to delete its history, or choose to keep it."
    return ""


async def remove(asset_id: str, by: str, purge: bool, parts: Parts) -> str:  # noqa: FBT001  # the user's choice
    """Remove; returns what went wrong, empty when all is well."""
    try:
        await parts.api.remove(asset_id, by=by, purge=purge)
    except NotFoundError:
        pass  # somebody was faster
    except ApiUnavailableError as exc:
        return f"Not removed: {exc} Try again."
    except ApiError as exc:
        return f"Not removed: {exc}"
    parts.hub.forget(asset_id)
    parts.details.forget(asset_id)
    return ""


def _asset(page: object) -> str:
    """Asset of the page that is shown; empty on any other page."""
    state = PageState.from_store(page)
    return "" if state is None else parse(state.path, state.search).asset_id
