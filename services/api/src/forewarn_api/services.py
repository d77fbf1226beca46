"""What lives as long as the application runs and needs its event loop."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from forewarn_api.acknowledging import Claims
from forewarn_api.changes import Changes
from forewarn_api.live_push import LivePush
from forewarn_api.plant_index import PlantIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """News of the live view, clients they are pushed to, assets in short, undecided claims, turns at heavy work."""

    changes: Changes
    index: PlantIndex
    push: LivePush
    reading: asyncio.Lock
    claims: Claims
    #: One at a time: a message that is sent again is whole in memory.
    replaying: asyncio.Lock = field(default_factory=asyncio.Lock)


def _running(connection: HTTPConnection) -> Running:
    running = connection.app.state.running
    if not isinstance(running, Running):
        raise TypeError(f"app.state.running is {running!r}: the application's lifespan has not begun")
    return running


#: Parameter of a route that follows or pushes changes.
Pushes = Annotated[Running, Depends(_running)]
