"""The probe server answers whatever else is connected to it."""

import contextlib
import threading

import httpx2

from forewarn.runtime.probes import MAX_CONNECTIONS, ProbeServer
from support.raw_http import opened, until_closed


def test_probes_answer_while_others_hold_connections():
    threads = threading.active_count()
    with (
        ProbeServer("127.0.0.1", 0, live=lambda: None, ready=lambda: "starting") as probes,
        contextlib.ExitStack() as stack,
    ):
        lines = [stack.enter_context(opened(probes.port)) for _ in range(100)]
        for line in lines:
            with contextlib.suppress(OSError):
                line.sendall(b"GET /livez HT")
        base = f"http://127.0.0.1:{probes.port}"
        assert httpx2.get(f"{base}/livez").text == "ok"
        assert httpx2.get(f"{base}/readyz").status_code == 503
        assert until_closed(lines[0]) == b""
        assert threading.active_count() <= threads + 2 * MAX_CONNECTIONS
