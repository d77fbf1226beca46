"""uvicorn's HTTP connection, with limits on what it accepts before the application sees the request."""

import asyncio
from typing import Any, Final, NoReturn

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from forewarn.runtime.http import head
from forewarn.runtime.http.connections import CUT_OFF, Connections
from forewarn.runtime.http.head import HttpRefusal, fault_of_head, headers_too_large


class _RefusedError(Exception):
    """Stops the parser; ``GuardedProtocol`` holds the refusal."""


class GuardedProtocol(HttpToolsProtocol):
    """Overrides uvicorn's callbacks only to count and to refuse; uvicorn still does the serving.

    The parser has no limits: it joins the pieces of a header until its end arrives. So this counts the bytes it has
    swallowed since its last callback, in heads, chunk lengths and trailers alike.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        if not isinstance(server_state, Connections):
            raise TypeError(f"{type(self).__name__} needs the state of a GuardedServer, not {server_state!r}")
        self._all: Final = server_state
        self._limits: Final = server_state.limits
        self._unread_bytes = 0
        self._refusal: HttpRefusal | None = None
        self._refused = False
        self._upgraded = False
        self._asked = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection, or refuse it."""
        super().connection_made(transport)
        refusal = self._all.opened(self, self.loop.time())
        if refusal is not None:
            self._unread_bytes = 1  # it has done nothing wrong: it gets an answer
            self.refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._all.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the parser has swallowed too much without a callback."""
        if self._refused:
            return
        self._all.heard(self, self.loop.time())
        self._unread_bytes += len(data)
        super().data_received(data)
        if self._unread_bytes > self._limits.head_bytes and not self._upgraded:
            self.refuse(headers_too_large(self._limits))

    def on_headers_complete(self) -> None:
        """Check the head before a request is made of it."""
        websocket = bool(self.parser.should_upgrade() and self._should_upgrade())
        version = self.parser.get_http_version()
        refusal = fault_of_head(self.url, self.headers, version, self._limits, websocket=websocket)
        if refusal is None and websocket and self._all.websockets >= self._limits.websockets:
            refusal = head.SOCKETS_FULL
        if refusal is None and len(self.pipeline) >= self._limits.pipelined:
            refusal = head.BUSY
        if refusal is not None:
            self._stop(refusal)
        self._all.requested(self)
        super().on_headers_complete()
        self._unread_bytes = 0
        if not websocket:
            self._asked = True
            self._all.awaits_body(self, self.loop.time())
            self.headers = []  # the request has its own list: trailers must not be added to it

    def on_body(self, body: bytes) -> None:
        """Count a piece of a body that is still wanted."""
        self._unread_bytes = 0
        if self._refused:
            return
        super().on_body(body)
        if not self.cycle.response_complete:
            self._all.body(self, len(body), self.loop.time())

    def on_message_complete(self) -> None:
        """Note that a body, possibly empty, is complete."""
        self._unread_bytes = 0
        super().on_message_complete()
        if self._refused or self._upgraded or not self._asked:
            return
        self._all.body_complete(self)
        if self.cycle.response_complete:  # the answer came before the end of the request
            self._all.idle(self, self.loop.time())

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of one that was answered early."""
        sent_ahead = bool(self.pipeline)
        super().on_response_complete()
        if self.transport.is_closing() or self._refused or sent_ahead:
            return
        if self.cycle.more_body:
            self._all.ends(self, self.loop.time() + self._limits.body_s)
        else:
            self._all.answered(self)
            self._all.idle(self, self.loop.time())

    def pause_writing(self) -> None:
        """Check unread answers: this client reads more slowly than its answer is written."""
        super().pause_writing()
        self._all.check_answers(self.loop.time())

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the WebSocket library."""
        self._upgraded = True
        self._all.forget(self)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's own text says less
        """Answer a malformed or refused request."""
        self.refuse(self._refusal or head.MALFORMED)

    def refuse(self, refusal: HttpRefusal) -> None:
        """Answer with a refusal unless another answer has begun, and close the connection."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        CUT_OFF.labels(refusal.reason).inc()
        cycle = self.cycle
        waits = self._asked and not cycle.response_complete
        nothing_sent = not self._asked and self._unread_bytes == 0
        if nothing_sent or (waits and cycle.response_started) or self.pipeline:
            self._all.forget(self)
            self.transport.abort()
            return
        if waits:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(refusal.encode())
        # If it were closed at once, with unread bytes of the client, the answer would not arrive.
        self._all.ends(self, self.loop.time() + self._limits.linger_s)
        self.transport.write_eof()

    def _stop(self, refusal: HttpRefusal) -> NoReturn:
        self._refusal = refusal
        raise _RefusedError
