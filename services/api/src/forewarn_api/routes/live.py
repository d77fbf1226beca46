"""The live feed over WebSocket."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, WebSocket

from forewarn.contracts.base import Identifier
from forewarn.runtime.http.clients import CLIENT_HEADER, DASHBOARD
from forewarn.usecases.errors import UnavailableError, not_found
from forewarn_api.dependencies import BackendDep, StateDep
from forewarn_api.http.access import TOKEN_PROTOCOL
from forewarn_api.http.parameters import require_known
from forewarn_api.live_push import MOST_ASSETS, require_few

router = APIRouter()


@router.websocket("/api/v1/live")
async def live(
    socket: WebSocket,
    backend: BackendDep,
    state: StateDep,
    asset: Annotated[list[Identifier] | None, Query(max_length=MOST_ASSETS)] = None,
    only: Annotated[Literal["alarms"] | None, Query(description="Only open alarms.")] = None,
) -> None:
    """Push newest readings, health and alarms: everything at first, then changes, at most twice a second.

    A client follows the assets it names, or all if the plant has at most 1,000; ``only=alarms`` has no such limit.
    """
    require_known(socket.query_params, once={"only"}, often={"asset"})
    wanted = frozenset(asset or ())
    dashboard = socket.headers.get(CLIENT_HEADER) == DASHBOARD
    if state.push.full(dashboard=dashboard):
        detail = f"{state.push.subscribers} clients are connected already."
        raise UnavailableError("too-many-clients", detail, retry_after_s=10)
    registry = backend.complete_registry()
    backend.complete_live()
    if not wanted and only is None:
        require_few(registry.count())
    unknown = sorted(name for name in wanted if registry.get(name) is None)
    if unknown:
        raise not_found(f"There are no such assets: {', '.join(unknown)}.")
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(subprotocol=TOKEN_PROTOCOL if TOKEN_PROTOCOL in offered else None)
    await state.push.serve(socket, wanted, only_alarms=only is not None, dashboard=dashboard)
