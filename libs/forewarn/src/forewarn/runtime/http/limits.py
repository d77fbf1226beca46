"""How much one client, and all of them together, can make an HTTP server hold."""

from dataclasses import dataclass

from forewarn.contracts.limits import KIB, MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Limits of one server; what goes beyond them is answered with a problem detail, or cut off."""

    #: Request line and headers together; longer ones get 431.
    head_bytes: int = 32 * KIB
    headers: int = 100
    #: Path and query; the WebSocket library takes no longer request line. Longer ones get 414.
    target_bytes: int = 8_000
    #: One header line of a WebSocket's handshake; its library hangs on longer ones.
    websocket_line_bytes: int = 8_000
    #: From the connection, or the first byte of a further request, to the end of the headers.
    head_s: float = 10.0
    #: A kept-alive connection without a request.
    idle_s: int = 15
    #: A body may take this long, plus the time that its bytes take at ``body_bytes_per_s``.
    body_s: float = 30.0
    body_bytes_per_s: int = 32 * KIB
    #: Bodies of all requests that are not answered yet; beyond it the one that stands still longest gets 503.
    bodies_bytes: int = 32 * MIB
    #: In this time a client must take ``send_bytes`` of its answer, or the rest of it.
    send_s: float = 20.0
    send_bytes: int = 64 * KIB
    #: Answers that clients have not taken yet; beyond it the slowest reader is cut off that took nothing for a moment.
    answers_bytes: int = 32 * MIB
    answers_s: float = 0.5
    #: Beyond it the connection that waits longest for its request is closed for a new one.
    connections: int = 1_000
    websockets: int = 250
    #: Requests sent ahead on one connection, before the answer to the first.
    pipelined: int = 8
    #: After a refusal, what the client still sends is thrown away for so long: it reads the answer only after that.
    linger_s: float = 2.0
