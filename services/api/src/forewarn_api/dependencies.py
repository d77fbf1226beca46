"""Dependencies of routes: the backend, and the state of the running application."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from forewarn.contracts.answers.alarms import Replayed
from forewarn.usecases.backend import Backend
from forewarn.usecases.changes import Changes
from forewarn_api.live_push import LivePush
from forewarn_api.plant_index import PlantIndex
from forewarn_api.recent import Recent


@dataclass(frozen=True, slots=True)
class PendingAcknowledgement:
    """An acknowledgement that was sent but that the alerting service has not decided on yet."""

    by: str
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """State of the running application, bound to its event loop."""

    changes: Changes
    index: PlantIndex
    push: LivePush
    reading: asyncio.Lock
    #: By alarm and occurrence, within this process; between processes the alerting service decides.
    claims: Recent[tuple[str, str], PendingAcknowledgement]
    #: By rejected message.
    replays: Recent[str, Replayed]
    #: Held by one replay at a time, as that has its whole message in memory.
    replaying: asyncio.Lock = field(default_factory=asyncio.Lock)


def _backend(connection: HTTPConnection) -> Backend:
    backend = connection.app.state.backend
    if not isinstance(backend, Backend):
        raise TypeError(f"app.state.backend is {backend!r}")
    return backend


def _state(connection: HTTPConnection) -> AppState:
    state = connection.app.state.running
    if not isinstance(state, AppState):
        raise TypeError(f"app.state.running is {state!r}: the application's lifespan has not begun")
    return state


BackendDep = Annotated[Backend, Depends(_backend)]
StateDep = Annotated[AppState, Depends(_state)]
