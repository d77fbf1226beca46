"""Builds the dashboard: a FastAPI server with Dash in it, behind the gate."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from dash import Dash
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.requests import Request
from starlette.types import ASGIApp

from forewarn.ports.clock import Clock
from forewarn_dashboard import layout
from forewarn_dashboard.callbacks import explain_error, register
from forewarn_dashboard.client import PlantApi
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.details import Details
from forewarn_dashboard.live import Hub
from forewarn_dashboard.page import AnyPage, Pages
from forewarn_dashboard.pages import notices
from forewarn_dashboard.pages.registry import PAGES
from forewarn_dashboard.push import Pusher
from forewarn_dashboard.security import HEALTH_PATH, Gate, content_security_policy

MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """The application that uvicorn serves, and the hub that runs beside it."""

    asgi: ASGIApp
    hub: Hub
    dash: Dash


async def build(
    api: PlantApi, clock: Clock, rng: random.Random, hosts: frozenset[str] | None, specs: Sequence[AnyPage] = PAGES
) -> Dashboard:
    """Build the application and prime it with a GET / inside the process.

    Otherwise Dash would set itself up on the first visitor's request, and until then refuse the sockets of browsers
    that were open during a restart.
    """
    pages = Pages(specs, notices.NOT_FOUND)
    dependencies = Dependencies(api=api, hub=Hub(api, clock, rng), details=Details(api, clock), clock=clock)
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=MAX_BODY_BYTES)
    _add_routes(server, dependencies.hub)
    app = Dash(
        __package__,
        server=server,  # type: ignore[arg-type]  # Dash takes a FastAPI here, its annotation does not know
        assets_folder=str(Path(__file__).parent / "assets"),
        index_string=layout.INDEX,
        title=layout.APP_TITLE,
        update_title="",
        compress=True,
        on_error=explain_error,
        websocket_inactivity_timeout=0,  # an idle plant must not close the connection; the push keeps it busy
        add_log_handler=False,
        enable_mcp=False,
    )
    app.layout = layout.shell(pages)
    app.validation_layout = layout.validation_layout(pages)  # type: ignore[assignment]  # Dash annotates its None only
    register(app, pages, dependencies, Pusher(pages, dependencies))
    server.add_exception_handler(404, _page_not_found)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://localhost") as inside:
        server.state.index = (await inside.get("/")).raise_for_status().text
    _add_pages(server, pages)
    gate = Gate(
        server,
        hosts=hosts,
        policy=content_security_policy(list(app.csp_hashes())),
        known_callback=lambda output: bool(_callback(app, output).get("websocket")),
        clock=clock,
    )
    return Dashboard(asgi=gate, hub=dependencies.hub, dash=app)


def _callback(app: Dash, output: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = app.callback_map.get(output, {})
    return found


def _add_routes(server: FastAPI, hub: Hub) -> None:
    @server.get(HEALTH_PATH, include_in_schema=False)
    async def health() -> dict[str, object]:
        return {"status": "ok", "api_connected": hub.connected}

    @server.get("/api/{rest:path}", include_in_schema=False)
    async def no_api(rest: str) -> JSONResponse:
        return JSONResponse({"title": f"The API is another service; this one has no /api/{rest}", "status": 404}, 404)


async def _page_not_found(request: Request, _error: Exception) -> HTMLResponse:
    """Answer 404 with the document of every page, in which the browser shows that this one does not exist."""
    return HTMLResponse(request.app.state.index, 404)


def _add_pages(server: FastAPI, pages: Pages) -> None:
    """Add routes for all other paths, before Dash's catch-all, which would answer each with 200."""

    @server.get("/{path:path}", include_in_schema=False)
    async def page(path: str) -> HTMLResponse:
        return HTMLResponse(server.state.index, 200 if pages.has(f"/{path}") else 404)
