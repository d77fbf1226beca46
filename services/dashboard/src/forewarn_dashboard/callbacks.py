"""Callbacks of the shell. All are coroutines: Dash runs them on the event loop, where nothing may block.

They are registered on the app because after a restart, sockets refuse those of the global ``dash.callback`` until the
first plain request.
"""

import uuid
from dataclasses import replace

import structlog
from dash import Dash, Input, Output, State, ctx, no_update, set_props
from dash.exceptions import PreventUpdate

from forewarn_dashboard import layout
from forewarn_dashboard.client import ApiError
from forewarn_dashboard.components import SEARCH_ID, notice
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.metrics import CALLBACK_ERRORS
from forewarn_dashboard.page import CannotShowError, Pages, run_in_browser
from forewarn_dashboard.pages import notices
from forewarn_dashboard.push import Pusher
from forewarn_dashboard.tab import PageState

_log = structlog.get_logger(__name__)


def explain_error(error: Exception) -> None:
    """Show an error id and log the error; Dash's ``on_error``."""
    error_id = uuid.uuid4().hex[:8]
    CALLBACK_ERRORS.inc()
    _log.error("callback_failed", error_id=error_id, exc_info=error)
    text = f"Something went wrong (error {error_id}). Details are in the dashboard's log."
    set_props("notice", {"children": notice(text, error=True)})


def register(app: Dash, pages: Pages, dependencies: Dependencies, pusher: Pusher) -> None:
    """Register the callbacks of the shell and of all pages."""
    _register_clientside(app)
    _register_pages(app, pages, dependencies)
    for page in pages:
        if page.register is not None:
            page.register(app, dependencies)

    @app.callback(websocket=True, persistent=True)
    async def live() -> None:
        if ctx.websocket is not None:
            await pusher.feed(ctx.websocket, set_props)


def _register_clientside(app: Dash) -> None:
    run_in_browser(app, "browser", Output("browser", "data"), Input("shell", "id"), initial=True)
    run_in_browser(app, "title", Input("title", "data"))
    run_in_browser(app, "tick", Input("tick", "data"))
    run_in_browser(app, "address", Input("url", "search"))
    run_in_browser(app, "search", Output("url", "search"), Input(SEARCH_ID, "value"), State("url", "search"))


def _register_pages(app: Dash, pages: Pages, dependencies: Dependencies) -> None:
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
        state = PageState(
            render_id=uuid.uuid4().hex[:12],
            path=pathname or "/",
            search=search or "",
            zone=str(browser.get("zone", ""))[:64],
            epoch=dependencies.hub.epoch,
        )
        page, scene = pages.scene(state, dependencies)
        around = layout.menu(pages, page, scene), layout.clock_switch(scene)
        try:
            opened = await page.opened(scene, dependencies)
        except CannotShowError as exc:
            return exc.content, state.to_store(), _title(exc.title), *around
        except ApiError as exc:
            return notices.api_away(str(exc)), state.to_store(), layout.APP_TITLE, *around
        before = PageState.from_store(shown)
        if page.redraw is not None and before is not None and before.path == state.path:
            for identifier, children in page.redraw(opened).items():
                set_props(identifier, {"children": children})
            return no_update, state.to_store(), no_update, *around
        state = replace(state, since=opened.since)
        return page.render(opened), state.to_store(), _title(opened.heading or page.title), *around


def _title(heading: str) -> str:
    return f"{heading} · {layout.APP_TITLE}"
