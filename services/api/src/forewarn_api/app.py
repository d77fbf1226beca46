"""The application: routes, error handlers and middleware."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Final

import structlog
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import Scope

from forewarn.contracts.limits import MAX_LIVE_ASSETS
from forewarn.ports.history import HistoryUnavailable
from forewarn.usecases.backend import Backend
from forewarn.usecases.changes import Changes
from forewarn_api import docs
from forewarn_api.bodies import MAX_BODY_BYTES, MAX_LIST_BYTES
from forewarn_api.dependencies import AppState
from forewarn_api.http.access import AccessMiddleware
from forewarn_api.http.answer_limit import AnswerLimitMiddleware
from forewarn_api.http.body_limit import BodyLimitMiddleware
from forewarn_api.http.correlation import HEADER, CorrelationMiddleware
from forewarn_api.http.parameters import known_parameters
from forewarn_api.live_push import LivePush
from forewarn_api.openapi import DESCRIPTION, TITLE, VERSION, document_of
from forewarn_api.plant_index import PlantIndex
from forewarn_api.problems import install_handlers
from forewarn_api.recent import Recent
from forewarn_api.routes import (
    alarms,
    assets,
    economics,
    forecast,
    live,
    overview,
    platform,
    readings,
    rejected,
    scenarios,
    state,
    twin,
    weights,
)

#: An acknowledgement without effect for so long may be repeated: the alerting service is probably down.
_UNDECIDED_S: Final = 30.0
#: Replays repeated within this time, by a double click or a retry, are sent once.
_REPLAY_ONCE_S: Final = 10.0
_SEED_RETRY_S: Final = 5.0
_SEED_ASSETS: Final = 200
_LIST_PATHS: Final = frozenset({"/api/v1/readings", "/api/v1/readings/validate", "/api/v1/assets/bulk"})
#: Last path segments of lists and histories.
_LARGE_ANSWERS: Final = frozenset({"alarms", "economics", "forecast", "health", "history", "models", "rejected"})
_log = structlog.get_logger(__name__)


class Api(FastAPI):
    """FastAPI with one OpenAPI document for all instances."""

    document: ClassVar[dict[str, Any] | None] = None

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, built once because that takes most of a second."""
        if Api.document is None:
            Api.document = document_of(self)
        return Api.document


def make_app(
    backend: Backend,
    *,
    token: str = "",
    allowed_origins: Collection[str] = (),
    max_subscribers: int = 200,
    resources: Sequence[AbstractAsyncContextManager[object]] = (),
) -> Api:
    """Build the application; its lifespan, which opens ``resources``, must run before requests are served."""
    app = routed_app()
    app.state.backend = backend
    app.state.resources = resources
    app.state.max_subscribers = max_subscribers
    install_handlers(app)
    # The last one is the outermost, so that every refusal gets an id and headers.
    app.add_middleware(AnswerLimitMiddleware, is_large=_is_large)
    app.add_middleware(BodyLimitMiddleware, limit_of=_body_limit)
    app.add_middleware(AccessMiddleware, token=token, allowed_origins=allowed_origins)
    if allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", HEADER],
            expose_headers=[HEADER],
        )
    app.add_middleware(CorrelationMiddleware, clock=backend.clock, new_id=backend.new_id)
    return app


def routed_app() -> Api:
    """Return the application with its routes but without a backend: enough for its OpenAPI document."""
    app = Api(title=TITLE, version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=_lifespan)
    asset_routes = (assets, overview, state, twin, weights, economics, forecast)
    for module in (readings, *asset_routes, alarms, rejected, scenarios):
        app.include_router(module.router, dependencies=[Depends(known_parameters)])
    for module in (live, platform, docs):
        app.include_router(module.router)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    backend: Backend = app.state.backend
    app.openapi()  # or the first requests would wait for it
    async with contextlib.AsyncExitStack() as stack:
        for resource in app.state.resources:
            await stack.enter_async_context(resource)
        await stack.enter_async_context(backend.workers)
        changes = await stack.enter_async_context(Changes(backend.live))
        index = PlantIndex(backend)
        app.state.running = AppState(
            changes=changes,
            index=index,
            push=LivePush(backend, changes, max_subscribers=app.state.max_subscribers),
            reading=asyncio.Lock(),
            claims=Recent(backend.clock, _UNDECIDED_S),
            replays=Recent(backend.clock, _REPLAY_ONCE_S),
        )
        background = [asyncio.create_task(_seed(backend)), asyncio.create_task(index.run())]
        for task in background:
            task.add_done_callback(_report)
        yield
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


async def _seed(backend: Backend) -> None:
    """Fill the live view from the database as soon as that answers, some assets at a time."""
    after: str | None = None
    seeded = 0
    while seeded < MAX_LIVE_ASSETS:
        try:
            asset_ids = await backend.history.asset_ids(after=after, limit=_SEED_ASSETS)
            readings = await backend.history.latest(asset_ids)
            backend.live.seed(readings, await backend.history.latest_health(asset_ids))
        except HistoryUnavailable as exc:
            _log.warning("live_view_not_seeded", reason=str(exc))
            await asyncio.sleep(_SEED_RETRY_S)
            continue
        if len(asset_ids) < _SEED_ASSETS:
            return
        after, seeded = asset_ids[-1], seeded + len(asset_ids)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("background_task_failed", exc_info=task.exception())


def _is_large(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["method"] == "GET" and path.startswith("/api/") and path.rsplit("/", 1)[-1] in _LARGE_ANSWERS


def _body_limit(path: str) -> int:
    return MAX_LIST_BYTES if path in _LIST_PATHS else MAX_BODY_BYTES
