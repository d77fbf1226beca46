"""Callbacks of the dashboard. All are coroutines: Dash runs them on the event loop, where nothing may block.

They are registered on the app: those of the global ``dash.callback`` are refused on sockets after a
restart until somebody makes a plain request.
"""

import uuid
from dataclasses import replace
from datetime import UTC
from typing import Final

import structlog
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update, set_props
from dash.exceptions import PreventUpdate

from forewarn.contracts.answers.alarms import AlarmList
from forewarn_dashboard import layout
from forewarn_dashboard.client import ApiError, ClosedQuery, HistoryQuery, NotFoundError
from forewarn_dashboard.components import SEARCH_ID
from forewarn_dashboard.dependencies import Parts
from forewarn_dashboard.formatting import zone
from forewarn_dashboard.metrics import CALLBACK_ERRORS
from forewarn_dashboard.pages import notices
from forewarn_dashboard.pages.alarms import acknowledging
from forewarn_dashboard.pages.alarms import page as alarms
from forewarn_dashboard.pages.asset import figures, removing, twinning
from forewarn_dashboard.pages.asset import page as asset
from forewarn_dashboard.pages.asset.controls import APPLY_ID, FROM_ID, TO_ID
from forewarn_dashboard.pages.asset.timerange import TimeRangeError, resolve
from forewarn_dashboard.pages.overview import page as overview
from forewarn_dashboard.pagestate import PageState
from forewarn_dashboard.push import large_plant
from forewarn_dashboard.scene import Node, Scene
from forewarn_dashboard.urls import View, parse

_log = structlog.get_logger(__name__)

#: Pages with a search field: while only their query changes they are drawn around it, so that it keeps the focus.
SEARCHABLE: Final = {"overview": overview, "alarms": alarms}

#: Content, title, and what the tab is to remember of it.
Drawn = tuple[Node, str, PageState]


def explain_error(error: Exception) -> None:
    """Dash's ``on_error``: the browser gets an id, the log gets the rest."""
    error_id = uuid.uuid4().hex[:8]
    CALLBACK_ERRORS.inc()
    _log.error("callback_failed", error_id=error_id, exc_info=error)
    text = f"Something went wrong (error {error_id}). The dashboard's log tells more under this number."
    set_props("notice", {"children": layout.notice(text, error=True)})


def register(app: Dash, parts: Parts) -> None:
    """Register every callback."""
    _register_clientside(app)
    _register_pages(app, parts)
    acknowledging.register(app, parts)
    twinning.register(app, parts)
    removing.register(app, parts)

    @app.callback(websocket=True, persistent=True)
    async def live() -> None:
        if ctx.websocket is not None:
            await parts.pusher.feed(ctx.websocket, set_props)


def _register_clientside(app: Dash) -> None:
    def run(function: str, *wiring: Input | Output | State, initial: bool = False) -> None:
        call = ClientsideFunction("forewarn", function)
        app.clientside_callback(call, *wiring, prevent_initial_call=not initial)  # type: ignore[no-untyped-call]  # of Dash

    run("browser", Output("browser", "data"), Input("shell", "id"), initial=True)
    run("title", Input("title", "data"))
    run("tick", Input("tick", "data"))
    run("address", Input("url", "search"))
    run(
        "extend",
        Output({"type": asset.TREND, "key": ALL}, "figure"),
        Input("frame", "data"),
        State({"type": asset.TREND, "key": ALL}, "figure"),
        State({"type": asset.TREND, "key": ALL}, "id"),
        State("view", "data"),
    )
    run("search", Output("url", "search"), Input(SEARCH_ID, "value"), State("url", "search"))
    run(
        "range",
        Output("url", "search", allow_duplicate=True),
        Input(APPLY_ID, "n_clicks"),
        State(FROM_ID, "value"),
        State(TO_ID, "value"),
        State("url", "search"),
    )
    run("answer", Output("answer", "data"), Input("ack-confirm", "n_clicks"), State("asked", "data"))
    run("close", Output("ack-dialog", "opened", allow_duplicate=True), Input("ack-cancel", "n_clicks"))


def _register_pages(app: Dash, parts: Parts) -> None:
    @app.callback(
        Output("content", "children"),
        Output("view", "data"),
        Output("title", "data"),
        Output("nav", "children"),
        Output("clock", "children"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("browser", "data"),
        Input("refresh", "data"),
        State("view", "data"),
    )
    async def show(
        pathname: str | None, search: str | None, browser: dict[str, str] | None, _refresh: str | None, shown: object
    ) -> tuple[object, ...]:
        if browser is None:
            raise PreventUpdate
        view = parse(pathname, search)
        state = PageState(
            render_id=uuid.uuid4().hex[:12],
            path=pathname or "/",
            search=search or "",
            zone=str(browser.get("zone", ""))[:64],
            epoch=parts.hub.epoch,
        )
        tz = UTC if view.utc else zone(state.zone)
        scene = Scene(view=view, plant=parts.hub.plant, now=parts.clock.now(), tz=tz)
        nav, clock = layout.navigation(view, len(parts.hub.plant.alarms)), layout.clock_switch(scene)
        if view.page == "alarms" and view.closed:
            scene = replace(scene, closed=await _closed_alarms(view, parts))
        try:
            scene = await large_plant(scene, parts.hub, parts.details)
        except NotFoundError:
            pass  # the page of the asset says so
        except ApiError as exc:
            return notices.api_away(str(exc)), state.to_store(), layout.APP_TITLE, nav, clock
        before = PageState.from_store(shown)
        if view.page in SEARCHABLE and before is not None and before.path == state.path:
            page = SEARCHABLE[view.page]
            for identifier, children in page.redraw(scene).items():
                set_props(identifier, {"children": children})
            return no_update, state.to_store(), no_update, nav, clock
        content, title, state = await draw_page(scene, state, parts)
        return content, state.to_store(), f"{title} · {layout.APP_TITLE}", nav, clock


async def _closed_alarms(view: View, parts: Parts) -> AlarmList | ApiError:
    query = ClosedQuery(asset_id=view.alarms_of, priority=view.priority, older_than=view.older_than)
    try:
        return await parts.api.closed_alarms(query)
    except ApiError as exc:
        return exc


async def draw_page(scene: Scene, state: PageState, parts: Parts) -> Drawn:
    """Draw whatever page the address names."""
    if scene.view.page == "overview":
        return overview.render(scene), overview.TITLE, state
    if scene.view.page == "alarms":
        return alarms.render(scene), alarms.TITLE, state
    if scene.view.page == "asset":
        return await _draw_asset(scene, state, parts)
    return notices.not_found(scene.view), "Page not found", state


async def _draw_asset(scene: Scene, state: PageState, parts: Parts) -> Drawn:
    asset_id = scene.view.asset_id
    try:
        window = resolve(scene.view.start, scene.view.end, scene.now)
        detail = await parts.details.get(asset_id)
        scene = replace(scene, detail=detail)
        tags = asset.shown_tags(scene, detail.asset_class)
        query = HistoryQuery(start=window.start, end=window.end, columns=tags, max_points=figures.HISTORY_POINTS)
        history = await parts.api.history(asset_id, query)
    except NotFoundError:
        return notices.no_asset(scene.view), "Asset not found", state
    except TimeRangeError as exc:
        return notices.bad_request(str(exc), scene.view), asset_id, state
    except ApiError as exc:
        return notices.api_away(str(exc)), asset_id, state
    state = replace(state, since=history.times[-1].isoformat() if history.times else "")
    return asset.render(scene, history, window), detail.asset.name, state
