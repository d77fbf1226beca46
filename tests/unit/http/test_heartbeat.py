"""The server's heart beats while its event loop turns, and no longer."""

import threading

from support.stack import wait_until


def test_the_heart_stops_with_the_event_loop_and_beats_again_behind_it(server):
    heartbeat, loop = server._heartbeat, server.servers[0].get_loop()
    wait_until(lambda: heartbeat.check() is None, 10)
    held, hold = threading.Event(), threading.Event()

    def block():
        held.set()
        hold.wait(30)

    loop.call_soon_threadsafe(block)
    assert held.wait(10)
    try:
        wait_until(lambda: heartbeat.check() is not None, 10)
    finally:
        hold.set()
    wait_until(lambda: heartbeat.check() is None, 10)
