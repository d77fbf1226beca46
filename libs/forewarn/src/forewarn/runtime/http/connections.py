"""All connections of a server: who waits, how much each holds, and who is cut off when it is too much."""

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from uvicorn.server import ServerState

from forewarn.runtime.http import head
from forewarn.runtime.http.head import HttpRefusal
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.metrics import counter

CUT_OFF: Final = counter("forewarn_http_cut_off")


class Connected(Protocol):
    """A connection of uvicorn's, HTTP or WebSocket."""

    transport: asyncio.Transport


class Guarded(Connected, Protocol):
    """An HTTP connection under these limits."""

    def refuse(self, refusal: HttpRefusal) -> None:
        """Answer with a refusal if that is still possible, and end the connection."""
        ...


@dataclass(slots=True)
class _Body:
    """A request body: when it began [s], how many bytes have arrived, whether it is complete."""

    since_s: float
    bytes: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class _UnreadAnswer:
    """A client with unread bytes: how many now, how many when it last read some, and when that was [s]."""

    left: int
    before: int
    since_s: float


class Connections(ServerState):
    """uvicorn's server state, with limits.

    The connection that has idled longest makes room for a new one, so that clients that hold connections, bodies or
    answers without using them lock nobody out.
    """

    def __init__(self, limits: HttpLimits) -> None:
        super().__init__()
        self.limits = limits
        #: Waiting for a request: since when [s], and whether a part of its head has arrived. The longest wait first.
        self._waiting: dict[Guarded, tuple[float, bool]] = {}
        #: Unanswered requests with a body; the one that has stalled longest first.
        self._bodies: dict[Guarded, _Body] = {}
        self._bodies_bytes = 0
        #: Connections that end at a time [s], whatever still arrives.
        self._ending: dict[Guarded, float] = {}
        self._readers: dict[Connected, _UnreadAnswer] = {}

    def opened(self, connection: Guarded, now_s: float) -> HttpRefusal | None:
        """Take a new connection, in place of an idle one if need be; return why it is refused, if it is."""
        if len(self.connections) > self.limits.connections:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return head.BUSY
            self.forget(longest)
            self._cut(longest, "too-many-connections")
        self._waiting[connection] = (now_s, True)
        return None

    def heard(self, connection: Guarded, now_s: float) -> None:
        """Note that bytes arrived: an idle connection has begun a request."""
        if self._waiting.get(connection, (0.0, True))[1]:
            return
        del self._waiting[connection]
        self._waiting[connection] = (now_s, True)

    def requested(self, connection: Guarded) -> None:
        """Note that a head is complete."""
        self._waiting.pop(connection, None)

    def idle(self, connection: Guarded, now_s: float) -> None:
        """Note that a request is answered and its body has arrived."""
        self._ending.pop(connection, None)
        self._waiting[connection] = (now_s, False)

    def body(self, connection: Guarded, received: int, now_s: float) -> None:
        """Count bytes of a body."""
        body = self._bodies.pop(connection, None) or _Body(now_s)
        body.bytes += received
        self._bodies[connection] = body
        self._bodies_bytes += received
        while self._bodies_bytes > self.limits.bodies_bytes:
            stillest = next((c for c, b in self._bodies.items() if not b.complete), None)
            if stillest is None:
                stillest = connection
            stillest.refuse(head.BODIES_FULL)

    def awaits_body(self, connection: Guarded, now_s: float) -> None:
        """Note a request whose body is still to come."""
        self._bodies.setdefault(connection, _Body(now_s))

    def body_complete(self, connection: Guarded) -> None:
        """Note that a body has arrived in full."""
        if connection in self._bodies:
            self._bodies[connection].complete = True

    def answered(self, connection: Guarded) -> None:
        """Forget the body of an answered request."""
        body = self._bodies.pop(connection, None)
        if body is not None:
            self._bodies_bytes -= body.bytes

    def ends(self, connection: Guarded, at_s: float) -> None:
        """Close the connection at a time unless it becomes idle before."""
        self.forget(connection)
        self._ending[connection] = at_s

    def forget(self, connection: Guarded) -> None:
        """Forget a connection that was closed or has become a WebSocket."""
        self.answered(connection)
        self._waiting.pop(connection, None)
        self._ending.pop(connection, None)
        self._readers.pop(connection, None)

    @property
    def websockets(self) -> int:
        """Number of open WebSockets."""
        return sum(1 for connection in self.connections if not hasattr(connection, "refuse"))

    def sweep(self, now_s: float) -> None:
        """Cut off connections whose time is up; called once a second."""
        limits = self.limits
        for connection, (since_s, begun) in list(self._waiting.items()):
            if begun and now_s - since_s > limits.head_s:
                connection.refuse(head.HEAD_TOO_SLOW)
        for connection, body in list(self._bodies.items()):
            due_s = body.since_s + limits.body_s + body.bytes / limits.body_bytes_per_s
            if not body.complete and now_s > due_s:
                connection.refuse(head.BODY_TOO_SLOW)
        for connection, at_s in list(self._ending.items()):
            if now_s > at_s:
                self.forget(connection)
                self._cut(connection, "lingering")
        self._sweep_readers(now_s)

    def check_answers(self, now_s: float) -> None:
        """Cut off the slowest readers while too many bytes of answers are unread."""
        self._measure_readers(now_s)
        held = sum(reader.left for reader in self._readers.values())
        for connection, reader in sorted(self._readers.items(), key=lambda item: item[1].since_s):
            if held <= self.limits.answers_bytes or now_s - reader.since_s < self.limits.answers_s:
                return
            self._cut(connection, "answers-not-taken")
            held -= reader.left

    def _sweep_readers(self, now_s: float) -> None:
        self.check_answers(now_s)
        for connection, reader in list(self._readers.items()):
            if now_s - reader.since_s > self.limits.send_s:
                self._cut(connection, "answer-not-taken")

    def _measure_readers(self, now_s: float) -> None:
        known, self._readers = self._readers, {}
        for connection in self.connections:
            left = connection.transport.get_write_buffer_size()
            if left == 0:
                continue
            reader = known.get(connection)
            if reader is None or left <= reader.before - self.limits.send_bytes:
                self._readers[connection] = _UnreadAnswer(left, left, now_s)
            else:
                self._readers[connection] = _UnreadAnswer(left, max(left, reader.before), reader.since_s)

    def _cut(self, connection: Connected, reason: str) -> None:
        CUT_OFF.labels(reason).inc()
        self._readers.pop(connection, None)
        connection.transport.abort()
