"""The live feed over WebSocket."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, WebSocket

from forewarn.contracts.base import Identifier
from forewarn.runtime.http.clients import CLIENT_HEADER, DASHBOARD
from forewarn_api.backend import Uses
from forewarn_api.http.gate import TOKEN_PROTOCOL
from forewarn_api.live_push import MOST_ASSETS, TooManyAssetsError, require_few
from forewarn_api.problems import ProblemError, not_found, problem_response
from forewarn_api.services import Pushes

router = APIRouter()


@router.websocket("/api/v1/live")
async def live(
    socket: WebSocket,
    backend: Uses,
    running: Pushes,
    asset: Annotated[list[Identifier] | None, Query(max_length=MOST_ASSETS)] = None,
    only: Annotated[Literal["alarms"] | None, Query(description="Open alarms and nothing else.")] = None,
) -> None:
    """Push newest readings, health and alarms: everything first, then what changes, at most twice a second.

    A client follows the assets that it names, or all of a plant of at most 1,000; ``only=alarms`` has no such limit.
    """
    wanted = frozenset(asset or ())
    dashboard = socket.headers.get(CLIENT_HEADER) == DASHBOARD
    refusal = _refusal(wanted, backend, running, only_alarms=only is not None, dashboard=dashboard)
    if refusal is not None:
        await socket.send_denial_response(problem_response(refusal))
        return
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(subprotocol=TOKEN_PROTOCOL if TOKEN_PROTOCOL in offered else None)
    await running.push.serve(socket, wanted, only_alarms=only is not None, dashboard=dashboard)


def _refusal(
    wanted: frozenset[str], backend: Uses, running: Pushes, *, only_alarms: bool, dashboard: bool
) -> ProblemError | None:
    if running.push.full(dashboard=dashboard):
        detail = f"{running.push.subscribers} clients are connected already."
        return ProblemError(503, "too-many-clients", detail, retry_after_s=10)
    try:
        registry = backend.complete_registry()
        backend.complete_live()
        if not wanted and not only_alarms:
            require_few(registry.count())
    except ProblemError as exc:
        return exc
    except TooManyAssetsError as exc:
        return ProblemError(409, "too-many-assets", f"{exc}.")
    unknown = sorted(name for name in wanted if registry.get(name) is None)
    return not_found(f"There are no such assets: {', '.join(unknown)}.") if unknown else None
