"""A server with small limits and an application that answers after the body, in a thread of its own."""

import threading

import pytest

from forewarn.adapters.clock import SystemClock
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.http.server import GuardedServer
from support.stack import wait_until

LIMITS = HttpLimits(
    head_bytes=4_096,
    headers=20,
    target_bytes=1_000,
    websocket_line_bytes=1_000,
    websocket_message_bytes=1_000,
    head_s=0.5,
    idle_s=1,
    body_s=0.5,
    body_bytes_per_s=1_000_000,
    bodies_bytes=300_000,
    send_s=3.0,
    answers_bytes=30_000_000,
    answers_s=0.1,
    connections=10,
    websockets=2,
    pipelined=3,
    linger_s=0.5,
)


async def application(scope, receive, send):
    """Answers with the length of the body; at /long with 8 MB, at /early without reading."""
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        if scope["path"] == "/flood":
            while True:
                await send({"type": "websocket.send", "bytes": bytes(1_000_000)})
        await receive()
        return
    length = 0
    while scope["path"] != "/early":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        if not message["more_body"]:
            break
    body = bytes(8_000_000) if scope["path"] == "/long" else str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def server():
    made = GuardedServer(
        application,
        host="127.0.0.1",
        port=0,
        limits=LIMITS,
        drain_s=1,
        heartbeat=Heartbeat(SystemClock(), limit_s=0.5),
    )
    thread = threading.Thread(target=made.run)
    thread.start()
    wait_until(lambda: made.started, 20)
    yield made
    made.should_exit = True
    thread.join()


@pytest.fixture
def port(server):
    """The server's port, once the connections of other tests are gone."""
    wait_until(lambda: not server.server_state.connections, 20)
    return server.servers[0].sockets[0].getsockname()[1]
