"""A server stops serving when its owner says that it is over."""

import threading

from forewarn.adapters.clock import SystemClock
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.http.server import GuardedServer
from support.stack import wait_until


async def application(_scope, receive, _send):
    await receive()


def test_a_server_serves_until_it_is_over():
    over = threading.Event()
    server = GuardedServer(
        application,
        host="127.0.0.1",
        port=0,
        limits=HttpLimits(),
        drain_s=1,
        heartbeat=Heartbeat(SystemClock()),
        is_over=over.is_set,
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 20)
    thread.join(0.5)
    assert thread.is_alive()
    over.set()
    thread.join(10)
    assert not thread.is_alive()
