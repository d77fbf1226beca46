"""How much clients can make an HTTP server hold, each of them and all together."""

from dataclasses import dataclass

from forewarn.contracts.limits import KIB, MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Limits of a server; beyond them requests get a problem detail or connections are cut off."""

    #: Request line and headers together; longer ones get 431.
    head_bytes: int = 32 * KIB
    headers: int = 100
    #: Path and query; the WebSocket library accepts no longer request line. Longer ones get 414.
    target_bytes: int = 8_000
    #: One header line of a WebSocket's handshake; its library hangs on longer ones.
    websocket_line_bytes: int = 8_000
    #: One inbound message of a WebSocket.
    websocket_message_bytes: int = 32 * KIB
    #: From the connection, or the first byte of a further request, to the end of the headers.
    head_s: float = 10.0
    #: A kept-alive connection without a request.
    idle_s: int = 15
    #: A body may take this long, plus the time that its bytes take at ``body_bytes_per_s``.
    body_s: float = 30.0
    body_bytes_per_s: int = 32 * KIB
    #: Bodies of all unanswered requests; beyond it the one that has stalled longest gets 503.
    bodies_bytes: int = 32 * MIB
    #: In this time a client must read ``send_bytes`` of its answer, or the rest of it.
    send_s: float = 20.0
    send_bytes: int = 64 * KIB
    #: Unread answers; beyond it the slowest reader that has read nothing for ``answers_s`` is cut off.
    answers_bytes: int = 32 * MIB
    answers_s: float = 0.5
    #: Beyond it the connection that has waited longest for its request is closed for a new one.
    connections: int = 1_000
    websockets: int = 250
    #: Requests sent ahead on one connection, before the answer to the first.
    pipelined: int = 8
    #: After a refusal, the rest of the request is read and dropped for so long: clients read answers only after it.
    linger_s: float = 2.0
