"""uvicorn, set up for a service of the platform."""

import asyncio
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.http.connections import Connections
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.http.protocol import GuardedProtocol

_TICKS_PER_SWEEP: Final = 10  # uvicorn ticks ten times a second


class GuardedServer(uvicorn.Server):
    """A server that holds no more than its limits allow.

    It stops after a signal or once ``is_over``, checked ten times a second, returns True; requests under way then have
    ``drain_s``. ``heartbeat`` beats while the event loop turns. ``port`` 0 picks a free one; ``proxy_headers``
    trusts the X-Forwarded headers of a proxy on this machine.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        limits: HttpLimits,
        drain_s: int,
        proxy_headers: bool = False,
        heartbeat: Heartbeat,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=GuardedProtocol,
            ws="websockets-sansio",
            log_config=None,  # the service's own logging handles the server's records too
            log_level="warning",  # at "debug" the server writes the headers of WebSockets, and so the token
            access_log=False,
            server_header=False,
            proxy_headers=proxy_headers,
            timeout_keep_alive=limits.idle_s,
            timeout_graceful_shutdown=drain_s,
            ws_max_size=limits.websocket_message_bytes,
            ws_per_message_deflate=False,  # it costs more time and memory than it saves on a plant's network
        )
        super().__init__(config)
        self._heartbeat = heartbeat
        self._is_over = is_over
        self._connections: Final = Connections(limits)
        self.server_state = self._connections

    async def on_tick(self, counter: int) -> bool:
        """Beat; once a second, cut off connections whose time is up; return whether to stop."""
        self._heartbeat.beat()
        if counter % _TICKS_PER_SWEEP == 0:
            self._connections.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter) or self._is_over()
